// RSA_METHOD and EC_KEY_METHOD are deprecated since OpenSSL 3.0 and work in every 3.x. A provider of our own would need
// the hashing and the padding too, which these leave to OpenSSL.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/external_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/log.h"
#include "tls/openssl.h"

namespace hsmsigner::tls {
namespace {

using RsaPtr = std::unique_ptr<RSA, OpensslFree<RSA_free>>;
using EcKeyPtr = std::unique_ptr<EC_KEY, OpensslFree<EC_KEY_free>>;
using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

constexpr std::chrono::seconds kOperationTime{10};

thread_local std::optional<Deadline> operation_deadline;

Deadline this_deadline() { return operation_deadline.value_or(deadline_in(kOperationTime)); }

// No exception may pass through OpenSSL. `operation` gives false when it failed without one.
template <typename Operation>
bool done(Operation operation) noexcept {
  try {
    if (operation()) return true;
    log::error("the TLS key does not sign", {{"cause", openssl_errors()}});
  } catch (const std::exception& error) {
    log::error("the TLS key does not sign", {{"cause", error.what()}});
  } catch (...) {
    log::error("the TLS key does not sign", {{"cause", "an exception of unknown type"}});
  }
  return false;
}

// The numbers under which a key's KeyOperations hang on it. They are not owned by it: see external_key().
int rsa_index() {
  static const int index = RSA_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int ec_index() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int rsa_private_encrypt(int size, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
  const auto* operations = static_cast<const KeyOperations*>(RSA_get_ex_data(rsa, rsa_index()));
  const int modulus_size = RSA_size(rsa);
  const bool ok = done([&] {
    if (operations == nullptr || size < 0) return false;
    Bytes block(from, from + size);
    if (padding == RSA_PKCS1_PADDING) {  // RFC 8017 9.2
      block.assign(static_cast<std::size_t>(modulus_size), 0);
      if (RSA_padding_add_PKCS1_type_1(block.data(), modulus_size, from, size) != 1) return false;
    } else if (padding != RSA_NO_PADDING || size != modulus_size) {
      return false;
    }
    const Bytes result = operations->transform(block, this_deadline());
    if (result.size() != static_cast<std::size_t>(modulus_size)) return false;
    std::copy(result.begin(), result.end(), to);
    return true;
  });
  return ok ? modulus_size : -1;
}

int rsa_private_decrypt(int, const unsigned char*, unsigned char*, RSA*, int) { return -1; }

ECDSA_SIG* ec_sign(const unsigned char* value, int size, const BIGNUM*, const BIGNUM*, EC_KEY* key) {
  const auto* operations = static_cast<const KeyOperations*>(EC_KEY_get_ex_data(key, ec_index()));
  EcdsaSigPtr signature;
  done([&] {
    const ByteView digest_value(value, static_cast<std::size_t>(size));
    const auto rows = digests();
    const auto row =
        std::find_if(rows.begin(), rows.end(), [&](const auto& entry) { return entry.size == digest_value.size(); });
    if (operations == nullptr || row == rows.end()) return false;
    const Bytes der = operations->sign(row->digest, digest_value, this_deadline());
    const unsigned char* at = der.data();
    signature.reset(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    return signature != nullptr;
  });
  return signature.release();
}

// Methods stay: keys refer to them.
const RSA_METHOD* rsa_method() {
  static const RSA_METHOD* const method = [] {
    RSA_METHOD* made = require_pointer(RSA_meth_dup(RSA_PKCS1_OpenSSL()), "RSA_meth_dup");
    RSA_meth_set_priv_enc(made, rsa_private_encrypt);
    RSA_meth_set_priv_dec(made, rsa_private_decrypt);
    RSA_meth_set_flags(made, RSA_METHOD_FLAG_NO_CHECK | RSA_FLAG_EXT_PKEY);
    return made;
  }();
  return method;
}

const EC_KEY_METHOD* ec_method() {
  static const EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* made = require_pointer(EC_KEY_METHOD_new(EC_KEY_OpenSSL()), "EC_KEY_METHOD_new");
    int (*sign)(int, const unsigned char*, int, unsigned char*, unsigned*, const BIGNUM*, const BIGNUM*, EC_KEY*) =
        nullptr;
    int (*setup)(EC_KEY*, BN_CTX*, BIGNUM**, BIGNUM**) = nullptr;
    ECDSA_SIG* (*sign_value)(const unsigned char*, int, const BIGNUM*, const BIGNUM*, EC_KEY*) = nullptr;
    EC_KEY_METHOD_get_sign(made, &sign, &setup, &sign_value);
    EC_KEY_METHOD_set_sign(made, sign, setup, ec_sign);  // OpenSSL's own `sign` calls ours and encodes its result
    return made;
  }();
  return method;
}

void make_rsa(EVP_PKEY* public_key, EVP_PKEY* out, KeyOperations* operations) {
  const BIGNUM* modulus = nullptr;
  const BIGNUM* exponent = nullptr;
  RSA_get0_key(require_pointer(EVP_PKEY_get0_RSA(public_key), "EVP_PKEY_get0_RSA"), &modulus, &exponent, nullptr);
  RsaPtr rsa = require_pointer(RsaPtr(RSA_new()), "RSA_new");
  require(RSA_set_method(rsa.get(), rsa_method()), "RSA_set_method");
  require(RSA_set0_key(rsa.get(), BN_dup(modulus), BN_dup(exponent), nullptr), "RSA_set0_key");
  require(RSA_set_ex_data(rsa.get(), rsa_index(), operations), "RSA_set_ex_data");
  require(EVP_PKEY_assign_RSA(out, rsa.get()), "EVP_PKEY_assign_RSA");
  static_cast<void>(rsa.release());
}

void make_ec(EVP_PKEY* public_key, EVP_PKEY* out, KeyOperations* operations) {
  EcKeyPtr key = require_pointer(EcKeyPtr(EC_KEY_dup(EVP_PKEY_get0_EC_KEY(public_key))), "EC_KEY_dup");
  require(EC_KEY_set_method(key.get(), ec_method()), "EC_KEY_set_method");
  require(EC_KEY_set_ex_data(key.get(), ec_index(), operations), "EC_KEY_set_ex_data");
  require(EVP_PKEY_assign_EC_KEY(out, key.get()), "EVP_PKEY_assign_EC_KEY");
  static_cast<void>(key.release());
}

struct ExternalKey {
  KeyOperations operations;  // outlives the key that refers to it
  EvpPkeyPtr key;
};

}  // namespace

std::shared_ptr<evp_pkey_st> external_key(std::string_view certificate_pem, KeyOperations operations,
                                          const std::string& setting) {
  ERR_clear_error();
  const std::vector<X509Ptr> certificates = read_certificates(certificate_pem, setting);
  const EvpPkeyPtr public_key(X509_get_pubkey(certificates.front().get()));
  const int type = public_key ? EVP_PKEY_get_base_id(public_key.get()) : EVP_PKEY_NONE;
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC) {
    throw Error(ErrorKind::invalid_object, {setting + ": its key is neither RSA nor EC"}).with_cause(openssl_errors());
  }
  const auto owner = std::make_shared<ExternalKey>();
  owner->operations = std::move(operations);
  owner->key = require_pointer(EvpPkeyPtr(EVP_PKEY_new()), "EVP_PKEY_new");
  (type == EVP_PKEY_RSA ? make_rsa : make_ec)(public_key.get(), owner->key.get(), &owner->operations);
  return {owner, owner->key.get()};
}

OperationDeadline::OperationDeadline(Deadline deadline) noexcept { operation_deadline = deadline; }
OperationDeadline::~OperationDeadline() { operation_deadline.reset(); }

}  // namespace hsmsigner::tls
