#include "pki/private_key_file.h"

#include <limits>
#include <string>
#include <utility>

#include "base/base64.h"
#include "pki/certificate_impl.h"
#include "pki/der_reader.h"
#include "pki/openssl.h"
#include "pki/password_encryption.h"
#include "pki/pem_blocks.h"
#include "pki/pem_encryption.h"
#include "pki/pkcs12.h"
#include "pki/private_key_decoder.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

constexpr std::string_view kField = "key_file";
constexpr std::string_view kPassphrase = "passphrase";

[[noreturn]] void refuse_damaged(SourcePlace where = SourcePlace::here()) {
  refuse(kField, "holds a private key that is damaged", where);
}

std::string_view need_passphrase(const Secret* passphrase) {
  if (passphrase == nullptr) refuse(kPassphrase, "is needed, the key is encrypted");
  if (passphrase->size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) refuse(kPassphrase, "is wrong");
  return passphrase->view();
}

// One wrong passphrase in 256 leaves a padding that looks right, and noise.
ByteView need_decrypted(const std::optional<WipedBytes>& plain) {
  if (!plain || !whole_sequence(*plain)) refuse(kPassphrase, "is wrong");
  return *plain;
}

PrivateKey decode_encrypted_info(ByteView der, const Secret* passphrase) {
  const unsigned char* begin = der.data();
  const EncryptedInfoPtr encrypted(d2i_X509_SIG(nullptr, &begin, static_cast<long>(der.size())));
  if (!encrypted || begin != der.data() + der.size()) refuse_damaged();
  const X509_ALGOR* algorithm = nullptr;
  const ASN1_OCTET_STRING* octets = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, &octets);
  DerivationBudget budget(kField);
  const auto plain = decrypt_with_passphrase(algorithm, need_passphrase(passphrase), content_of(octets), budget);
  return decode_private_key_info(need_decrypted(plain), kField);
}

PrivateKey decode_der(ByteView der, const Secret* passphrase) {
  switch (shape_of(der)) {
    case DerShape::private_key_info: return decode_private_key_info(der, kField);
    case DerShape::encrypted_private_key_info: return decode_encrypted_info(der, passphrase);
    case DerShape::rsa_private_key: return decode_rsa_private_key(der, kField);
    case DerShape::ec_private_key: return decode_ec_private_key(der, std::nullopt, kField);
    case DerShape::public_key: refuse(kField, "holds a public key, not a private key");
    case DerShape::certificate_like:
      refuse(kField, parse_x509(der) ? "holds a certificate, not a private key" : "holds no private key");
    case DerShape::pkcs12: refuse(kField, "is a PKCS#12 file, which is a certificate_file of format pkcs12");
    case DerShape::unknown: break;
  }
  refuse(kField, "holds no private key");
}

PrivateKey decode_labelled(std::string_view label, ByteView der, const Secret* passphrase) {
  if (label == "PRIVATE KEY") return decode_private_key_info(der, kField);
  if (label == "ENCRYPTED PRIVATE KEY") return decode_encrypted_info(der, passphrase);
  if (label == "RSA PRIVATE KEY") return decode_rsa_private_key(der, kField);
  if (label == "EC PRIVATE KEY") return decode_ec_private_key(der, std::nullopt, kField);
  if (label == "DSA PRIVATE KEY") refuse_kind(kField, "holds a DSA key");
  if (label == "OPENSSH PRIVATE KEY")
    refuse(kField, "is in OpenSSH's own format; PKCS#8 and the traditional are taken");
  refuse_kind(kField, "holds a key of another kind");
}

PrivateKey decode_block(const PemBlock& block, const Secret* passphrase) {
  const auto octets = secret_from_base64(block.base64);
  if (!octets) refuse_damaged();
  if (!is_encrypted(block)) return decode_labelled(block.label, octets->bytes(), passphrase);
  const auto plain = decrypt_pem(block, octets->bytes(), need_passphrase(passphrase), kField);
  return decode_labelled(block.label, need_decrypted(plain), nullptr);
}

// What stands in the file in place of a private key.
[[noreturn]] void refuse_without_key(const std::vector<PemBlock>& blocks) {
  for (const PemBlock& block : blocks) {
    if (is_certificate_label(block.label)) refuse(kField, "holds a certificate, not a private key");
    if (is_request_label(block.label)) refuse(kField, "holds a certification request, not a private key");
    if (block.label.ends_with("PUBLIC KEY")) refuse(kField, "holds a public key, not a private key");
  }
  refuse(kField, "holds no private key");
}

// Certificates and EC PARAMETERS beside the key are passed over: `openssl ecparam -genkey` writes the latter.
PrivateKey decode_pem(std::string_view text, const Secret* passphrase) {
  const auto blocks = split_pem(text);
  if (!blocks) refuse(kField, "holds PEM that is damaged");
  const PemBlock* key = nullptr;
  std::size_t keys = 0;
  for (const PemBlock& block : *blocks) {
    if (!is_private_key_label(block.label)) continue;
    key = &block;
    ++keys;
  }
  if (key == nullptr) refuse_without_key(*blocks);
  if (keys > 1) refuse(kField, "holds " + counted(keys, "private key") + ", of which one can be taken");
  return decode_block(*key, passphrase);
}

}  // namespace

PrivateKey parse_private_key(const Secret& file, const Secret* passphrase) {
  const CleanErrorQueue clean;
  if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) refuse(kField, "is too large");
  if (looks_like_pem(file.view())) return decode_pem(file.view(), passphrase);
  return decode_der(file.bytes(), passphrase);
}

std::string encrypted_private_key_pem(const Secret& pkcs8, const Secret& passphrase) {
  const CleanErrorQueue clean;
  return to_pem("ENCRYPTED PRIVATE KEY", encrypt_private_key_info(pkcs8.bytes(), passphrase.view()));
}

}  // namespace hsmsigner::pki
