#include "auth/access_token.h"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/algorithm.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "crypto/signature.h"

namespace hsmsigner::auth {
namespace {

constexpr std::string_view kAlgorithm = "RS256";
constexpr std::string_view kType = "JWT";
constexpr std::string_view kIssuer = "hsm-signer";
// By how much a clock may be behind the one that issued.
constexpr std::chrono::seconds kNotYetValidLeeway{60};

class ObjectWriter {
 public:
  ObjectWriter() { writer_.StartObject(); }
  void text(std::string_view name, std::string_view value) {
    key(name);
    writer_.String(value.data(), size_of(value));
  }
  void number(std::string_view name, std::int64_t value) {
    key(name);
    writer_.Int64(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
  }
  std::string finish() {
    writer_.EndObject();
    return {buffer_.GetString(), buffer_.GetSize()};
  }

 private:
  static rapidjson::SizeType size_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }
  void key(std::string_view name) { writer_.Key(name.data(), size_of(name)); }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

ByteView octets_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

Bytes digest_of(std::string_view text) { return crypto::hash(Digest::sha256, octets_of(text)); }

std::int64_t seconds_of(UnixTime time) { return time.time_since_epoch().count(); }

// Printable ASCII, as RFC 6749 appendix A.1 wants client ids.
bool is_client_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// One sentence whatever is wrong: a stranger who forges learns nothing.
[[noreturn]] void refuse(const char* cause, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::invalid_credential, {"Authorization: the access token is not one that this service issued"},
              where)
      .with_cause(cause);
}

// An object that has exactly the members that are asked for, each once and of its type.
class ObjectReader {
 public:
  ObjectReader(const Bytes& octets, std::size_t members) {
    // RapidJSON takes a NUL for the end of the text, whatever follows.
    if (std::find(octets.begin(), octets.end(), 0) != octets.end()) refuse("a NUL in the JSON");
    const std::string text(octets.begin(), octets.end());
    rapidjson::MemoryStream stream(text.data(), text.size());
    // Iterative: depth must not exhaust the stack, for the header is read before the signature is known to be good.
    document_.ParseStream<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(stream);
    if (document_.HasParseError() || !document_.IsObject()) refuse("not a JSON object");
    // With as many members as are asked for by different names, none can be there twice.
    if (document_.MemberCount() != members) refuse("members too many or too few");
  }

  std::string text(std::string_view name) const {
    const rapidjson::Value& value = member(name);
    if (!value.IsString()) refuse("a member that should be a string");
    std::string text(value.GetString(), value.GetStringLength());
    // A lone escaped surrogate passes through some versions of RapidJSON and is no character.
    if (!utf8_length(text)) refuse("a string that is not UTF-8");
    return text;
  }
  std::uint64_t number(std::string_view name) const {
    const rapidjson::Value& value = member(name);
    if (!value.IsUint64()) refuse("a member that should be a whole number");
    return value.GetUint64();
  }
  UnixTime time(std::string_view name) const {
    // Far beyond any date, and far from overflow when a lifetime is added.
    constexpr std::uint64_t kEndOfTime = std::uint64_t{1} << 40;
    const std::uint64_t seconds = number(name);
    if (seconds > kEndOfTime) refuse("a time beyond all dates");
    return UnixTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
  }

 private:
  const rapidjson::Value& member(std::string_view name) const {
    const auto found = document_.FindMember(
        rapidjson::Value(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
    if (found == document_.MemberEnd()) refuse("a member that is not there");
    return found->value;
  }

  rapidjson::Document document_;
};

std::string header_of(std::string_view kid) {
  ObjectWriter header;
  header.text("alg", kAlgorithm);
  header.text("typ", kType);
  header.text("kid", kid);
  return header.finish();
}

std::string payload_of(const AccessTokenClaims& claims) {
  ObjectWriter payload;
  payload.text("iss", kIssuer);
  payload.text("sub", claims.client_id);
  payload.text("aud", claims.client_id);
  payload.text("client_id", claims.client_id);
  payload.text("scope", claims.scope);
  payload.number("iat", seconds_of(claims.issued_at));
  payload.number("nbf", seconds_of(claims.issued_at));
  payload.number("exp", seconds_of(claims.expires_at));
  payload.text("jti", claims.token_id);
  payload.number("gen", claims.generation);
  payload.number("prev", std::uint64_t{claims.previous_secret ? 1U : 0U});
  return payload.finish();
}

AccessTokenClaims read_payload(const Bytes& octets, UnixTime now) {
  const ObjectReader payload(octets, 11);
  AccessTokenClaims claims;
  if (payload.text("iss") != kIssuer) refuse("another issuer");
  claims.client_id = payload.text("sub");
  if (!is_client_id(claims.client_id)) refuse("sub is no client id");
  if (payload.text("aud") != claims.client_id) refuse("aud is not sub");
  if (payload.text("client_id") != claims.client_id) refuse("client_id is not sub");
  claims.scope = payload.text("scope");
  claims.generation = payload.number("gen");
  claims.previous_secret = payload.number("prev") != 0;
  claims.token_id = payload.text("jti");
  claims.issued_at = payload.time("iat");
  claims.expires_at = payload.time("exp");
  if (payload.time("nbf") > now + kNotYetValidLeeway) refuse("not valid yet");
  return claims;
}

struct Parts {
  std::string_view signed_text;  // header.payload
  Bytes header;
  Bytes payload;
  Bytes signature;
};

// RFC 7515 7.1. Base64url is strict, so that no two texts are the same token.
Parts split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) refuse("fewer than three parts");
  auto header = from_base64url(token.substr(0, first));
  auto payload = from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));  // a fourth part would bring a '.' along
  if (!header || !payload || !signature) refuse("a part that is not base64url");
  return {token.substr(0, second), std::move(*header), std::move(*payload), std::move(*signature)};
}

RsaPublicKey find_signing_key(const Bytes& octets, const FindKey& find_key) {
  const ObjectReader header(octets, 3);
  // The algorithm is ours to name, not the sender's (RFC 8725 3.1).
  if (header.text("alg") != kAlgorithm) refuse("another algorithm");
  if (header.text("typ") != kType) refuse("another type");
  auto key = find_key(header.text("kid"));
  if (!key) refuse("an unknown key");
  return std::move(*key);
}

// As long as base64url makes so many octets.
std::size_t base64url_size(std::size_t octets) { return (octets * 4 + 2) / 3; }

}  // namespace

std::string issue_access_token(const AccessTokenClaims& claims, std::string_view kid, Signer& signer,
                               Deadline deadline) {
  const auto* key = std::get_if<RsaPublicKey>(&signer.public_key());
  if (key == nullptr) throw Error(ErrorKind::internal_error).with_cause("access tokens want an RSA key");
  if (!is_client_id(claims.client_id)) {
    throw Error(ErrorKind::internal_error).with_cause("an access token for no client id");
  }
  if (!utf8_length(claims.scope)) throw Error(ErrorKind::invalid_object, {"scope: must be UTF-8"});
  std::string token = to_base64url(octets_of(header_of(kid))) + "." + to_base64url(octets_of(payload_of(claims)));
  if (token.size() + 1 + base64url_size(key->modulus.size()) > kMaxAccessTokenOctets) {
    throw Error(ErrorKind::invalid_object, {"scope: is too long"});
  }
  const Bytes digest = digest_of(token);
  const Bytes signature = signer.sign(Digest::sha256, digest, deadline);
  // What does not verify is not handed out.
  if (!crypto::verifies(*key, Digest::sha256, digest, signature)) {
    throw Error(ErrorKind::internal_error).with_cause("the signature of an access token does not verify");
  }
  return token + "." + to_base64url(signature);
}

AccessTokenClaims verify_access_token(std::string_view token, const FindKey& find_key, UnixTime now) {
  if (token.size() > kMaxAccessTokenOctets) {
    throw Error(ErrorKind::key_too_long, {"Authorization: the access token is longer than " +
                                          std::to_string(kMaxAccessTokenOctets) + " octets"});
  }
  const Parts parts = split(token);
  const RsaPublicKey key = find_signing_key(parts.header, find_key);
  if (!crypto::verifies(key, Digest::sha256, digest_of(parts.signed_text), parts.signature))
    refuse("the signature does not verify");
  AccessTokenClaims claims = read_payload(parts.payload, now);
  if (now >= claims.expires_at) {
    throw Error(ErrorKind::key_expired, {"Authorization: the access token has expired; request a new one"});
  }
  return claims;
}

std::string json_web_key(std::string_view kid, const RsaPublicKey& key) {
  ObjectWriter object;
  object.text("kty", "RSA");
  object.text("use", "sig");
  object.text("alg", kAlgorithm);
  object.text("kid", kid);
  object.text("n", to_base64url(key.modulus));
  object.text("e", to_base64url(key.exponent));
  return object.finish();
}

}  // namespace hsmsigner::auth
