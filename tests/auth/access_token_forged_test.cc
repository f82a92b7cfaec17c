// Access tokens that are wrong, in every way we can think of.
#include <doctest/doctest.h>
#include <openssl/hmac.h>

#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "auth/access_token.h"
#include "base/algorithm.h"
#include "base/base64.h"
#include "base/error.h"
#include "rsa_signer.h"

using namespace hsmsigner;
using namespace hsmsigner::auth;
using namespace test_support;
using std::chrono::seconds;

namespace {

const UnixTime kNow{seconds(1'790'000'000)};

using Members = std::vector<std::pair<std::string, std::string>>;  // name, value as JSON

const Members kHeader{{"alg", "\"RS256\""}, {"typ", "\"JWT\""}, {"kid", "\"" + std::string(kOurKid) + "\""}};
const Members kPayload{
    {"iss", "\"hsm-signer\""}, {"sub", "\"client\""}, {"aud", "\"client\""}, {"client_id", "\"client\""},
    {"scope", "\"\""},         {"iat", "1790000000"}, {"nbf", "1790000000"}, {"exp", "1790000900"},
    {"jti", "\"token\""},      {"gen", "7"},          {"prev", "0"}};

std::string json(const Members& members) {
  std::string text;
  for (const auto& [name, value] : members) text += (text.empty() ? "" : ",") + ("\"" + name + "\":" + value);
  return "{" + text + "}";
}

Members with(Members members, const std::string& name, const std::string& value) {
  for (auto& member : members) {
    if (member.first == name) member.second = value;
  }
  return members;
}

Members without(const Members& members, const std::string& name) {
  Members rest;
  for (const auto& member : members) {
    if (member.first != name) rest.push_back(member);
  }
  return rest;
}

std::string good_token() { return forge(json(kHeader), json(kPayload)); }

// What verifying it ends in: the name of the error, or "taken".
std::string verdict(std::string_view token, UnixTime now = kNow) {
  try {
    verify_access_token(token, our_keys(), now);
    return "taken";
  } catch (const Error& error) {
    // Nothing of the token, and the same sentence whatever is wrong.
    if (error.kind() == ErrorKind::invalid_credential) {
      REQUIRE(error.details().size() == 1);
      CHECK(error.details()[0] == "Authorization: the access token is not one that this service issued");
    }
    return std::string(to_string(error.kind()));
  }
}

std::string with_signature(const std::string& token, ByteView signature) {
  return token.substr(0, token.rfind('.') + 1) + to_base64url(signature);
}

Bytes signature_of(const std::string& token) { return from_base64url(token.substr(token.rfind('.') + 1)).value(); }

}  // namespace

TEST_CASE("the forger's own token of the right content is taken, so that what follows fails for its own reason") {
  CHECK(verdict(good_token()) == "taken");
}

TEST_CASE("every octet of the signature counts") {
  const std::string token = good_token();
  const Bytes signature = signature_of(token);
  REQUIRE(signature.size() == 256);
  CHECK(verdict(with_signature(token, signature)) == "taken");
  for (std::size_t i = 0; i < signature.size(); ++i) {
    CAPTURE(i);
    for (const unsigned change : {0x01U, 0x80U, 0xffU}) {
      Bytes changed = signature;
      changed[i] = static_cast<std::uint8_t>(changed[i] ^ change);
      CHECK(verdict(with_signature(token, changed)) == "invalid_credential");
    }
  }
}

TEST_CASE("a signature of another length is refused") {
  const std::string token = good_token();
  const Bytes signature = signature_of(token);
  for (std::size_t size = 0; size < signature.size(); ++size) {
    CHECK(verdict(with_signature(token, ByteView(signature).first(size))) == "invalid_credential");
  }
  for (const std::uint8_t more : {std::uint8_t{0}, std::uint8_t{1}}) {
    Bytes longer = signature;
    longer.push_back(more);
    CHECK(verdict(with_signature(token, longer)) == "invalid_credential");
    longer = signature;
    longer.insert(longer.begin(), more);
    CHECK(verdict(with_signature(token, longer)) == "invalid_credential");
  }
  CHECK(verdict(with_signature(token, Bytes(256))) == "invalid_credential");
  CHECK(verdict(with_signature(token, Bytes(256, 0xff))) == "invalid_credential");
}

TEST_CASE("every character of the token counts") {
  const std::string token = good_token();
  for (std::size_t i = 0; i < token.size(); ++i) {
    CAPTURE(i);
    for (const char c : {'A', 'B', '_', '.', '=', '+', ' ', '\n', '\0', '\xff'}) {
      if (token[i] == c) continue;
      std::string changed = token;
      changed[i] = c;
      CHECK(verdict(changed) == "invalid_credential");
    }
    CHECK(verdict(token.substr(0, i)) == "invalid_credential");
    CHECK(verdict(token.substr(i + 1)) == "invalid_credential");
  }
}

TEST_CASE("the last character of a part has one spelling") {
  // 256 octets leave four bits in the last character that say nothing: the other 15 spellings decode to the same.
  const std::string token = good_token();
  int taken = 0;
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    std::string spelled = token;
    spelled.back() = c;
    if (verdict(spelled) == "taken") ++taken;
  }
  CHECK(taken == 1);
}

TEST_CASE("what is put in between, before or behind is refused") {
  const std::string token = good_token();
  for (const char* more : {" ", "\n", "\r\n", "\t", "=", "==", ".", ".x", "A"}) {
    CAPTURE(more);
    CHECK(verdict(token + more) == "invalid_credential");
    CHECK(verdict(more + token) == "invalid_credential");
    for (std::size_t dot = token.find('.'); dot != std::string::npos; dot = token.find('.', dot + 1)) {
      CHECK(verdict(token.substr(0, dot) + more + token.substr(dot)) == "invalid_credential");
    }
  }
}

TEST_CASE("what has not three parts is refused") {
  const std::string token = good_token();
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string("..."),
                                 token.substr(0, last), token.substr(0, last + 1), token.substr(first),
                                 token.substr(first + 1), token.substr(0, first) + "." + token.substr(last),
                                 token + "." + token.substr(last + 1), std::string("Bearer ") + token}) {
    CAPTURE(bad);
    CHECK(verdict(bad) == "invalid_credential");
  }
}

TEST_CASE("the payload of another token is refused") {
  const std::string token = good_token();
  const std::string other = forge(json(kHeader), json(with(kPayload, "gen", "8")));
  CHECK(verdict(other) == "taken");
  const auto payload = [](const std::string& of) {
    const std::size_t first = of.find('.');
    return of.substr(first, of.rfind('.') - first);
  };
  const std::string swapped = token.substr(0, token.find('.')) + payload(other) + token.substr(token.rfind('.'));
  CHECK(verdict(swapped) == "invalid_credential");
}

TEST_CASE("a token of another key is refused, whatever kid it names") {
  CHECK(verdict(forge(json(kHeader), json(kPayload), strangers_signer())) == "invalid_credential");
  for (const char* kid : {"\"another\"", "\"\"", "\"6F1D2C3B-0000-4000-8000-0123456789AB\"", "7", "null", "[]",
                          "{\"kty\":\"RSA\"}", "true"}) {
    CAPTURE(kid);
    const std::string header = json(with(kHeader, "kid", kid));
    CHECK(verdict(forge(header, json(kPayload))) == "invalid_credential");
    CHECK(verdict(forge(header, json(kPayload), strangers_signer())) == "invalid_credential");
  }
}

TEST_CASE("no other algorithm is taken, though the signature be right") {
  for (const char* algorithm :
       {"none", "None", "NONE", "nOnE", "HS256", "HS384", "RS384", "RS512", "PS256", "ES256", "rs256", "RS256 ", ""}) {
    CAPTURE(algorithm);
    const std::string token = forge(json(with(kHeader, "alg", "\"" + std::string(algorithm) + "\"")), json(kPayload));
    CHECK(verdict(token) == "invalid_credential");
    CHECK(verdict(with_signature(token, {})) == "invalid_credential");
  }
  for (const char* no_text : {"null", "256", "[\"RS256\"]", "{}", "true"}) {
    CAPTURE(no_text);
    CHECK(verdict(forge(json(with(kHeader, "alg", no_text)), json(kPayload))) == "invalid_credential");
  }
}

TEST_CASE("an HMAC keyed with our public key is no signature") {
  const std::string pem = our_signer().public_pem();
  const Bytes& modulus = our_signer().rsa().modulus;
  const std::vector<Bytes> public_knowledge{
      Bytes(pem.begin(), pem.end()),
      Bytes(pem.begin(), pem.end() - 1),
      modulus,
      {},
  };
  for (const char* algorithm : {"\"HS256\"", "\"RS256\""}) {
    for (const Bytes& key : public_knowledge) {
      const std::string text = to_base64url(octets_of(json(with(kHeader, "alg", algorithm)))) + "." +
                               to_base64url(octets_of(json(kPayload)));
      Bytes mac(32);
      REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets_of(text).data(), text.size(),
                   mac.data(), nullptr) != nullptr);
      CHECK(verdict(text + "." + to_base64url(mac)) == "invalid_credential");
    }
  }
}

TEST_CASE("a signature over another digest is refused") {
  const std::string token = good_token();
  const std::string text = token.substr(0, token.rfind('.'));
  for (const auto& [digest, size, md] :
       {std::tuple(Digest::sha1, 20, EVP_sha1()), std::tuple(Digest::sha384, 48, EVP_sha384()),
        std::tuple(Digest::sha512, 64, EVP_sha512())}) {
    Bytes value(static_cast<std::size_t>(size));
    REQUIRE(EVP_Digest(text.data(), text.size(), value.data(), nullptr, md, nullptr) == 1);
    CHECK(verdict(with_signature(token, our_signer().sign(digest, value, deadline_in(seconds(10))))) ==
          "invalid_credential");
  }
}

TEST_CASE("the header has its three members and no others") {
  for (const auto& member : kHeader) {
    CAPTURE(member.first);
    CHECK(verdict(forge(json(without(kHeader, member.first)), json(kPayload))) == "invalid_credential");
    Members twice = kHeader;
    twice.push_back(member);
    CHECK(verdict(forge(json(twice), json(kPayload))) == "invalid_credential");
    Members replaced = without(kHeader, member.first);
    replaced.emplace_back("x", member.second);
    CHECK(verdict(forge(json(replaced), json(kPayload))) == "invalid_credential");
    replaced.back() = replaced.front();
    CHECK(verdict(forge(json(replaced), json(kPayload))) == "invalid_credential");
  }
  // RFC 7515 4.1: a key that the sender brings along, and extensions that must be understood.
  for (const Members& more :
       {Members{{"crit", "[\"exp\"]"}}, Members{{"jku", "\"https://example.com/\""}},
        Members{{"jwk", json_web_key("x", strangers_signer().rsa())}}, Members{{"b64", "false"}}}) {
    Members header = kHeader;
    header.insert(header.end(), more.begin(), more.end());
    CHECK(verdict(forge(json(header), json(kPayload))) == "invalid_credential");
  }
  CHECK(verdict(forge(json(with(kHeader, "typ", "\"JWE\"")), json(kPayload))) == "invalid_credential");
}

TEST_CASE("every claim must be there, once, and no other") {
  for (const auto& member : kPayload) {
    CAPTURE(member.first);
    CHECK(verdict(forge(json(kHeader), json(without(kPayload, member.first)))) == "invalid_credential");
    Members twice = kPayload;
    twice.push_back(member);
    CHECK(verdict(forge(json(kHeader), json(twice))) == "invalid_credential");
    Members renamed = without(kPayload, member.first);
    renamed.emplace_back(member.first + "_", member.second);
    CHECK(verdict(forge(json(kHeader), json(renamed))) == "invalid_credential");
    renamed.back() = renamed.front();  // as many members as there should be, one of them twice
    CHECK(verdict(forge(json(kHeader), json(renamed))) == "invalid_credential");
  }
}

TEST_CASE("every claim must be of its type") {
  for (const auto& member : kPayload) {
    CAPTURE(member.first);
    const bool number = member.second.front() != '"';
    std::vector<std::string> others{"null", "true", "[]", "{}", "[" + member.second + "]", "1.5", "-1", "1e3"};
    if (number) {
      others.insert(others.end(), {"\"" + member.second + "\"", member.second + ".0", "\"\"", "18446744073709551616",
                                   "1e400", "-0.0"});
    } else {
      others.insert(others.end(), {"7", "0", "\"\\udc00\"", "\"\\ud800x\""});
    }
    for (const std::string& other : others) {
      CAPTURE(other);
      CHECK(verdict(forge(json(kHeader), json(with(kPayload, member.first, other)))) == "invalid_credential");
    }
  }
}

TEST_CASE("claims with a value that we do not issue are refused") {
  for (const auto& changed : Members{{"iss", "\"HSM-signer\""},
                                     {"iss", "\"\""},
                                     {"aud", "\"another\""},
                                     {"sub", "\"another\""},
                                     {"client_id", "\"another\""},
                                     {"nbf", "1790000061"},
                                     {"nbf", "18446744073709551615"},
                                     {"iat", "18446744073709551615"},
                                     {"exp", "18446744073709551615"},
                                     {"exp", "9223372036854775807"}}) {
    CAPTURE(changed.first);
    CAPTURE(changed.second);
    CHECK(verdict(forge(json(kHeader), json(with(kPayload, changed.first, changed.second)))) == "invalid_credential");
  }
  CHECK(verdict(forge(json(kHeader), json(with(kPayload, "nbf", "1790000060")))) == "taken");
  for (const char* client : {"\"\"", "\"a\\u0000b\"", "\"a\\nb\"", "\"\xc3\xa4\""}) {
    CAPTURE(client);
    Members payload = kPayload;
    for (const char* name : {"sub", "aud", "client_id"}) payload = with(payload, name, client);
    CHECK(verdict(forge(json(kHeader), json(payload))) == "invalid_credential");
  }
}

TEST_CASE("the claims are not looked at before the signature") {
  const UnixTime late = kNow + seconds(901);
  CHECK(verdict(good_token(), late) == "key_expired");
  CHECK(verdict(forge(json(kHeader), json(kPayload), strangers_signer()), late) == "invalid_credential");
  CHECK(verdict(with_signature(good_token(), Bytes(256)), late) == "invalid_credential");
  CHECK(verdict(forge(json(with(kHeader, "alg", "\"none\"")), json(kPayload)), late) == "invalid_credential");
  // An expired token that is wrong in another way too is wrong.
  CHECK(verdict(forge(json(kHeader), json(with(kPayload, "aud", "\"another\""))), late) == "invalid_credential");
}

TEST_CASE("what is not one JSON object is refused") {
  const std::string header = json(kHeader);
  const std::string payload = json(kPayload);
  const std::vector<std::string> texts{"",      "null", "[]",        "7",          "\"x\"", "{",
                                       "{}",    "{]",   "{\"alg\"}", "\xff\xfe{}", "NaN",   std::string("\0", 1),
                                       "/**/{}"};
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::string& text : texts) {
    rows.emplace_back(text, payload);
    rows.emplace_back(header, text);
  }
  for (const std::string& more :
       {std::string("x"), std::string("{}"), std::string(","), std::string("\0", 1), std::string("\0x", 2)}) {
    rows.emplace_back(header + more, payload);
    rows.emplace_back(header, payload + more);
    rows.emplace_back(more + header, payload);
    rows.emplace_back(header, more + payload);
  }
  rows.emplace_back(header, "[" + payload + "]");
  rows.emplace_back(header, json(with(kPayload, "scope", "\"\xff\"")));
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CAPTURE(row.second);
    CHECK(verdict(forge(row.first, row.second)) == "invalid_credential");
  }
  CHECK(verdict(forge(" " + header + "\n", "\t" + payload + " ")) == "taken");
}

TEST_CASE("nesting as deep as a token has room for is refused, not a crash") {
  const std::string deep(2500, '[');
  std::string objects;
  for (int i = 0; i < 500; ++i) objects += "{\"a\":";
  for (const std::string& text : {deep, objects, deep + std::string(20, ']')}) {
    CHECK(verdict(forge(text, "{}")) == "invalid_credential");
    CHECK(verdict(forge(json(kHeader), text)) == "invalid_credential");
    CHECK(verdict(forge(json(with(kHeader, "kid", text.substr(0, 2000))), "{}")) == "invalid_credential");
  }
}

TEST_CASE("a token over 4096 octets is too long, whatever is in it") {
  CHECK(verdict(std::string(4096, 'a')) == "invalid_credential");
  CHECK(verdict(std::string(4097, 'a')) == "key_too_long");
  CHECK(verdict(std::string(1'000'000, '.')) == "key_too_long");
  const std::string right_but_long =
      forge(json(kHeader), json(with(kPayload, "scope", "\"" + std::string(4000, 's') + "\"")));
  CHECK(verdict(right_but_long) == "key_too_long");
}

TEST_CASE("noise is refused") {
  std::mt19937 random(20260101);  // the same every time
  const std::string_view alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_....=+/ \n\"{}:");
  for (int i = 0; i < 3000; ++i) {
    std::string noise(random() % 200, '\0');
    for (char& c : noise) {
      c = i % 2 == 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(static_cast<signed char>(random()));
    }
    CAPTURE(noise);
    CHECK(verdict(noise) == "invalid_credential");
  }
}
