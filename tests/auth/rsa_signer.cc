#include "rsa_signer.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "base/algorithm.h"
#include "base/base64.h"

namespace test_support {
namespace {

using namespace hsmsigner;

EVP_PKEY* generate(unsigned bits) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits});
  if (key == nullptr) throw std::runtime_error("no software key");
  return key;
}

Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error(name);
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  BN_free(number);
  return bytes;
}

}  // namespace

RsaSigner::RsaSigner(unsigned bits)
    : key_(generate(bits), EVP_PKEY_free),
      public_key_(
          RsaPublicKey{number_of(key_.get(), OSSL_PKEY_PARAM_RSA_N), number_of(key_.get(), OSSL_PKEY_PARAM_RSA_E)}) {}

Bytes RsaSigner::sign(Digest digest, ByteView value, Deadline deadline) {
  ++signatures;
  last_deadline = deadline;
  const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context(EVP_PKEY_CTX_new(key_.get(), nullptr),
                                                                       EVP_PKEY_CTX_free);
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
  std::size_t size = signature.size();
  if (EVP_PKEY_sign_init(context.get()) != 1 || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(std::string(info(digest).name).c_str())) != 1 ||
      EVP_PKEY_sign(context.get(), signature.data(), &size, value.data(), value.size()) != 1) {
    throw std::runtime_error("the software signer cannot sign");
  }
  signature.resize(size);
  return signature;
}

std::string RsaSigner::public_pem() const {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (PEM_write_bio_PUBKEY(out.get(), key_.get()) != 1) throw std::runtime_error("PEM_write_bio_PUBKEY");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

RsaSigner& our_signer() {
  static RsaSigner signer;
  return signer;
}

RsaSigner& strangers_signer() {
  static RsaSigner signer;
  return signer;
}

const auth::FindKey& our_keys() {
  static const auth::FindKey keys = [](std::string_view kid) {
    return kid == kOurKid ? std::optional(our_signer().rsa()) : std::nullopt;
  };
  return keys;
}

ByteView octets_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string forge(std::string_view header, std::string_view payload, RsaSigner& signer) {
  const std::string text = to_base64url(octets_of(header)) + "." + to_base64url(octets_of(payload));
  Bytes digest(32);
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return text + "." + to_base64url(signer.sign(Digest::sha256, digest, deadline_in(std::chrono::seconds(10))));
}

}  // namespace test_support
