#include "crypto/public_key_info.h"

#include <openssl/pem.h>

#include <optional>

#include "base/base64.h"
#include "crypto/digest.h"
#include "crypto/openssl_public_key.h"

namespace hsmsigner::crypto {
namespace {

using X509PubkeyPtr = std::unique_ptr<X509_PUBKEY, OpensslFree<X509_PUBKEY_free>>;

constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
constexpr std::string_view kBlanks = " \t\r\n";
// An RSA key of 16384 bits has 2,900 characters.
constexpr std::size_t kMaxPem = 8192;
constexpr unsigned kMinRsaBits = 512;
constexpr unsigned kMaxRsaBits = 16384;

[[noreturn]] void refuse(std::string cause, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::invalid_object, {"must be one public key in PEM (-----BEGIN PUBLIC KEY-----), RSA or EC"},
              where)
      .with_cause(std::move(cause));
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Blanks and line ends are all that may stand around the block.
Bytes block_of(std::string_view pem) {
  if (pem.size() > kMaxPem) refuse("longer than any public key");
  const std::string_view block = without_blanks(pem);
  if (block.size() < kBegin.size() + kEnd.size() || !block.starts_with(kBegin) || !block.ends_with(kEnd)) {
    refuse("not one block");
  }
  // A second block would bring a '-' along.
  const auto der = from_base64(block.substr(kBegin.size(), block.size() - kBegin.size() - kEnd.size()));
  if (!der) refuse("not Base64");
  return *der;
}

bool is_usable(const PublicKey& key) {
  if (family_of(key) == KeyFamily::ec) return true;  // whose point was looked at when it was decoded
  const auto& rsa = std::get<RsaPublicKey>(key);
  const unsigned bits = bits_of(key);
  const bool one = rsa.exponent.size() == 1 && rsa.exponent.front() == 1;
  return bits >= kMinRsaBits && bits <= kMaxRsaBits && (rsa.modulus.back() & 1) != 0 && !rsa.exponent.empty() &&
         (rsa.exponent.back() & 1) != 0 && !one && rsa.exponent.size() <= rsa.modulus.size();
}

}  // namespace

Bytes public_key_der(const PublicKey& key) {
  const CleanErrorQueue clean;
  if (!is_usable(key)) throw_openssl("numbers that are no RSA key");
  const EvpPkeyPtr pkey = to_evp_pkey(key);
  return i2d([&](unsigned char** out) { return i2d_PUBKEY(pkey.get(), out); });
}

std::string public_key_pem(const PublicKey& key) {
  const std::string text = to_base64(public_key_der(key));
  std::string pem(kBegin);
  pem += '\n';
  constexpr std::size_t kLine = 64;  // RFC 7468 2
  for (std::size_t at = 0; at < text.size(); at += kLine) {
    pem += text.substr(at, kLine);
    pem += '\n';
  }
  pem += kEnd;
  return pem + '\n';
}

PublicKey public_key_from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  const Bytes der = block_of(pem);
  const unsigned char* end = der.data();
  const X509PubkeyPtr info(d2i_X509_PUBKEY(nullptr, &end, static_cast<long>(der.size())));
  if (!info) refuse(openssl_errors());
  std::optional<PublicKey> key;
  try {
    key = read_public_key(info.get());
  } catch (const Error& error) {
    refuse(error.what());
  }
  // One key, one encoding: nothing after it, no other parameters, no longer lengths.
  if (!is_usable(*key) || public_key_der(*key) != der) refuse("not the encoding of this key");
  return std::move(*key);
}

std::string public_key_fingerprint(const PublicKey& key) { return to_hex(hash(Digest::sha256, public_key_der(key))); }

}  // namespace hsmsigner::crypto
