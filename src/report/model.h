// The compliance report as plain values: what service/compliance found out, and nothing that was not looked at. What
// the findings mean is for controls.h; how they are written down, for html.h and json.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace hsmsigner::report {

struct TokenFacts {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  std::string module_path;
  std::string module_description;
  bool is_softhsm = false;                    // a token made of software: no validated module
  std::set<std::string> key_algorithms = {};  // of the keys of records and of the service in it, as it reports them
};

// What a throwaway key was asked to give away, and what the token answered.
struct ProbeAttempt {
  std::string algorithm;    // "RSA-2048"
  std::string attempt;      // "C_WrapKey CKM_AES_KEY_WRAP_PAD"
  std::string return_code;  // "CKR_KEY_UNEXTRACTABLE (0x6a)"; "" when it was not tried
  std::string outcome;      // "refused"
  bool tried = true;        // else there was no way to
  bool given_away = false;  // the key or a part of it came out, or is no longer protected
};

enum class ProbeOutcome { keeps_keys, gives_keys_out, inconclusive };

struct ProbeFacts {
  UnixMillis at;
  std::vector<std::string> algorithms;  // of the throwaway keys that were made and asked for
  std::vector<ProbeAttempt> attempts;
  ProbeOutcome outcome = ProbeOutcome::inconclusive;
  std::vector<std::string> reasons;  // why it is inconclusive, or a key was not made as asked
};

// One of several tokens.
struct ProbedToken {
  TokenFacts token;
  std::optional<ProbeFacts> probe;  // none: was not made
};

// One object in a list of findings. What is not known is "".
struct Finding {
  std::string id;         // of the certificate, or CKA_ID in hexadecimal
  std::string name;       // of the certificate, or the key's label
  std::string container;  // "folder:Payments"
  std::string detail;     // a sentence
};

// Of long lists only the first ones are written down; `total` counts all.
inline constexpr std::size_t kMostFindings = 100;

class FindingList {
 public:
  void add(Finding finding);
  std::size_t total() const noexcept { return total_; }
  const std::vector<Finding>& shown() const noexcept { return shown_; }

 private:
  std::size_t total_ = 0;
  std::vector<Finding> shown_;
};

struct AlgorithmCount {
  std::string algorithm;  // "P-256"
  std::size_t certificates = 0;
  std::size_t weak = 0;  // of these, below 112 bits of strength
};

struct MonthCount {
  int year = 0;
  unsigned month = 0;  // 1 … 12
  std::size_t certificates = 0;
};

struct DayCount {
  std::chrono::sys_days day;
  std::size_t certificates = 0;
};

struct Inventory {
  std::size_t certificates = 0;        // with a certificate; all that follow are of these unless they say otherwise
  std::size_t pending = 0;             // signing requests whose certificate has not come
  std::size_t authorities = 0;         // certificates that may sign others
  std::size_t with_key = 0;            // certificates and signing requests that should have a key in the token
  std::size_t without_key = 0;         // certificates imported without a key
  std::size_t token_private_keys = 0;  // objects in the token
  std::size_t service_keys = 0;        // of these, the service's own: access tokens, the journal
  std::size_t non_exportable = 0;      // keys of certificates that the token itself reports as such

  FindingList orphans;     // private keys in the token that belong to nothing here
  FindingList missing;     // records whose key is not in the token
  FindingList duplicates;  // a CKA_ID that several private keys have
  FindingList mismatches;  // the token says otherwise than the record, or the key is not its certificate's
  FindingList weakened;    // keys meant to be blocked that the token reports extractable, or not sensitive
  FindingList weak;        // unexpired certificates whose key, here or not, has fewer than 112 bits of strength
  FindingList unjudged;    // unexpired certificates of which that cannot be told: a key of another kind
  FindingList exportable;
  FindingList imported;      // keys that were not made in the token
  FindingList expired;       // keys of expired certificates, still here
  FindingList expiring_30;   // within 30 days
  FindingList expiring_60;   // within 31 to 60 days
  FindingList expiring_90;   // within 61 to 90 days
  FindingList weak_digests;  // unexpired certificates signed with MD5 or SHA-1
};

// Live signatures over fresh random octets, verified under the certificate's public key.
struct Challenges {
  bool sampled = false;        // else every key that there is
  std::size_t eligible = 0;    // keys of certificates that are in the token once
  std::size_t challenged = 0;  // of these
  std::size_t answered = 0;    // of these, with a signature that verifies; the others are in Inventory::mismatches
  std::size_t compared = 0;    // RSA keys whose modulus in the token is the certificate's; asked without signing
  // Why a key that is on record is not eligible; each is counted once.
  std::size_t pending = 0;      // of a signing request: there is no certificate to answer under
  std::size_t missing = 0;      // not in the token
  std::size_t ambiguous = 0;    // its CKA_ID does not single it out
  std::size_t mismatching = 0;  // known to be another, without asking
  std::size_t gone = 0;         // deleted while the report was made
};

struct Issuance {
  std::size_t issued_here = 0;          // certificates with a serial number of this service
  unsigned shortest_serial_bits = 0;    // of these; 0 when there are none
  FindingList short_serials;            // below 64 bits
  FindingList repeated_serials;         // the same number twice from one issuer
  FindingList beyond_tls_limit;         // end entities whose validity a publicly trusted TLS certificate may not have
  std::size_t end_entities = 0;         // issued here, not authorities
  std::size_t covered_by_journal = 0;   // records made since the oldest event that is still here
  FindingList without_event;            // of these, those that no event tells of
  std::size_t made_before_journal = 0;  // nothing can be said of these
  std::vector<DayCount> per_day;        // the last 90 days, in order, each of them
  std::size_t expired = 0;              // per_month begins with the month of the report
  std::vector<MonthCount> per_month;    // of expiry: 24 months, in order
  std::size_t later = 0;                // expiring after these
  std::vector<AlgorithmCount> algorithms;  // in the order of the table of algorithms
};

struct AccountFacts {
  std::string client_id;
  bool enabled = true;
  bool expired = false;
  bool secret_initial = false;  // not yet rotated by its holder
  std::vector<std::string> grants;
  std::vector<std::string> roles;  // each once
  bool active() const noexcept { return enabled && !expired; }
};

struct JournalCheck {
  bool intact = false;
  std::uint64_t from = 0;  // first event looked at
  std::uint64_t to = 0;    // last one
  std::string finding;     // when not intact: the first bad event and why
};

struct LastReport {
  std::uint64_t event = 0;  // the event report_made
  UnixMillis at;
  std::uint64_t sequence = 0;  // what that report said of the journal
  std::string head;
  bool head_is_unchanged = false;  // the event of that sequence still has that hash
  bool is_archived = false;        // it is no longer here: nothing can be said
};

struct CheckpointFacts {
  std::uint64_t number = 0;
  std::uint64_t sequence = 0;
  UnixMillis at;
};

enum class KeyAnswer {
  answers,  // the token has it, and its signature verifies under the public key on record
  absent,   // the token has no key of its id
  another,  // the token has another key under its id, or several
};

// A key that has signed checkpoints, or signs the report.
struct CheckpointKey {
  std::string id;           // `kid`
  std::string fingerprint;  // SHA-256 of its SubjectPublicKeyInfo
  std::uint64_t checkpoints = 0;
  std::uint64_t covers = 0;  // the last event that these vouch for
  KeyAnswer answer = KeyAnswer::another;
  bool signs_now = false;
};

// How far the journal may be ahead of its checkpoints: settings.
struct CheckpointPromise {
  std::uint64_t events = 0;
  std::chrono::seconds interval{0};
};

struct JournalFacts {
  std::uint64_t first = 0;  // oldest event still here; 0: none
  std::uint64_t sequence = 0;
  std::string head;
  std::uint64_t checkpoints = 0;
  // The last one that verifies, by a key that answers.
  std::optional<CheckpointFacts> last_checkpoint;
  std::vector<CheckpointKey> keys;
  std::uint64_t key_made = 0;  // the event that tells of the making of the key that signs now; 0: not here
  std::chrono::seconds waiting{
      0};  // the oldest event that last_checkpoint does not cover, for so long; 0: there is none
  CheckpointPromise promise;
  std::string refusal;                // why no checkpoint was made for the report; "": nothing kept it from that
  std::optional<JournalCheck> check;  // none: was not verified
  std::optional<LastReport> last_report;
};

struct AuditKeyFacts {
  std::string id;
  std::string fingerprint;  // SHA-256 of its SubjectPublicKeyInfo
};

struct Facts {
  UnixMillis made_at;
  std::string service_version;
  TokenFacts token;                         // with the service's own keys
  std::optional<ProbeFacts> probe;          // of that one; none: was not made
  std::vector<ProbedToken> further_tokens;  // where keys of certificates are too
  Inventory inventory;                      // of all of them together
  std::optional<Challenges> challenges;     // none: were not made
  Issuance issuance;
  std::vector<AccountFacts> accounts;  // ordered by client id
  JournalFacts journal;
  std::optional<AuditKeyFacts> audit_key;  // that signs the report
};

// The first one and the further ones.
std::vector<ProbedToken> all_tokens(const Facts& facts);

std::string_view to_string(KeyAnswer answer) noexcept;      // "answers", "absent", "another"
std::string_view to_string(ProbeOutcome outcome) noexcept;  // "keeps_keys", "gives_keys_out", "inconclusive"

enum class Verdict { pass, attention, fail, not_applicable };
std::string_view to_string(Verdict verdict) noexcept;  // "pass", "attention", "fail", "not_applicable"

struct Figure {
  std::string name;
  std::uint64_t value = 0;
};

// What a standard asks for, and whether it is so.
struct Control {
  std::string_view id;         // "KEY-1"
  std::string_view title;      // what must be so, as a sentence
  std::string_view reference;  // the standard and its section
  Verdict verdict = Verdict::not_applicable;
  std::vector<std::string> evidence;  // sentences
  std::vector<Figure> figures;
};

struct Report {
  Facts facts;
  std::vector<Control> controls;  // controls.h
};

}  // namespace hsmsigner::report
