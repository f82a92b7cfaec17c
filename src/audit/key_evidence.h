// Evidence on the key of one certificate: what the token said of it at one moment, and its answer to a challenge. It is
// a JWS (crypto/jws.h) of type kKeyEvidenceType by the audit key; its payload is one line of JSON, described in
// docs/EVIDENCE.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace hsmsigner::audit {

inline constexpr std::string_view kKeyEvidenceType = "hsm-signer-evidence+jws";

// A verdict of a probe.
inline constexpr std::string_view kKeepsKeys = "keeps_keys";

// 1 to 128 characters of visible ASCII (0x21 to 0x7e): what a nonce may be.
bool is_nonce(std::string_view text) noexcept;

struct KeyEvidence {
  UnixMillis time;
  std::string nonce;  // as it was given; "": none was

  struct Certificate {
    std::string id;
    std::string name;
    std::string container;           // "folder:Payments"
    std::string serial;              // upper-case hexadecimal
    std::string fingerprint_sha256;  // AA:BB:…
    std::string pem;
    bool operator==(const Certificate&) const = default;
  } certificate;

  struct Token {
    std::string label;
    std::string serial;
    std::string manufacturer;
    std::string model;
    std::string firmware;
    std::string module;              // the file's name
    std::string module_description;  // its own
    bool operator==(const Token&) const = default;
  } token;

  // What came of trying, when the server that gives the evidence started, whether the token gives keys out
  // (docs/TOKEN-PROBE.md).
  struct Probe {
    UnixMillis time;
    std::string verdict;    // kKeepsKeys, "gives_keys_out" or "inconclusive"
    bool accepted = false;  // the operator has named this token as one to serve with all the same
    std::string codes;      // the return codes, by algorithm and call
    bool operator==(const Probe&) const = default;
  } probe;

  std::uint64_t private_keys = 0;  // objects with the certificate's id for CKA_ID

  // If there is exactly one.
  struct Key {
    std::string id;  // CKA_ID, lower-case hexadecimal
    std::string label;
    std::string type;  // "RSA" or "EC"
    std::uint64_t bits = 0;
    std::optional<std::uint64_t> generation_mechanism;
    std::string generation_mechanism_name;
    bool token = false;
    bool is_private = false;
    bool sensitive = false;
    bool always_sensitive = false;
    bool extractable = false;
    bool never_extractable = false;
    bool local = false;
    bool sign = false;
    bool decrypt = false;
    bool unwrap = false;
    bool derive = false;
    bool operator==(const Key&) const = default;
  };
  std::optional<Key> key;

  std::string random;     // lower-case hexadecimal, from the token's generator: the last line of the challenge
  std::string signature;  // over the challenge with SHA-256, Base64, as openssl dgst takes it; "": the key gave none
  bool answers_challenge = false;
  bool matches_record = false;  // the key is as it was when the certificate was made

  bool operator==(const KeyEvidence&) const = default;
};

// What the key signs. It begins with words, so that it can be no structure of X.509, whose first octet is 0x30; and the
// certificate, the nonce and the time are in it, so that it is good for nothing else.
std::string challenge_of(const KeyEvidence& evidence);

// The checks by name, in their order. What could not be asked, since there is not exactly one key, is not passed.
struct Verdict {
  std::string_view name;
  bool passed;
  std::string_view meaning;
};
std::vector<Verdict> verdicts_of(const KeyEvidence& evidence);

std::string payload_of(const KeyEvidence& evidence);
// Nothing unless payload_of() gives this very text again: the verdicts, and the challenge, are what follows from the
// rest.
std::optional<KeyEvidence> parse_key_evidence(std::string_view payload);

}  // namespace hsmsigner::audit
