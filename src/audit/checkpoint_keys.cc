#include "audit/checkpoint_keys.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"

namespace hsmsigner::audit {
namespace {

// Far more than a service makes in its life; a journal made by somebody else must not fill the memory.
constexpr std::size_t kMostKeys = 1000;
constexpr std::size_t kLongestKeyId = 64;

// Ids are shown to people: one that is none of ours must not write to their terminal.
bool is_key_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestKeyId &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string kid(const std::string& id) { return "key " + (is_key_id(id) ? id : std::string("of an id that is none")); }

}  // namespace

CheckpointKeys::CheckpointKeys(std::vector<PublicKey> pinned) {
  for (PublicKey& key : pinned) {
    std::string fingerprint = crypto::public_key_fingerprint(key);
    pinned_.push_back({std::move(key), std::move(fingerprint), true});
  }
}

std::optional<Refusal> CheckpointKeys::add(const AuditKeyItem& item) {
  std::optional<PublicKey> key;
  try {
    key = crypto::public_key_from_pem(item.public_key_pem);
    // There is one way to write a key; another was not written by this program.
    if (crypto::public_key_pem(*key) != item.public_key_pem) key.reset();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
  }
  if (!key || !is_key_id(item.id)) {
    return Refusal{Fault::key_unreadable, kid(item.id) + " is no public key as this program writes it"};
  }
  if (const auto known = told_.find(item.id); known != told_.end()) {
    if (known->second.key == *key) return std::nullopt;
    return Refusal{Fault::key_contradicted, kid(item.id) + " is told twice, as two different keys"};
  }
  if (told_.size() == kMostKeys) {
    return Refusal{Fault::key_unreadable, "there are more than " + std::to_string(kMostKeys) + " keys"};
  }
  std::string fingerprint = crypto::public_key_fingerprint(*key);
  told_.emplace(item.id, Known{*std::move(key), std::move(fingerprint), false});
  return std::nullopt;
}

std::optional<Refusal> CheckpointKeys::take_making(const Event& made) {
  const auto known = told_.find(made.object);
  if (known == told_.end()) return std::nullopt;
  for (const auto& [name, value] : made.details) {
    if (name != kMadeKeyDigest) continue;
    if (value != known->second.fingerprint) {
      return Refusal{Fault::key_contradicted, kid(made.object) + " is another than the one that was made"};
    }
    known->second.made = true;
  }
  return std::nullopt;
}

bool CheckpointKeys::is_founded(const KeyUse& signer) const {
  if (signer.pinned) return true;
  const auto known = told_.find(signer.id);
  return known != told_.end() && known->second.made;
}

const CheckpointKeys::Known* CheckpointKeys::find_signer(std::string_view jws, const std::string& key_id) const {
  if (!pinned_.empty()) {
    const auto signer = std::find_if(pinned_.begin(), pinned_.end(),
                                     [&](const Known& known) { return crypto::verifies_jws(jws, known.key); });
    return signer == pinned_.end() ? nullptr : &*signer;
  }
  const auto known = told_.find(key_id);
  return known != told_.end() && crypto::verifies_jws(jws, known->second.key) ? &known->second : nullptr;
}

std::variant<SignedCheckpoint, Refusal> CheckpointKeys::read(std::string_view jws) const {
  crypto::Jws opened;
  try {
    opened = crypto::read_jws(jws);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
    return Refusal{Fault::checkpoint_unreadable, "is no JWS as this program makes them"};
  }
  std::optional<Checkpoint> checkpoint = parse_checkpoint(opened.payload);
  if (opened.type != kCheckpointType || !checkpoint || !is_key_id(opened.key_id)) {
    return Refusal{Fault::checkpoint_unreadable, "is no checkpoint"};
  }
  if (const Known* const signer = find_signer(jws, opened.key_id)) {
    return SignedCheckpoint{*std::move(checkpoint), {opened.key_id, signer->fingerprint, signer->pinned}};
  }
  const auto told = told_.find(opened.key_id);
  const bool trusted =
      told != told_.end() && (pinned_.empty() || std::any_of(pinned_.begin(), pinned_.end(), [&](const Known& known) {
                                return known.key == told->second.key;
                              }));
  if (trusted) return Refusal{Fault::signature_bad, "is not signed by " + kid(opened.key_id) + ", which it names"};
  return Refusal{Fault::key_unknown, "names " + kid(opened.key_id) +
                                         (pinned_.empty() ? ", which the journal does not know"
                                                          : ", and is signed by none of the keys that were given")};
}

void CheckpointKeys::count(const SignedCheckpoint& taken) {
  const KeyUse& signer = taken.signer;
  KeyUse& use = uses_.try_emplace({signer.id, signer.fingerprint}, signer).first->second;
  ++use.checkpoints;
  use.last = taken.checkpoint;
}

std::vector<KeyUse> CheckpointKeys::uses() const {
  std::vector<KeyUse> uses;
  for (const auto& entry : uses_) uses.push_back(entry.second);
  return uses;
}

}  // namespace hsmsigner::audit
