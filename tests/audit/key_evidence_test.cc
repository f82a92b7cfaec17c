// The payload of evidence: what is written is read again, and nothing else is.
#include "audit/key_evidence.h"

#include <doctest/doctest.h>

#include <set>

using namespace hsmsigner;
using namespace hsmsigner::audit;

namespace {

KeyEvidence sample() {
  KeyEvidence evidence;
  evidence.time = *parse_date_time("2026-11-25T12:00:00.123Z");
  evidence.nonce = "\"\\,nonce";
  evidence.certificate = {"0b8f3c1e-6f6b-4d0c-9e57-3a8d1f2c4b5a", "n\xc3\xa4me", "folder:Payments", "5A01", "AA:BB",
                          "-----BEGIN CERTIFICATE-----\nAA==\n"};
  evidence.token = {"label", "0123", "maker", "model", "2.6", "libsofthsm2.so", "a \"module\""};
  evidence.probe = {*parse_date_time("2026-11-25T08:00:00.000Z"), std::string(kKeepsKeys), false, "P-256: refused"};
  evidence.private_keys = 1;
  KeyEvidence::Key key;
  key.id = "0b8f";
  key.label = "hsm-signer";
  key.type = "EC";
  key.bits = 256;
  key.generation_mechanism = 0x1040;
  key.generation_mechanism_name = "CKM_EC_KEY_PAIR_GEN";
  key.token = key.is_private = key.sensitive = key.always_sensitive = key.never_extractable = key.local = key.sign =
      true;
  evidence.key = key;
  evidence.random = "00ff";
  evidence.signature = "AAAA";
  evidence.answers_challenge = true;
  evidence.matches_record = true;
  return evidence;
}

std::set<std::string> failed(const KeyEvidence& evidence) {
  std::set<std::string> names;
  for (const Verdict& verdict : verdicts_of(evidence)) {
    if (!verdict.passed) names.emplace(verdict.name);
  }
  return names;
}

// With one attribute of the key changed.
std::set<std::string> failed_with(bool KeyEvidence::Key::*attribute, bool value) {
  KeyEvidence evidence = sample();
  (*evidence.key).*attribute = value;
  return failed(evidence);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("evidence is read as it was written") {
  KeyEvidence evidence = sample();
  CHECK(parse_key_evidence(payload_of(evidence)) == evidence);
  evidence.key->generation_mechanism.reset();
  evidence.key->generation_mechanism_name = "";
  CHECK(parse_key_evidence(payload_of(evidence)) == evidence);
  evidence.nonce = "";
  evidence.signature = "";
  evidence.answers_challenge = false;
  CHECK(parse_key_evidence(payload_of(evidence)) == evidence);
  for (const std::uint64_t keys : {0U, 2U}) {
    evidence.private_keys = keys;
    evidence.key.reset();
    CHECK(parse_key_evidence(payload_of(evidence)) == evidence);
  }
}

TEST_CASE("the challenge is six lines, and begins with what no structure of X.509 begins with") {
  CHECK(challenge_of(sample()) ==
        "hsm-signer key challenge v1\n0b8f3c1e-6f6b-4d0c-9e57-3a8d1f2c4b5a\nAA:BB\n\"\\,nonce\n"
        "2026-11-25T12:00:00.123Z\n00ff");
}

TEST_CASE("each attribute has its verdict") {
  using Key = KeyEvidence::Key;
  using Names = std::set<std::string>;
  CHECK(failed(sample()).empty());
  CHECK(failed_with(&Key::token, false) == Names{"token_object"});
  CHECK(failed_with(&Key::is_private, false) == Names{"token_object"});
  CHECK(failed_with(&Key::sensitive, false) == Names{"sensitive"});
  CHECK(failed_with(&Key::always_sensitive, false) == Names{"always_sensitive"});
  CHECK(failed_with(&Key::extractable, true) == Names{"not_extractable"});
  CHECK(failed_with(&Key::never_extractable, false) == Names{"never_extractable"});
  CHECK(failed_with(&Key::local, false) == Names{"local"});
  CHECK(failed_with(&Key::sign, false) == Names{"signs_only"});
  CHECK(failed_with(&Key::decrypt, true) == Names{"signs_only"});
  CHECK(failed_with(&Key::unwrap, true) == Names{"signs_only"});
  CHECK(failed_with(&Key::derive, true) == Names{"signs_only"});
  KeyEvidence evidence = sample();
  evidence.answers_challenge = false;
  CHECK(failed(evidence) == Names{"answers_challenge"});
  evidence = sample();
  evidence.matches_record = false;
  CHECK(failed(evidence) == Names{"matches_record"});
  for (const char* verdict : {"gives_keys_out", "inconclusive", ""}) {
    evidence = sample();
    evidence.probe.verdict = verdict;
    evidence.probe.accepted = true;
    CHECK(failed(evidence) == Names{"token_keeps_keys"});
  }
}

TEST_CASE("a payload that says of itself what does not follow from it is none") {
  const std::string good = payload_of(sample());
  REQUIRE(parse_key_evidence(good));
  KeyEvidence imported = sample();
  imported.key->local = false;
  for (const std::string& text :
       {std::string(),
        std::string("{}"),
        good + " ",
        " " + good,
        good + "\n",
        good + good,
        replaced(good, "\"private_keys\":1", "\"private_keys\":2"),
        replaced(good, "\"private_keys\":1", "\"private_keys\":1.0"),
        replaced(good, "\"CKA_SENSITIVE\":true", "\"CKA_SENSITIVE\":false"),
        replaced(good, "\"CKA_SENSITIVE\":true", "\"CKA_SENSITIVE\": true"),
        replaced(good, "\"CKA_SENSITIVE\":true", "\"CKA_SENSITIVE\":true,\"CKA_SENSITIVE\":true"),
        replaced(good, "\"CKA_SENSITIVE\":true,", ""),
        replaced(good, "\"verdict\":\"keeps_keys\"", "\"verdict\":\"gives_keys_out\""),
        replaced(good, "\"accepted\":false,", ""),
        replaced(good, "08:00:00.000Z", "08:00:00Z"),
        replaced(good, "\"nonce\"", "\"Nonce\""),
        replaced(good, "\"bits\":256", "\"bits\":\"256\""),
        replaced(good, "\"sha256\"", "\"sha1\""),
        replaced(good, "\"00ff\"", "\"00fe\""),
        replaced(good, "Payments",
                 "Payment"
                 "\\u0073"),
        replaced(good, "2026-11-25", "2026-11-24"),
        replaced(good, ".123Z", ".1230Z"),
        replaced(payload_of(imported), "\"local\":\"fail\"", "\"local\":\"pass\""),
        replaced(good, "\"matches_record\":\"pass\"", "\"matches_record\":\"perhaps\"")}) {
    CAPTURE(text);
    CHECK_FALSE(parse_key_evidence(text));
  }
}

TEST_CASE("a nonce is 1 to 128 characters of visible ASCII") {
  for (const std::string& nonce : {std::string("0"), std::string("!~"), std::string(128, 'x')}) CHECK(is_nonce(nonce));
  for (const std::string& text : {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\n"),
                                  std::string("\x7f"), std::string("\xc3\xa4"), std::string(1, '\0')}) {
    CHECK_FALSE(is_nonce(text));
  }
}
