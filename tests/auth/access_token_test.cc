// Access tokens that are right: what is in them, and what others make of them.
#include "auth/access_token.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <chrono>

#include "base/algorithm.h"
#include "base/base64.h"
#include "base/error.h"
#include "rsa_signer.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::auth;
using namespace test_support;
using std::chrono::seconds;

namespace {

const UnixTime kNow{seconds(1'790'000'000)};

AccessTokenClaims sample_claims(UnixTime now = kNow) {
  AccessTokenClaims claims;
  claims.client_id = "admin@1234.iam.example.com";
  claims.scope = "tsg_id:1234 profile \"quoted\" \xc3\xa4";
  claims.generation = 18'446'744'073'709'551'615U;
  claims.token_id = "0f8fad5b-d9cb-469f-a165-70867728950e";
  claims.issued_at = now;
  claims.expires_at = now + kAccessTokenLifetime;
  return claims;
}

std::string issue(const AccessTokenClaims& claims, Signer& signer = our_signer()) {
  return issue_access_token(claims, kOurKid, signer, deadline_in(seconds(10)));
}

// By openssl alone: the octets of a base64url text, in a file.
std::string decoded_by_openssl(const TemporaryDirectory& directory, const std::string& name, std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  must_run(
      {"openssl", "base64", "-d", "-A", "-in", directory.write(name + ".b64", text), "-out", directory.file(name)});
  return directory.file(name);
}

rapidjson::Document parsed(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.c_str(), json.size());
  REQUIRE_FALSE(document.HasParseError());
  REQUIRE(document.IsObject());
  return document;
}

std::string text_of(const rapidjson::Document& object, const char* member) {
  REQUIRE(object.HasMember(member));
  REQUIRE(object[member].IsString());
  return {object[member].GetString(), object[member].GetStringLength()};
}

// The kind of what it throws; nothing when it throws nothing.
template <typename Call>
std::optional<ErrorKind> kind_thrown(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("what was issued is verified, with every claim") {
  const AccessTokenClaims claims = sample_claims();
  const std::string token = issue(claims);
  const AccessTokenClaims verified = verify_access_token(token, our_keys(), kNow);
  CHECK(verified.client_id == claims.client_id);
  CHECK(verified.scope == claims.scope);
  CHECK(verified.generation == claims.generation);
  CHECK(verified.token_id == claims.token_id);
  CHECK(verified.issued_at == claims.issued_at);
  CHECK(verified.expires_at == claims.expires_at);
}

TEST_CASE("that it was had with the secret of before goes along") {
  AccessTokenClaims claims = sample_claims();
  CHECK_FALSE(verify_access_token(issue(claims), our_keys(), kNow).previous_secret);
  claims.previous_secret = true;
  CHECK(verify_access_token(issue(claims), our_keys(), kNow).previous_secret);
}

TEST_CASE("an empty scope and generation 0 go through") {
  AccessTokenClaims claims = sample_claims();
  claims.scope.clear();
  claims.generation = 0;
  const AccessTokenClaims verified = verify_access_token(issue(claims), our_keys(), kNow);
  CHECK(verified.scope.empty());
  CHECK(verified.generation == 0);
}

TEST_CASE("header and payload hold these members with these types and no others") {
  const TemporaryDirectory directory;
  const std::string token = issue(sample_claims());
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  const auto header = parsed(read_file(decoded_by_openssl(directory, "header", token.substr(0, first))));
  CHECK(header.MemberCount() == 3);
  CHECK(text_of(header, "alg") == "RS256");
  CHECK(text_of(header, "typ") == "JWT");
  CHECK(text_of(header, "kid") == kOurKid);
  const auto payload =
      parsed(read_file(decoded_by_openssl(directory, "payload", token.substr(first + 1, second - first - 1))));
  CHECK(payload.MemberCount() == 11);
  CHECK(text_of(payload, "iss") == "hsm-signer");
  CHECK(text_of(payload, "sub") == "admin@1234.iam.example.com");
  CHECK(text_of(payload, "aud") == "admin@1234.iam.example.com");
  CHECK(text_of(payload, "client_id") == "admin@1234.iam.example.com");
  CHECK(text_of(payload, "scope") == sample_claims().scope);
  CHECK(payload["iat"].GetInt64() == std::int64_t{1'790'000'000});
  CHECK(payload["nbf"].GetInt64() == std::int64_t{1'790'000'000});
  CHECK(payload["exp"].GetInt64() == std::int64_t{1'790'000'900});
  CHECK(text_of(payload, "jti") == "0f8fad5b-d9cb-469f-a165-70867728950e");
  CHECK(payload["prev"].GetUint64() == 0);
  CHECK(payload["gen"].GetUint64() == std::uint64_t{18'446'744'073'709'551'615U});
}

TEST_CASE("openssl verifies the signature with the key that the JWK describes") {
  const TemporaryDirectory directory;
  const auto jwk = parsed(json_web_key(kOurKid, our_signer().rsa()));
  CHECK(jwk.MemberCount() == 6);
  CHECK(text_of(jwk, "kty") == "RSA");
  CHECK(text_of(jwk, "use") == "sig");
  CHECK(text_of(jwk, "alg") == "RS256");
  CHECK(text_of(jwk, "kid") == kOurKid);

  // JWK to PEM (RFC 8017 A.1.1), by openssl from two numbers.
  const auto hex = [&](const char* member) {
    const std::string octets = read_file(decoded_by_openssl(directory, member, text_of(jwk, member)));
    REQUIRE_FALSE(octets.empty());
    CHECK(octets.front() != '\0');  // RFC 7518 6.3.1.1: as few octets as it takes
    return to_hex(octets_of(octets));
  };
  const std::string form = directory.write(
      "key.cnf", "asn1=SEQUENCE:key\n[key]\nn=INTEGER:0x" + hex("n") + "\ne=INTEGER:0x" + hex("e") + "\n");
  must_run({"openssl", "asn1parse", "-genconf", form, "-noout", "-out", directory.file("key.der")});
  must_run({"openssl", "rsa", "-RSAPublicKey_in", "-inform", "DER", "-in", directory.file("key.der"), "-pubout", "-out",
            directory.file("key.pem")});
  CHECK(read_file(directory.file("key.pem")) == our_signer().public_pem());

  const std::string token = issue(sample_claims());
  const std::size_t last = token.rfind('.');
  const std::string signature = decoded_by_openssl(directory, "signature", token.substr(last + 1));
  const auto judge = [&](const std::string& text) {
    return run_command({"openssl", "dgst", "-sha256", "-verify", directory.file("key.pem"), "-signature", signature,
                        directory.write("text", text)});
  };
  const CommandResult good = judge(token.substr(0, last));
  CHECK_MESSAGE(good.exit_code == 0, good.out);
  CHECK(good.out.find("Verified OK") != std::string::npos);
  CHECK(judge(token.substr(0, last) + "x").exit_code != 0);
}

TEST_CASE("PyJWT takes the access token as the Python client does") {
  // The distribution's own interpreter, where the distribution's PyJWT is.
  const std::string python = "/usr/bin/python3";
  if (run_command({python, "-c", "import jwt.algorithms as a; a.RSAAlgorithm"}).exit_code != 0) {
    MESSAGE("test skipped: python3-jwt with python3-cryptography is not installed");
    return;
  }
  const std::string judge =
      "import json, sys, jwt\n"
      "token, keys, client = sys.stdin.read().split('\\n')[:3]\n"
      "kid = jwt.get_unverified_header(token)['kid']\n"
      "key = {k.key_id: k for k in jwt.PyJWKSet.from_dict(json.loads(keys)).keys}[kid].key\n"
      "print(jwt.decode(token, key, algorithms=['RS256'], audience=client)['sub'])\n";
  const AccessTokenClaims claims = sample_claims(system_now());
  const std::string keys = "{\"keys\":[" + json_web_key("another", strangers_signer().rsa()) + "," +
                           json_web_key(kOurKid, our_signer().rsa()) + "]}";
  const std::string token = issue(claims);
  CHECK(must_run({python, "-c", judge}, token + "\n" + keys + "\n" + claims.client_id + "\n") ==
        claims.client_id + "\n");
  // It does judge: another audience is refused.
  const CommandResult refused = run_command({python, "-c", judge}, token + "\n" + keys + "\nanother\n");
  CHECK(refused.exit_code != 0);
  CHECK(refused.out.find("InvalidAudienceError") != std::string::npos);
}

TEST_CASE("a token is good until the second before it expires") {
  const AccessTokenClaims claims = sample_claims();
  const std::string token = issue(claims);
  CHECK_NOTHROW(verify_access_token(token, our_keys(), claims.expires_at - seconds(1)));
  for (const seconds late : {seconds(0), seconds(1), seconds(1'000'000)}) {
    try {
      verify_access_token(token, our_keys(), claims.expires_at + late);
      FAIL("an expired token was taken");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::key_expired);
      REQUIRE(error.details().size() == 1);
      CHECK(error.details()[0] == "Authorization: the access token has expired; request a new one");
    }
  }
}

TEST_CASE("a token of a clock up to a minute ahead is good") {
  const std::string token = issue(sample_claims());
  CHECK_NOTHROW(verify_access_token(token, our_keys(), kNow - seconds(60)));
  CHECK(kind_thrown([&] { verify_access_token(token, our_keys(), kNow - seconds(61)); }) ==
        ErrorKind::invalid_credential);
}

TEST_CASE("a key that was taken away takes its tokens along") {
  const std::string token = issue(sample_claims());
  CHECK_NOTHROW(verify_access_token(token, our_keys(), kNow));
  CHECK(kind_thrown([&] {
          verify_access_token(
              token, [](std::string_view) { return std::nullopt; }, kNow);
        }) == ErrorKind::invalid_credential);
}

TEST_CASE("keys of other sizes sign access tokens too") {
  for (const unsigned bits : {1024U, 3072U, 4096U}) {
    RsaSigner signer(bits);
    const std::string token = issue(sample_claims(), signer);
    CHECK_NOTHROW(verify_access_token(
        token, [&](std::string_view) { return std::optional(signer.rsa()); }, kNow));
  }
}

TEST_CASE("the signer gets the deadline, and its errors come through") {
  const Deadline deadline = deadline_in(seconds(1234));
  issue_access_token(sample_claims(), kOurKid, our_signer(), deadline);
  CHECK(our_signer().last_deadline == deadline);

  struct Failing : Signer {
    const PublicKey& public_key() const noexcept override { return our_signer().public_key(); }
    Bytes sign(Digest, ByteView, Deadline) override { throw Error(ErrorKind::session_timeout); }
  } failing;
  CHECK(kind_thrown([&] { issue(sample_claims(), failing); }) == ErrorKind::session_timeout);
}

TEST_CASE("a signature that does not verify is not handed out") {
  struct Lying : Signer {
    const PublicKey& public_key() const noexcept override { return our_signer().public_key(); }
    Bytes sign(Digest digest, ByteView value, Deadline deadline) override {
      return strangers_signer().sign(digest, value, deadline);
    }
  } lying;
  CHECK(kind_thrown([&] { issue(sample_claims(), lying); }) == ErrorKind::internal_error);
}

TEST_CASE("an EC key signs no access token") {
  struct Elliptic : Signer {
    PublicKey key = EcPublicKey{KeyAlgorithm::ec_p256, Bytes(65, 4)};
    const PublicKey& public_key() const noexcept override { return key; }
    Bytes sign(Digest, ByteView, Deadline) override { return Bytes(70); }
  } elliptic;
  CHECK(kind_thrown([&] { issue(sample_claims(), elliptic); }) == ErrorKind::internal_error);
}

TEST_CASE("a client id that is none gets no token") {
  for (const char* bad : {"", "a\nb", "a\x7f", "\xc3\xa4"}) {
    CAPTURE(bad);
    AccessTokenClaims claims = sample_claims();
    claims.client_id = bad;
    CHECK(kind_thrown([&] { issue(claims); }) == ErrorKind::internal_error);
  }
}

TEST_CASE("a scope that would make the token too long, or is not UTF-8, costs no signature") {
  AccessTokenClaims claims = sample_claims();
  std::string longest;
  for (claims.scope = std::string(2000, 's');; claims.scope += 's') {
    const unsigned before = our_signer().signatures;
    const auto kind = kind_thrown([&] { longest = issue(claims); });
    if (!kind) continue;
    CHECK(*kind == ErrorKind::invalid_object);
    CHECK(our_signer().signatures == before);
    break;
  }
  CHECK(longest.size() <= kMaxAccessTokenOctets);
  CHECK(longest.size() >= kMaxAccessTokenOctets - 2);
  CHECK_NOTHROW(verify_access_token(longest, our_keys(), kNow));

  const unsigned before = our_signer().signatures;
  claims.scope = "\xff";
  CHECK(kind_thrown([&] { issue(claims); }) == ErrorKind::invalid_object);
  CHECK(our_signer().signatures == before);
}

TEST_CASE("a kid that needs escaping in JSON is escaped") {
  const std::string kid = "a\"b\\c\n";
  CHECK(text_of(parsed(json_web_key(kid, our_signer().rsa())), "kid") == kid);
  const std::string token = issue_access_token(sample_claims(), kid, our_signer(), deadline_in(seconds(10)));
  std::string asked;
  verify_access_token(
      token,
      [&](std::string_view wanted) {
        asked = wanted;
        return std::optional(our_signer().rsa());
      },
      kNow);
  CHECK(asked == kid);
}
