#include "hsm/software_crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/der.h"
#include "base/error.h"

namespace hsmsigner::hsm {
namespace {

template <auto free_function>
struct Free {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_function(object);
  }
};
using BignumPtr = std::unique_ptr<BIGNUM, Free<BN_free>>;
using BignumContextPtr = std::unique_ptr<BN_CTX, Free<BN_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, Free<EVP_CIPHER_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using EcGroupPtr = std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>>;
using EcPointPtr = std::unique_ptr<EC_POINT, Free<EC_POINT_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using ParamsBuilderPtr = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;

// Empties this thread's error queue on the way in and out.
struct CleanErrorQueue {
  CleanErrorQueue() noexcept { ERR_clear_error(); }
  ~CleanErrorQueue() { ERR_clear_error(); }
  CleanErrorQueue(const CleanErrorQueue&) = delete;
  CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

[[noreturn]] void fail(const std::string& what, SourcePlace where = SourcePlace::here()) {
  std::string cause = what;
  char text[256];
  while (const unsigned long code = ERR_get_error()) {
    ERR_error_string_n(code, text, sizeof text);
    cause.append(": ").append(text);
  }
  throw Error(ErrorKind::internal_error, {}, where).with_cause(cause);
}

void require(bool good, const char* what, SourcePlace where = SourcePlace::here()) {
  if (!good) fail(what, where);
}

class WipedBytes {
 public:
  explicit WipedBytes(std::size_t size) : octets_(size) {}
  ~WipedBytes() { cleanse(octets_); }
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;

  std::uint8_t* data() noexcept { return octets_.data(); }
  std::size_t size() const noexcept { return octets_.size(); }
  ByteView first(std::size_t count) const noexcept { return ByteView(octets_).first(count); }

 private:
  Bytes octets_;
};

// Writes at most input.size() + 2 * kAesBlock octets and tells how many; nothing when the input was not made so.
std::optional<std::size_t> run_cipher(WrappingForm form, bool encrypt, ByteView key, ByteView iv, ByteView input,
                                      std::uint8_t* out) {
  const bool key_wrap = form == WrappingForm::key_wrap_pad;
  require(key.size() == kWrappingKeySize && iv.size() == (key_wrap ? 0 : kAesBlock), "sizes of a wrapping");
  const CipherPtr cipher(EVP_CIPHER_fetch(nullptr, key_wrap ? "AES-256-WRAP-PAD" : "AES-256-CBC", nullptr));
  const CipherContextPtr context(EVP_CIPHER_CTX_new());
  require(cipher && context, "AES of a wrapping");
  if (key_wrap) EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  require(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), key_wrap ? nullptr : iv.data(), encrypt ? 1 : 0,
                             nullptr) == 1,
          "start a wrapping");
  int body = 0;
  int rest = 0;
  if (EVP_CipherUpdate(context.get(), out, &body, input.data(), static_cast<int>(input.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), out + body, &rest) != 1 || body < 0 || rest < 0) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(body) + static_cast<std::size_t>(rest);
}

// How many octets the SEQUENCE at the beginning has, header included (X.690 8.1.3); nothing if there is none that ends.
std::optional<std::size_t> size_of_sequence(ByteView octets) {
  if (octets.size() < 2 || octets[0] != der_tag::sequence) return std::nullopt;
  std::size_t header = 2;
  std::size_t content = octets[1];
  if (content >= 0x80) {
    const std::size_t count = content & 0x7f;
    if (count == 0 || count > 4 || octets.size() < header + count) return std::nullopt;
    content = 0;
    for (std::size_t i = 0; i < count; ++i) content = content << 8 | octets[header + i];
    header += count;
  }
  if (content > octets.size() - header) return std::nullopt;
  return header + content;
}

BignumPtr bignum_from(ByteView octets) {
  BignumPtr number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
  require(number != nullptr, "BN_bin2bn");
  return number;
}

PkeyPtr pkey_from(const PublicKey& key) {
  const ParamsBuilderPtr builder(OSSL_PARAM_BLD_new());
  require(builder != nullptr, "OSSL_PARAM_BLD");
  BignumPtr modulus;
  BignumPtr exponent;
  bool good = false;
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
    modulus.reset(BN_bin2bn(rsa->modulus.data(), static_cast<int>(rsa->modulus.size()), nullptr));
    exponent.reset(BN_bin2bn(rsa->exponent.data(), static_cast<int>(rsa->exponent.size()), nullptr));
    good = modulus && exponent && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
           OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1;
  } else {
    const auto& ec = std::get<EcPublicKey>(key);
    const std::string_view group = info(ec.curve).openssl;
    good =
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, ec.point.data(), ec.point.size()) == 1;
  }
  const ParamsPtr parameters(good ? OSSL_PARAM_BLD_to_param(builder.get()) : nullptr);
  const PkeyContextPtr context(
      EVP_PKEY_CTX_new_from_name(nullptr, family_of(key) == KeyFamily::rsa ? "RSA" : "EC", nullptr));
  EVP_PKEY* made = nullptr;
  require(parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
              EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1,
          "make a public key");
  return PkeyPtr(made);
}

}  // namespace

Bytes wrap_key(WrappingForm form, ByteView key, ByteView iv, const Secret& pkcs8) {
  const CleanErrorQueue clean;
  Bytes wrapped(pkcs8.size() + 2 * kAesBlock);
  const auto size = run_cipher(form, true, key, iv, pkcs8.bytes(), wrapped.data());
  require(size.has_value(), "wrap a key");
  wrapped.resize(*size);
  return wrapped;
}

std::optional<Secret> open_key(WrappingForm form, ByteView key, ByteView iv, ByteView wrapped) {
  const CleanErrorQueue clean;
  WipedBytes opened(wrapped.size() + 2 * kAesBlock);
  const auto size = run_cipher(form, false, key, iv, wrapped, opened.data());
  if (!size) return std::nullopt;
  const auto end = size_of_sequence(opened.first(*size));
  if (!end) return std::nullopt;
  const ByteView rest = opened.first(*size).subspan(*end);
  if (rest.size() >= kAesBlock || std::ranges::any_of(rest, [](std::uint8_t octet) { return octet != 0; })) {
    return std::nullopt;
  }
  return Secret(opened.first(*end));
}

bool verifies(const PublicKey& key, Digest digest, ByteView digest_value, ByteView signature) {
  const CleanErrorQueue clean;
  const PkeyPtr pkey = pkey_from(key);
  const PkeyContextPtr context(EVP_PKEY_CTX_new(pkey.get(), nullptr));
  const std::string name(info(digest).name);
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(name.c_str())) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest_value.data(), digest_value.size()) ==
             1;
}

bool is_private_half(ByteView pkcs8, const PublicKey& key) {
  const CleanErrorQueue clean;
  const unsigned char* at = pkcs8.data();
  const Pkcs8Ptr info_read(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(pkcs8.size())));
  const PkeyPtr pkey(info_read ? EVP_PKCS82PKEY(info_read.get()) : nullptr);
  const PkeyContextPtr context(pkey ? EVP_PKEY_CTX_new(pkey.get(), nullptr) : nullptr);
  const Bytes value(info(Digest::sha256).size, 0x5a);
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1) {
    return false;
  }
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(pkey.get())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context.get(), signature.data(), &size, value.data(), value.size()) != 1) return false;
  signature.resize(size);
  return verifies(key, Digest::sha256, value, signature);
}

bool is_secret_of(const PublicKey& key, ByteView number) {
  const CleanErrorQueue clean;
  const BignumContextPtr context(BN_CTX_new());
  const BignumPtr x = bignum_from(number);
  require(context != nullptr, "BN_CTX");
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) {
    const EcGroupPtr group(EC_GROUP_new_by_curve_name(OBJ_txt2nid(std::string(info(ec->curve).openssl).c_str())));
    require(group != nullptr, "EC_GROUP");
    const EcPointPtr point(EC_POINT_new(group.get()));
    Bytes encoded(ec->point.size());
    return point && EC_POINT_mul(group.get(), point.get(), x.get(), nullptr, nullptr, context.get()) == 1 &&
           EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                              context.get()) == encoded.size() &&
           encoded == ec->point;
  }
  const auto& rsa = std::get<RsaPublicKey>(key);
  const BignumPtr n = bignum_from(rsa.modulus);
  const BignumPtr e = bignum_from(rsa.exponent);
  const BignumPtr two = bignum_from(Bytes{2});
  const BignumPtr y(BN_new());
  require(y != nullptr, "BN_new");
  if (BN_is_zero(x.get()) || BN_is_one(x.get()) || BN_cmp(x.get(), n.get()) >= 0) return false;
  require(BN_mod(y.get(), n.get(), x.get(), context.get()) == 1, "BN_mod");
  if (BN_is_zero(y.get())) return true;
  // 2^(ex) = 2 modulo n, or modulo one of its primes.
  require(BN_mul(y.get(), e.get(), x.get(), context.get()) == 1 &&
              BN_mod_exp(y.get(), two.get(), y.get(), n.get(), context.get()) == 1 &&
              BN_mod_sub(y.get(), y.get(), two.get(), n.get(), context.get()) == 1 &&
              BN_gcd(y.get(), y.get(), n.get(), context.get()) == 1,
          "try an exponent");
  return !BN_is_one(y.get());
}

struct SoftwareRsaKey::Pair {
  PkeyPtr pkey;
};

SoftwareRsaKey::SoftwareRsaKey() : pair_(std::make_unique<Pair>()) {
  const CleanErrorQueue clean;
  pair_->pkey.reset(EVP_RSA_gen(2048));
  require(pair_->pkey != nullptr, "generate an RSA key");
  const auto number = [&](const char* name) {
    BIGNUM* read = nullptr;
    require(EVP_PKEY_get_bn_param(pair_->pkey.get(), name, &read) == 1, "read an RSA key");
    const BignumPtr value(read);
    Bytes octets(static_cast<std::size_t>(BN_num_bytes(value.get())));
    BN_bn2bin(value.get(), octets.data());
    return octets;
  };
  public_key_ = {number(OSSL_PKEY_PARAM_RSA_N), number(OSSL_PKEY_PARAM_RSA_E)};
}

SoftwareRsaKey::~SoftwareRsaKey() = default;

std::optional<Secret> SoftwareRsaKey::open(ByteView wrapped, bool oaep) const {
  const CleanErrorQueue clean;
  const PkeyContextPtr context(EVP_PKEY_CTX_new(pair_->pkey.get(), nullptr));
  require(context && EVP_PKEY_decrypt_init(context.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context.get(), oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) == 1,
          "open what an RSA key wrapped");
  WipedBytes opened(static_cast<std::size_t>(EVP_PKEY_get_size(pair_->pkey.get())));
  std::size_t size = opened.size();
  if (EVP_PKEY_decrypt(context.get(), opened.data(), &size, wrapped.data(), wrapped.size()) != 1) return std::nullopt;
  return Secret(opened.first(size));
}

}  // namespace hsmsigner::hsm
