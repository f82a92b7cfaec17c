#include "pki/pem_encryption.h"

#include <openssl/err.h>

#include <string>

#include "pki/library_context.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, OpensslFree<EVP_CIPHER_free>>;
using DigestPtr = std::unique_ptr<EVP_MD, OpensslFree<EVP_MD_free>>;

constexpr std::size_t kSalt = 8;  // octets of the IV that EVP_BytesToKey reads

[[noreturn]] void refuse_encryption(std::string_view field, SourcePlace where = SourcePlace::here()) {
  refuse(field, "is encrypted in a way that is not supported", where);
}

}  // namespace

bool is_encrypted(const PemBlock& block) noexcept { return pem_header(block, "Proc-Type").ends_with("ENCRYPTED"); }

std::optional<WipedBytes> decrypt_pem(const PemBlock& block, ByteView encrypted, std::string_view passphrase,
                                      std::string_view field) {
  const std::string_view info = pem_header(block, "DEK-Info");
  const std::size_t comma = info.find(',');
  if (comma == std::string_view::npos) refuse_encryption(field);
  const CipherPtr cipher(EVP_CIPHER_fetch(file_library_context(), std::string(info.substr(0, comma)).c_str(), nullptr));
  const auto iv = from_hex(info.substr(comma + 1));
  if (!cipher || !iv || EVP_CIPHER_get_mode(cipher.get()) != EVP_CIPH_CBC_MODE || iv->size() < kSalt ||
      iv->size() != static_cast<std::size_t>(EVP_CIPHER_get_iv_length(cipher.get()))) {
    refuse_encryption(field);
  }
  const DigestPtr md5 = require_pointer(DigestPtr(EVP_MD_fetch(file_library_context(), "MD5", nullptr)), "MD5");
  WipedBytes key(static_cast<std::size_t>(EVP_CIPHER_get_key_length(cipher.get())));
  if (EVP_BytesToKey(cipher.get(), md5.get(), iv->data(), octets_of(passphrase).data(),
                     static_cast<int>(passphrase.size()), 1, key.data(), nullptr) <= 0) {
    throw_openssl("EVP_BytesToKey");
  }
  const CipherContext context = require_pointer(CipherContext(EVP_CIPHER_CTX_new()), "EVP_CIPHER_CTX_new");
  require(EVP_DecryptInit_ex2(context.get(), cipher.get(), key.data(), iv->data(), nullptr), "EVP_DecryptInit_ex2");

  WipedBytes plain(encrypted.size() + EVP_MAX_BLOCK_LENGTH);
  int size = 0;
  int last = 0;
  if (EVP_DecryptUpdate(context.get(), plain.data(), &size, encrypted.data(), static_cast<int>(encrypted.size())) !=
          1 ||
      EVP_DecryptFinal_ex(context.get(), plain.data() + size, &last) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  plain.resize(static_cast<std::size_t>(size + last));
  return plain;
}

}  // namespace hsmsigner::pki
