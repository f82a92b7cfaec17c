#include "service/left_plans.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "crypto/ec_recovery.h"
#include "crypto/public_key_info.h"
#include "service/key_proof.h"

namespace hsmsigner::service {
namespace {

using std::chrono::steady_clock;

std::optional<KeyClass> class_of(const hsm::KeyAttributes& attributes) {
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.family == attributes.family && row.bits == attributes.bits) {
      return KeyClass{row.algorithm, !attributes.extractable};
    }
  }
  return std::nullopt;
}

audit::Event event_of(audit::EventKind kind, const Uuid& id, const std::string& serial) {
  audit::Event event{.kind = kind, .object = id.to_string()};
  event.details = {{"token", serial}};
  return event;
}

}  // namespace

std::vector<StockKey> LeftPlans::look() {
  const Deadline now = steady_clock::now();
  for (const Uuid& id : store_.take_plans(token_.info().serial, clock_(), soon())) {
    pending_[id] = {now, now + pace_.longest_generation};
  }
  const bool due = std::ranges::any_of(pending_, [&](const auto& entry) { return entry.second.next <= now; });
  if (!due) return std::exchange(adopted_, {});
  std::map<Uuid, std::string> there;
  for (const hsm::NamedKey& key : token_.walk(deadline_in(6 * pace_.one_try))) {
    if (const auto id = Uuid::from_bytes(key.id)) there.emplace(*id, key.label);
  }
  std::vector<Uuid> never_made;
  for (auto at = pending_.begin(); at != pending_.end();) {
    auto& [id, pending] = *at;
    const auto found = there.find(id);
    if (pending.next > now) {
      ++at;
    } else if (found != there.end()) {
      settle(id, found->second);
      at = pending_.erase(at);
    } else if (pending.give_up <= now) {
      never_made.push_back(id);
      at = pending_.erase(at);
    } else {
      pending.next = pending.give_up;
      ++at;
    }
  }
  if (!never_made.empty()) store_.end_plans(never_made, nullptr, soon());
  return std::exchange(adopted_, {});
}

void LeftPlans::settle(const Uuid& id, const std::string& label) {
  try {
    if (const auto why_not = adopt(id, label)) destroy(id, *why_not);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::internal_error) throw;  // the token's or the store's state, and not this key's
    log::error("a key that a crash left cannot be dealt with", {{"id", id.to_string()}, {"cause", error.what()}});
  }
}

// Nothing when it is adopted; else why it must not be.
std::optional<std::string> LeftPlans::adopt(const Uuid& id, const std::string& label) {
  if (label != hsm::key_label(id)) return "its label is another one";
  const hsm::KeyDescription description = token_.describe(id, soon());
  const std::optional<KeyClass> key_class = class_of(description.attributes);
  if (!key_class) return "it is of no known kind";
  if (auto reason =
          hsm::why_not_as_asked({id, key_class->algorithm, key_class->block_export}, description.attributes)) {
    return reason;
  }
  const std::optional<PublicKey> public_key = public_half(id, description, key_class->algorithm);
  if (!public_key) return "its public half is not to be had";
  StockKey key{{id, *key_class, crypto::public_key_pem(*public_key), {}, clock_()}, token_.key(id, *public_key)};
  if (auto reason = prove(token_, key, soon())) return reason;
  audit::Event event = event_of(audit::EventKind::pool_key_adopted, id, token_.info().serial);
  event.details.emplace_back("class", key_class->to_string());
  store_.add({key.record}, store::KeyPoolStore::Hold::own, event, soon());
  log::info("a key that a crash left is taken into the pool", {{"id", id.to_string()}});
  adopted_.push_back(std::move(key));
  return std::nullopt;
}

std::optional<PublicKey> LeftPlans::public_half(const Uuid& id, const hsm::KeyDescription& key,
                                                KeyAlgorithm algorithm) {
  if (key.attributes.family == KeyFamily::rsa) {
    return key.rsa ? std::optional<PublicKey>(*key.rsa) : std::nullopt;
  }
  // A key of this curve whose point is not known: enough to sign with.
  const auto signer = token_.key(id, EcPublicKey{algorithm, {}});
  const auto sign = [&] {
    const Bytes digest = proof_digest();
    return crypto::SignedDigest{digest, signer->sign(Digest::sha256, digest, soon())};
  };
  const crypto::SignedDigest first = sign();
  const auto recovered = crypto::recover_ec_public_key(algorithm, Digest::sha256, first, sign());
  return recovered ? std::optional<PublicKey>(*recovered) : std::nullopt;
}

void LeftPlans::destroy(const Uuid& id, const std::string& why) {
  log::warning("a key that a crash left is destroyed", {{"id", id.to_string()}, {"reason", why}});
  try {
    token_.destroy(id, soon());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::object_not_present) throw;
  }
  audit::Event event = event_of(audit::EventKind::key_destroyed, id, token_.info().serial);
  event.details.emplace_back("reason", why);
  store_.end_plans({id}, &event, soon());
}

}  // namespace hsmsigner::service
