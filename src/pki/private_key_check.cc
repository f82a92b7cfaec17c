#include "pki/private_key_check.h"

#include "crypto/ec_group.h"
#include "pki/wiped_bytes.h"

namespace hsmsigner::pki {
namespace {

using crypto::EcPointPtr;
using crypto::group_of;
using crypto::new_point;

class RsaCheck {
 public:
  explicit RsaCheck(const RsaPrivateKey& key)
      : n_(to_secret_number(key.public_key.modulus)),
        e_(to_secret_number(key.public_key.exponent)),
        d_(to_secret_number(key.private_exponent.bytes())),
        p_(to_secret_number(key.prime_1.bytes())),
        q_(to_secret_number(key.prime_2.bytes())),
        coefficient_(to_secret_number(key.coefficient.bytes())),
        probe_(new_secret_number()),
        context_(new_bn_context()) {}

  bool passes(ByteView exponent_1, ByteView exponent_2) {
    if (!BN_is_odd(n_.get()) || !BN_is_odd(p_.get()) || !BN_is_odd(q_.get()) || BN_is_one(p_.get()) ||
        BN_is_one(q_.get())) {
      return false;
    }
    if (BN_cmp(e_.get(), n_.get()) >= 0 || BN_cmp(d_.get(), n_.get()) >= 0) return false;
    const SecretNumber product = new_secret_number();
    require(BN_mul(product.get(), p_.get(), q_.get(), context_.get()), "BN_mul");
    if (BN_cmp(product.get(), n_.get()) != 0 || BN_cmp(p_.get(), q_.get()) == 0) return false;
    // qInv = q^-1 mod p
    require(BN_mod_mul(product.get(), coefficient_.get(), q_.get(), p_.get(), context_.get()), "BN_mod_mul");
    if (!BN_is_one(product.get()) || BN_cmp(coefficient_.get(), p_.get()) >= 0) return false;

    require(BN_priv_rand_range(probe_.get(), n_.get()), "BN_priv_rand_range");
    return exponent_fits(p_.get(), exponent_1) && exponent_fits(q_.get(), exponent_2);
  }

 private:
  // dP = d mod (p-1), e·dP = 1 mod (p-1), and (probe^e)^dP = probe mod p.
  bool exponent_fits(const BIGNUM* prime, ByteView exponent_octets) {
    const SecretNumber exponent = to_secret_number(exponent_octets);
    const SecretNumber order = new_secret_number();
    const SecretNumber value = new_secret_number();
    BN_set_flags(order.get(), BN_FLG_CONSTTIME);
    require(BN_sub(order.get(), prime, BN_value_one()), "BN_sub");
    require(BN_nnmod(value.get(), d_.get(), order.get(), context_.get()), "BN_nnmod");
    if (BN_cmp(value.get(), exponent.get()) != 0) return false;
    require(BN_mod_mul(value.get(), exponent.get(), e_.get(), order.get(), context_.get()), "BN_mod_mul");
    if (!BN_is_one(value.get())) return false;

    const SecretNumber reduced = new_secret_number();
    require(BN_nnmod(reduced.get(), probe_.get(), prime, context_.get()), "BN_nnmod");
    require(BN_mod_exp_mont(value.get(), reduced.get(), e_.get(), prime, context_.get(), nullptr), "BN_mod_exp_mont");
    require(BN_mod_exp_mont_consttime(value.get(), value.get(), exponent.get(), prime, context_.get(), nullptr),
            "BN_mod_exp_mont_consttime");
    return BN_cmp(value.get(), reduced.get()) == 0;
  }

  SecretNumber n_, e_, d_, p_, q_, coefficient_, probe_;
  BnContext context_;
};

Bytes encode(const EC_GROUP* group, const EC_POINT* point, BN_CTX* context) {
  const auto form = POINT_CONVERSION_UNCOMPRESSED;
  Bytes octets(EC_POINT_point2oct(group, point, form, nullptr, 0, context));
  if (octets.empty() || EC_POINT_point2oct(group, point, form, octets.data(), octets.size(), context) == 0) {
    throw_openssl("EC_POINT_point2oct");
  }
  return octets;
}

}  // namespace

bool is_consistent(const RsaPrivateKey& key) {
  const std::size_t size = key.public_key.modulus.size();
  for (const Secret* number :
       {&key.private_exponent, &key.prime_1, &key.prime_2, &key.exponent_1, &key.exponent_2, &key.coefficient}) {
    if (number->empty() || number->size() > size) return false;
  }
  return RsaCheck(key).passes(key.exponent_1.bytes(), key.exponent_2.bytes());
}

Bytes public_point(KeyAlgorithm curve, ByteView value) {
  const EC_GROUP* group = group_of(curve);
  const SecretNumber scalar = to_secret_number(value);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(group)) >= 0) return {};
  const BnContext context = new_bn_context();
  const EcPointPtr point = new_point(curve);
  require(EC_POINT_mul(group, point.get(), scalar.get(), nullptr, nullptr, context.get()), "EC_POINT_mul");
  return encode(group, point.get(), context.get());
}

Bytes uncompressed_point(KeyAlgorithm curve, ByteView octets) {
  const EC_GROUP* group = group_of(curve);
  const BnContext context = new_bn_context();
  const EcPointPtr point = new_point(curve);
  if (EC_POINT_oct2point(group, point.get(), octets.data(), octets.size(), context.get()) != 1 ||
      EC_POINT_is_at_infinity(group, point.get()) == 1) {
    return {};
  }
  return encode(group, point.get(), context.get());
}

}  // namespace hsmsigner::pki
