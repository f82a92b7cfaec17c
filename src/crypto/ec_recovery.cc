#include "crypto/ec_recovery.h"

#include <algorithm>
#include <vector>

#include "crypto/ec_group.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace hsmsigner::crypto {
namespace {

using NumberContextPtr = std::unique_ptr<BN_CTX, OpensslFree<BN_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

BignumPtr new_number() { return require_pointer(BignumPtr(BN_new()), "BN_new"); }

class Recovery {
 public:
  explicit Recovery(KeyAlgorithm curve)
      : context_(require_pointer(NumberContextPtr(BN_CTX_new()), "BN_CTX_new")),
        curve_(curve),
        group_(group_of(curve)),
        order_(EC_GROUP_get0_order(group_)),
        field_(EC_GROUP_get0_field(group_)) {}

  // Every public key, as an uncompressed point, under which this is a signature.
  std::vector<Bytes> candidates(const SignedDigest& signed_digest) const {
    const unsigned char* at = signed_digest.signature.data();
    const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signed_digest.signature.size())));
    if (!signature || at != signed_digest.signature.data() + signed_digest.signature.size()) return {};
    const BIGNUM* r = ECDSA_SIG_get0_r(signature.get());
    const BIGNUM* s = ECDSA_SIG_get0_s(signature.get());
    for (const BIGNUM* number : {r, s}) {
      if (BN_is_zero(number) || BN_is_negative(number) || BN_cmp(number, order_) >= 0) return {};
    }
    // Q = r^-1 (sR - eG): the factors of R and of G.
    const BignumPtr inverse(BN_mod_inverse(nullptr, r, order_, context_.get()));
    require_pointer(inverse.get(), "BN_mod_inverse");
    const BignumPtr of_r = new_number();
    const BignumPtr of_g = new_number();
    const BignumPtr e = number_of(signed_digest.digest);
    require(BN_mod_mul(of_r.get(), s, inverse.get(), order_, context_.get()), "BN_mod_mul");
    require(BN_mod_mul(of_g.get(), e.get(), inverse.get(), order_, context_.get()), "BN_mod_mul");
    require(BN_mod_sub(of_g.get(), order_, of_g.get(), order_, context_.get()), "BN_mod_sub");
    std::vector<Bytes> found;
    // r is the x of R modulo the order, which is a little less than the field's modulus.
    const BignumPtr x = require_pointer(BignumPtr(BN_dup(r)), "BN_dup");
    while (BN_cmp(x.get(), field_) < 0) {
      for (const int parity : {0, 1}) add_candidate(x.get(), parity, of_r.get(), of_g.get(), found);
      require(BN_add(x.get(), x.get(), order_), "BN_add");
    }
    return found;
  }

 private:
  // SEC 1 4.1.3 step 5: the leftmost bits of the digest, as many as the order has.
  BignumPtr number_of(const Bytes& digest) const {
    const auto bits = static_cast<std::size_t>(BN_num_bits(order_));
    const std::size_t octets = std::min(digest.size(), (bits + 7) / 8);
    BignumPtr e = require_pointer(BignumPtr(BN_bin2bn(digest.data(), static_cast<int>(octets), nullptr)), "BN_bin2bn");
    if (8 * octets > bits) require(BN_rshift(e.get(), e.get(), static_cast<int>(8 * octets - bits)), "BN_rshift");
    return e;
  }

  void add_candidate(const BIGNUM* x, int parity, const BIGNUM* of_r, const BIGNUM* of_g,
                     std::vector<Bytes>& found) const {
    const CleanErrorQueue clean;
    const EcPointPtr r = new_point(curve_);
    // No point of the curve has this x: no candidate.
    if (EC_POINT_set_compressed_coordinates(group_, r.get(), x, parity, context_.get()) != 1) return;
    const EcPointPtr q = new_point(curve_);
    require(EC_POINT_mul(group_, q.get(), of_g, r.get(), of_r, context_.get()), "EC_POINT_mul");
    if (EC_POINT_is_at_infinity(group_, q.get()) == 1) return;
    const std::size_t size = 1 + 2 * ((static_cast<std::size_t>(BN_num_bits(field_)) + 7) / 8);
    Bytes point(size);
    if (EC_POINT_point2oct(group_, q.get(), POINT_CONVERSION_UNCOMPRESSED, point.data(), size, context_.get()) !=
        size) {
      throw_openssl("EC_POINT_point2oct");
    }
    found.push_back(std::move(point));
  }

  const NumberContextPtr context_;
  const KeyAlgorithm curve_;
  const EC_GROUP* const group_;
  const BIGNUM* const order_;
  const BIGNUM* const field_;
};

}  // namespace

std::optional<EcPublicKey> recover_ec_public_key(KeyAlgorithm curve, Digest digest, const SignedDigest& first,
                                                 const SignedDigest& second) {
  if (first.digest == second.digest) return std::nullopt;
  const CleanErrorQueue clean;
  const Recovery recovery(curve);
  const std::vector<Bytes> of_second = recovery.candidates(second);
  for (const Bytes& point : recovery.candidates(first)) {
    if (std::ranges::find(of_second, point) == of_second.end()) continue;
    EcPublicKey key{curve, point};
    if (verifies(key, digest, first.digest, first.signature) &&
        verifies(key, digest, second.digest, second.signature)) {
      return key;
    }
  }
  return std::nullopt;
}

}  // namespace hsmsigner::crypto
