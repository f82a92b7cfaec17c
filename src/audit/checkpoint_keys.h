// Which keys a checkpoint may be signed with, and who said so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/event.h"
#include "audit/journal_source.h"
#include "audit/problem.h"
#include "base/signer.h"

namespace hsmsigner::audit {

// Detail of audit_key_made: the key's crypto::public_key_fingerprint().
inline constexpr const char* kMadeKeyDigest = "public_key_sha256";

// A key that has signed a checkpoint.
struct KeyUse {
  std::string id;           // `kid`, printable ASCII
  std::string fingerprint;  // crypto::public_key_fingerprint()
  bool pinned = false;      // given by who verifies; otherwise known from the journal alone
  std::uint64_t checkpoints = 0;
  std::optional<Checkpoint> last = std::nullopt;  // of these
};

struct SignedCheckpoint {
  Checkpoint checkpoint;
  KeyUse signer;  // `checkpoints` is 0
};

// Why a key or checkpoint is not taken: a sentence without its subject.
struct Refusal {
  Fault fault;
  std::string why;
};

class CheckpointKeys {
 public:
  // With `pinned` keys only these are trusted; without, those that the journal tells.
  explicit CheckpointKeys(std::vector<PublicKey> pinned);

  // A key that the journal tells.
  std::optional<Refusal> add(const AuditKeyItem& item);
  // An event that tells of a key's making, audit_key_made: whether it is the key that is known under this id.
  std::optional<Refusal> take_making(const Event& made);
  // Whether an event has told of this key's making, or the key was given by who verifies.
  bool is_founded(const KeyUse& signer) const;
  // Reads a checkpoint and verifies its signature.
  std::variant<SignedCheckpoint, Refusal> read(std::string_view jws) const;
  // Counts one that read() took.
  void count(const SignedCheckpoint& taken);
  std::vector<KeyUse> uses() const;

 private:
  struct Known {
    PublicKey key;
    std::string fingerprint;
    bool pinned;
    bool made = false;  // an event tells of it
  };
  const Known* find_signer(std::string_view jws, const std::string& key_id) const;

  std::vector<Known> pinned_;
  std::map<std::string, Known> told_;                           // by `kid`
  std::map<std::pair<std::string, std::string>, KeyUse> uses_;  // by `kid` and fingerprint
};

}  // namespace hsmsigner::audit
