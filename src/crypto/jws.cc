#include "crypto/jws.h"

#include <openssl/ec.h>

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "base/der.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"
#include "crypto/signature.h"

namespace hsmsigner::crypto {
namespace {

using EcdsaSigPtr = std::unique_ptr<ECDSA_SIG, OpensslFree<ECDSA_SIG_free>>;

constexpr std::string_view kEs256 = "ES256";
constexpr std::string_view kRs256 = "RS256";
constexpr std::size_t kMaxWord = 128;     // of a type, of a key id
constexpr std::size_t kEs256Number = 32;  // octets of r, and of s (RFC 7518 3.4)
constexpr unsigned kMinRsaBits = 2048;    // RFC 7518 3.3
constexpr std::size_t kMaxHeader = 512;   // octets of its base64url: no longer one is ever written

[[noreturn]] void refuse(std::string detail, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::invalid_object, {std::move(detail)}, where);
}

std::string too_long() { return "is longer than " + std::to_string(kMaxJwsOctets) + " octets"; }

// The algorithm is the key's to name, never the sender's (RFC 8725 3.1). Nothing for a key that signs no JWS.
std::optional<std::string_view> algorithm_of(const PublicKey& key) {
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) {
    return ec->curve == KeyAlgorithm::ec_p256 ? std::optional(kEs256) : std::nullopt;
  }
  return bits_of(key) >= kMinRsaBits ? std::optional(kRs256) : std::nullopt;
}

// What JSON writes as it is (RFC 8259 7), and RapidJSON and others do not escape for other reasons.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; });
}

std::string header_of(std::string_view algorithm, std::string_view type, std::string_view key_id) {
  std::string header = R"({"alg":")";
  header += algorithm;
  header += R"(","typ":")";
  header += type;
  header += R"(","kid":")";
  header += key_id;
  header += R"("})";
  return header;
}

// Takes `prefix` off the front of `text`, then all up to the next '"'.
std::string_view word_after(std::string_view prefix, std::string_view& text) {
  if (!text.starts_with(prefix)) return {};
  text.remove_prefix(prefix.size());
  const std::string_view word = text.substr(0, text.find('"'));
  text.remove_prefix(word.size());
  return word;
}

struct Parts {
  std::string algorithm;
  Jws jws;
  std::string_view signed_text;  // header.payload
  Bytes signature;
};

// Base64url is strict, and so is the header, so that no two texts are the same JWS.
Parts split(std::string_view text) {
  if (text.size() > kMaxJwsOctets) refuse(too_long());
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) refuse("must be a JWS of three parts");
  if (first > kMaxHeader) refuse("must be a JWS with the header that this service writes");
  const auto header = from_base64url(text.substr(0, first));
  const auto payload = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));  // a fourth part would bring a '.' along
  if (!header || !payload || !signature) refuse("must be a JWS of three parts in base64url");

  Parts parts;
  const std::string written(header->begin(), header->end());
  std::string_view rest = written;
  parts.algorithm = word_after(R"({"alg":")", rest);
  parts.jws.type = word_after(R"(","typ":")", rest);
  parts.jws.key_id = word_after(R"(","kid":")", rest);
  // What was read, written again, is what was read.
  if ((parts.algorithm != kEs256 && parts.algorithm != kRs256) || !is_word(parts.jws.type) ||
      !is_word(parts.jws.key_id) || written != header_of(parts.algorithm, parts.jws.type, parts.jws.key_id)) {
    refuse("must be a JWS with the header that this service writes");
  }
  if (parts.algorithm == kEs256 ? signature->size() != 2 * kEs256Number : signature->size() < kMinRsaBits / 8) {
    refuse("must be a JWS whose signature is as long as its algorithm's are");
  }
  parts.jws.payload.assign(payload->begin(), payload->end());
  parts.signed_text = text.substr(0, second);
  parts.signature = std::move(*signature);
  return parts;
}

// ECDSA-Sig-Value (RFC 5480 appendix A) to r ‖ s (RFC 7518 3.4).
Bytes to_pair(const Bytes& der) {
  const CleanErrorQueue clean;
  const unsigned char* begin = der.data();
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())));
  require_pointer(signature.get(), "d2i_ECDSA_SIG");
  Bytes pair(2 * kEs256Number);
  const int size = static_cast<int>(kEs256Number);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), pair.data(), size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), pair.data() + kEs256Number, size) != size) {
    throw_openssl("an ECDSA signature that is not one of P-256");
  }
  return pair;
}

Bytes from_pair(ByteView pair) {
  Bytes numbers;
  append_der_unsigned(numbers, pair.first(kEs256Number));
  append_der_unsigned(numbers, pair.subspan(kEs256Number));
  Bytes der;
  append_der(der, der_tag::sequence, numbers);
  return der;
}

Bytes digest_of(std::string_view text) { return hash(Digest::sha256, octets_of(text)); }

// As long as base64url makes so many octets.
std::size_t base64url_size(std::size_t octets) { return (octets * 4 + 2) / 3; }

}  // namespace

std::string sign_jws(std::string_view type, std::string_view key_id, std::string_view payload, Signer& signer,
                     Deadline deadline) {
  const auto algorithm = algorithm_of(signer.public_key());
  if (!algorithm) throw Error(ErrorKind::internal_error).with_cause("a JWS wants a P-256 key, or RSA of 2048 bits");
  if (!is_word(type) || !is_word(key_id)) throw Error(ErrorKind::internal_error).with_cause("a JWS's type or key id");
  const std::string header = to_base64url(octets_of(header_of(*algorithm, type, key_id)));
  const std::size_t signature_size =
      *algorithm == kEs256 ? 2 * kEs256Number : std::get<RsaPublicKey>(signer.public_key()).modulus.size();
  if (payload.size() > kMaxJwsOctets ||
      header.size() + base64url_size(payload.size()) + base64url_size(signature_size) + 2 > kMaxJwsOctets) {
    refuse(too_long());
  }
  std::string text = header + "." + to_base64url(octets_of(payload));
  const Bytes digest = digest_of(text);
  Bytes signature = signer.sign(Digest::sha256, digest, deadline);
  if (!verifies(signer.public_key(), Digest::sha256, digest, signature)) {
    throw Error(ErrorKind::internal_error).with_cause("the signature of a JWS does not verify");
  }
  if (*algorithm == kEs256) signature = to_pair(signature);
  text += '.';
  text += to_base64url(signature);
  return text;
}

Jws read_jws(std::string_view text) { return split(text).jws; }

bool verifies_jws(std::string_view text, const PublicKey& key) {
  const auto algorithm = algorithm_of(key);
  if (!algorithm) return false;
  std::optional<Parts> parts;
  try {
    parts = split(text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
    return false;
  }
  if (parts->algorithm != *algorithm) return false;
  const Bytes signature = *algorithm == kEs256 ? from_pair(parts->signature) : parts->signature;
  return verifies(key, Digest::sha256, digest_of(parts->signed_text), signature);
}

}  // namespace hsmsigner::crypto
