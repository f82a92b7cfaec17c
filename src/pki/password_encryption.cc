#include "pki/password_encryption.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include <string>

#include "base/der.h"
#include "pki/der_reader.h"
#include "pki/library_context.h"
#include "pki/private_key_file.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, OpensslFree<X509_ALGOR_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using PbeParameters = std::unique_ptr<PBEPARAM, OpensslFree<PBEPARAM_free>>;
using Pbes2Parameters = std::unique_ptr<PBE2PARAM, OpensslFree<PBE2PARAM_free>>;
using Pbkdf2Parameters = std::unique_ptr<PBKDF2PARAM, OpensslFree<PBKDF2PARAM_free>>;

void free_scrypt(SCRYPT_PARAMS* parameters) {
  ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(parameters), ASN1_ITEM_rptr(SCRYPT_PARAMS));
}
using ScryptParameters = std::unique_ptr<SCRYPT_PARAMS, OpensslFree<free_scrypt>>;

// By OpenSSL's own templates, so that what is judged here is what OpenSSL will go by.
template <typename Pointer>
Pointer unpack(const ASN1_TYPE* parameters, const ASN1_ITEM* item) {
  return Pointer(static_cast<typename Pointer::pointer>(ASN1_TYPE_unpack_sequence(item, parameters)));
}

[[noreturn]] void refuse_algorithm(std::string_view field, SourcePlace where = SourcePlace::here()) {
  refuse(field, "is encrypted in a way that is not supported", where);
}

[[noreturn]] void refuse_work(std::string_view field, SourcePlace where = SourcePlace::here()) {
  refuse(field, "asks for more work to derive a key from the passphrase than is accepted", where);
}

// Nothing for what is negative or too large.
std::optional<std::uint64_t> positive(const ASN1_INTEGER* number) {
  std::uint64_t value = 0;
  if (number == nullptr || ASN1_INTEGER_get_uint64(&value, number) != 1 || value == 0) return std::nullopt;
  return value;
}

std::int64_t rounds_of(const ASN1_INTEGER* number, std::string_view field) {
  const auto rounds = positive(number);
  if (!rounds || *rounds > static_cast<std::uint64_t>(DerivationBudget::kMaxRounds)) refuse_work(field);
  return static_cast<std::int64_t>(*rounds);
}

int nid_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

// Encrypts or decrypts once the context has its key and direction. Nothing when the padding is not as it must be.
std::optional<WipedBytes> run_cipher(EVP_CIPHER_CTX* context, ByteView input) {
  WipedBytes output(input.size() + EVP_MAX_BLOCK_LENGTH);
  int size = 0;
  int last = 0;
  if (EVP_CipherUpdate(context, output.data(), &size, input.data(), static_cast<int>(input.size())) != 1 ||
      EVP_CipherFinal_ex(context, output.data() + size, &last) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  output.resize(static_cast<std::size_t>(size + last));
  return output;
}

// Derives key and IV. Whether OpenSSL knows how.
bool start_cipher(EVP_CIPHER_CTX* context, const X509_ALGOR* algorithm, Passphrase passphrase, int encrypt) {
  return EVP_PBE_CipherInit_ex(algorithm->algorithm, data_of(passphrase), size_of(passphrase), algorithm->parameter,
                               context, encrypt, file_library_context(), nullptr) == 1;
}

CipherContext new_cipher_context() {
  return require_pointer(CipherContext(EVP_CIPHER_CTX_new()), "EVP_CIPHER_CTX_new");
}

}  // namespace

void DerivationBudget::spend_rounds(std::int64_t rounds) {
  if (rounds <= 0 || rounds > rounds_left_) refuse_work(field_);
  rounds_left_ -= rounds;
}

void DerivationBudget::spend_scrypt(const ASN1_TYPE* parameters) {
  const auto scrypt = unpack<ScryptParameters>(parameters, ASN1_ITEM_rptr(SCRYPT_PARAMS));
  if (!scrypt) refuse_algorithm(field_);
  const auto n = positive(scrypt->costParameter);
  const auto r = positive(scrypt->blockSize);
  const auto p = positive(scrypt->parallelizationParameter);
  // Each of them small enough by itself, so that no product overflows. 128·r·N for V, 128·r·p for B, 256·r for what is
  // mixed (RFC 7914 5, 6).
  if (!n || !r || !p || *n > kMaxScryptWork || *r > kMaxScryptWork || *p > kMaxScryptWork ||
      128 * *r * (*n + 2 + *p) > kMaxScryptMemory || *n * *r * *p > scrypt_left_) {
    refuse_work(field_);
  }
  scrypt_left_ -= *n * *r * *p;
}

void DerivationBudget::spend(const X509_ALGOR* algorithm) {
  if (nid_of(algorithm) != NID_pbes2) {
    const auto parameters = unpack<PbeParameters>(algorithm->parameter, ASN1_ITEM_rptr(PBEPARAM));
    if (!parameters) refuse_algorithm(field_);
    return spend_rounds(rounds_of(parameters->iter, field_));
  }
  const auto parameters = unpack<Pbes2Parameters>(algorithm->parameter, ASN1_ITEM_rptr(PBE2PARAM));
  if (!parameters) refuse_algorithm(field_);
  const X509_ALGOR* derivation = parameters->keyfunc;
  switch (nid_of(derivation)) {
    case NID_id_pbkdf2: {
      const auto pbkdf2 = unpack<Pbkdf2Parameters>(derivation->parameter, ASN1_ITEM_rptr(PBKDF2PARAM));
      if (!pbkdf2) refuse_algorithm(field_);
      return spend_rounds(rounds_of(pbkdf2->iter, field_));
    }
    case NID_id_scrypt: return spend_scrypt(derivation->parameter);
    default: refuse_algorithm(field_);
  }
}

std::optional<WipedBytes> decrypt_with_passphrase(const X509_ALGOR* algorithm, Passphrase passphrase,
                                                  ByteView encrypted, DerivationBudget& budget) {
  budget.spend(algorithm);
  const CipherContext context = new_cipher_context();
  if (!start_cipher(context.get(), algorithm, passphrase, 0)) refuse_algorithm(budget.field());
  return run_cipher(context.get(), encrypted);
}

Bytes random_octets(std::size_t count) {
  Bytes octets(count);
  require(RAND_bytes(octets.data(), static_cast<int>(count)), "RAND_bytes");
  return octets;
}

Bytes encrypt_private_key_info(ByteView pkcs8, std::string_view passphrase) {
  Bytes salt = random_octets(kSaltOctets);
  const AlgorithmPtr algorithm(PKCS5_pbe2_set_iv_ex(EVP_aes_256_cbc(), kPbkdf2Rounds, salt.data(),
                                                    static_cast<int>(salt.size()), nullptr, NID_hmacWithSHA256,
                                                    file_library_context()));
  require_pointer(algorithm.get(), "PKCS5_pbe2_set_iv_ex");
  const CipherContext context = new_cipher_context();
  if (!start_cipher(context.get(), algorithm.get(), passphrase, 1)) throw_openssl("EVP_PBE_CipherInit_ex");
  const auto encrypted = run_cipher(context.get(), pkcs8);
  if (!encrypted) throw_openssl("encrypt a PrivateKeyInfo");

  Bytes content = i2d([&](unsigned char** out) { return i2d_X509_ALGOR(algorithm.get(), out); });
  append_der(content, der_tag::octet_string, *encrypted);
  Bytes der;
  append_der(der, der_tag::sequence, content);
  return der;
}

}  // namespace hsmsigner::pki
