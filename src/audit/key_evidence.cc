#include "audit/key_evidence.h"

#include <algorithm>

#include "audit/canonical_json.h"
#include "audit/canonical_reader.h"
#include "base/base64.h"

namespace hsmsigner::audit {
namespace {

constexpr std::string_view kChallengeTitle = "hsm-signer key challenge v1";

// Which member of the payload is which member of the structure: one table to write and to read by.
template <typename Owner, typename Value>
struct Member {
  std::string_view name;
  Value Owner::*value;
};

constexpr Member<KeyEvidence::Certificate, std::string> kCertificate[] = {
    {"id", &KeyEvidence::Certificate::id},
    {"name", &KeyEvidence::Certificate::name},
    {"container", &KeyEvidence::Certificate::container},
    {"serial", &KeyEvidence::Certificate::serial},
    {"fingerprint_sha256", &KeyEvidence::Certificate::fingerprint_sha256},
    {"pem", &KeyEvidence::Certificate::pem},
};
constexpr Member<KeyEvidence::Token, std::string> kToken[] = {
    {"label", &KeyEvidence::Token::label},
    {"serial", &KeyEvidence::Token::serial},
    {"manufacturer", &KeyEvidence::Token::manufacturer},
    {"model", &KeyEvidence::Token::model},
    {"firmware", &KeyEvidence::Token::firmware},
    {"module", &KeyEvidence::Token::module},
    {"module_description", &KeyEvidence::Token::module_description},
};
constexpr Member<KeyEvidence::Key, bool> kAttributes[] = {
    {"CKA_TOKEN", &KeyEvidence::Key::token},
    {"CKA_PRIVATE", &KeyEvidence::Key::is_private},
    {"CKA_SENSITIVE", &KeyEvidence::Key::sensitive},
    {"CKA_ALWAYS_SENSITIVE", &KeyEvidence::Key::always_sensitive},
    {"CKA_EXTRACTABLE", &KeyEvidence::Key::extractable},
    {"CKA_NEVER_EXTRACTABLE", &KeyEvidence::Key::never_extractable},
    {"CKA_LOCAL", &KeyEvidence::Key::local},
    {"CKA_SIGN", &KeyEvidence::Key::sign},
    {"CKA_DECRYPT", &KeyEvidence::Key::decrypt},
    {"CKA_UNWRAP", &KeyEvidence::Key::unwrap},
    {"CKA_DERIVE", &KeyEvidence::Key::derive},
};

template <typename Owner, std::size_t size>
CanonicalObject texts_of(const Owner& owner, const Member<Owner, std::string> (&members)[size]) {
  CanonicalObject object;
  for (const auto& member : members) object.text(member.name, owner.*member.value);
  return object;
}

template <typename Owner, std::size_t size>
bool read_texts(const ObjectReader& reader, std::string_view object, Owner& owner,
                const Member<Owner, std::string> (&members)[size]) {
  for (const auto& member : members) {
    auto text = reader.text(object, member.name);
    if (!text) return false;
    owner.*member.value = *std::move(text);
  }
  return true;
}

void write_key(CanonicalObject& payload, const KeyEvidence::Key& key) {
  CanonicalObject object;
  object.text("id", key.id);
  object.text("label", key.label);
  object.text("type", key.type);
  object.number("bits", key.bits);
  if (key.generation_mechanism) object.number("generation_mechanism", *key.generation_mechanism);
  object.text("generation_mechanism_name", key.generation_mechanism_name);
  payload.object("key", object);
  CanonicalObject attributes;
  for (const auto& member : kAttributes) attributes.flag(member.name, key.*member.value);
  payload.object("attributes", attributes);
}

std::optional<KeyEvidence::Key> read_key(const ObjectReader& reader) {
  KeyEvidence::Key key;
  const auto id = reader.text("key", "id");
  const auto label = reader.text("key", "label");
  const auto type = reader.text("key", "type");
  const auto bits = reader.number("key", "bits");
  const auto mechanism_name = reader.text("key", "generation_mechanism_name");
  if (!id || !label || !type || !bits || !mechanism_name) return std::nullopt;
  key.id = *id;
  key.label = *label;
  key.type = *type;
  key.bits = *bits;
  key.generation_mechanism = reader.number("key", "generation_mechanism");
  key.generation_mechanism_name = *mechanism_name;
  for (const auto& member : kAttributes) {
    const auto flag = reader.flag("attributes", member.name);
    if (!flag) return std::nullopt;
    key.*member.value = *flag;
  }
  return key;
}

CanonicalObject probe_object(const KeyEvidence::Probe& probe) {
  CanonicalObject object;
  object.text("time", date_time(probe.time));
  object.text("verdict", probe.verdict);
  object.flag("accepted", probe.accepted);
  object.text("codes", probe.codes);
  return object;
}

bool read_probe(const ObjectReader& reader, KeyEvidence::Probe& probe) {
  const auto time = reader.text("probe", "time");
  const auto moment = time ? parse_date_time(*time) : std::nullopt;
  auto verdict = reader.text("probe", "verdict");
  const auto accepted = reader.flag("probe", "accepted");
  auto codes = reader.text("probe", "codes");
  if (!moment || !verdict || !accepted || !codes) return false;
  probe = {*moment, *std::move(verdict), *accepted, *std::move(codes)};
  return true;
}

CanonicalObject challenge_object(const KeyEvidence& evidence) {
  CanonicalObject object;
  const std::string text = challenge_of(evidence);
  object.text("text", to_base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  object.text("random", evidence.random);
  object.text("digest", "sha256");
  object.text("signature", evidence.signature);
  return object;
}

constexpr std::string_view word_of(bool passed) { return passed ? "pass" : "fail"; }

}  // namespace

bool is_nonce(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string challenge_of(const KeyEvidence& evidence) {
  std::string text(kChallengeTitle);
  for (const std::string& line : {evidence.certificate.id, evidence.certificate.fingerprint_sha256, evidence.nonce,
                                  date_time(evidence.time), evidence.random}) {
    text += '\n';
    text += line;
  }
  return text;
}

std::vector<Verdict> verdicts_of(const KeyEvidence& evidence) {
  const bool there = evidence.key.has_value();
  const KeyEvidence::Key key = evidence.key.value_or(KeyEvidence::Key{});
  return {
      {"private_key_present", evidence.private_keys > 0, "the token has a private key with the certificate's id"},
      {"unique", evidence.private_keys == 1, "it has no second one"},
      {"token_object", there && key.token && key.is_private, "the key stays in the token, behind the PIN"},
      {"sensitive", there && key.sensitive, "the token does not show its value"},
      {"always_sensitive", there && key.always_sensitive, "and never did"},
      {"not_extractable", there && !key.extractable, "the token does not give it out wrapped"},
      {"never_extractable", there && key.never_extractable, "and never did"},
      {"local", there && key.local, "it was made in the token"},
      {"signs_only", there && key.sign && !key.decrypt && !key.unwrap && !key.derive, "it signs and does nothing else"},
      {"answers_challenge", evidence.answers_challenge, "it signs for the certificate's public key"},
      {"matches_record", evidence.matches_record, "it is as it was when the certificate was made"},
      {"token_keeps_keys", evidence.probe.verdict == kKeepsKeys,
       "the token gave out no key in any way that was tried when the server started"},
  };
}

std::string payload_of(const KeyEvidence& evidence) {
  CanonicalObject payload;
  payload.text("time", date_time(evidence.time));
  payload.text("nonce", evidence.nonce);
  payload.object("certificate", texts_of(evidence.certificate, kCertificate));
  payload.object("token", texts_of(evidence.token, kToken));
  payload.object("probe", probe_object(evidence.probe));
  payload.number("private_keys", evidence.private_keys);
  if (evidence.key) write_key(payload, *evidence.key);
  payload.object("challenge", challenge_object(evidence));
  CanonicalObject verdicts;
  for (const Verdict& verdict : verdicts_of(evidence)) verdicts.text(verdict.name, word_of(verdict.passed));
  payload.object("verdicts", verdicts);
  return payload.finished();
}

std::optional<KeyEvidence> parse_key_evidence(std::string_view payload) {
  const ObjectReader reader(payload);
  KeyEvidence evidence;
  const auto time = reader.time("time");
  const auto nonce = reader.text("nonce");
  const auto private_keys = reader.number("private_keys");
  const auto random = reader.text("challenge", "random");
  const auto signature = reader.text("challenge", "signature");
  const auto answers = reader.text("verdicts", "answers_challenge");
  const auto matches = reader.text("verdicts", "matches_record");
  if (!time || !nonce || !private_keys || !random || !signature || !answers || !matches ||
      !read_texts(reader, "certificate", evidence.certificate, kCertificate) ||
      !read_texts(reader, "token", evidence.token, kToken) || !read_probe(reader, evidence.probe)) {
    return std::nullopt;
  }
  evidence.time = *time;
  evidence.nonce = *nonce;
  evidence.private_keys = *private_keys;
  if (evidence.private_keys == 1) {
    evidence.key = read_key(reader);
    if (!evidence.key) return std::nullopt;
  }
  evidence.random = *random;
  evidence.signature = *signature;
  evidence.answers_challenge = *answers == word_of(true);
  evidence.matches_record = *matches == word_of(true);
  return payload_of(evidence) == payload ? std::optional(std::move(evidence)) : std::nullopt;
}

}  // namespace hsmsigner::audit
