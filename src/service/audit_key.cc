#include "service/audit_key.h"

#include <utility>

#include "base/base64.h"
#include "base/error.h"
#include "base/log.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"

namespace hsmsigner::service {
namespace {

// Those of crypto/jws.h, the faster one first.
constexpr KeyAlgorithm kPreferred = KeyAlgorithm::ec_p256;
constexpr KeyAlgorithm kOtherwise = KeyAlgorithm::rsa_3072;

audit::Event made_event(const Uuid& id, KeyAlgorithm algorithm, const PublicKey& key) {
  audit::Event event{.kind = audit::EventKind::audit_key_made, .object = id.to_string()};
  event.details = {{"algorithm", std::string(info(algorithm).name)},
                   {"public_key_sha256", crypto::public_key_fingerprint(key)},
                   {"public_key", to_base64(crypto::public_key_der(key))}};
  return event;
}

}  // namespace

AuditKey::AuditKey(hsm::Token& token, store::JournalStore& journal, Clock clock)
    : token_(token), journal_(journal), clock_(std::move(clock)) {}

bool AuditKey::adopt(Deadline deadline) {
  for (const store::AuditKeyRecord& record : journal_.audit_keys()) {
    auto key = token_.key(record.id, crypto::public_key_from_pem(record.public_key_pem));
    if (!key->is_present(deadline)) {
      log::warning("an audit key is not in the token", {{"kid", record.id.to_string()}});
      continue;
    }
    const std::lock_guard lock(mutex_);
    signing_ = Signing{record, std::move(key)};
    return true;
  }
  return false;
}

void AuditKey::ensure(Deadline deadline) {
  if (adopt(deadline)) return;
  const KeyAlgorithm algorithm = token_.can_generate(kPreferred) ? kPreferred : kOtherwise;
  const Uuid id = Uuid::random();
  hsm::GeneratedKey made = token_.generate({id, algorithm, true}, deadline);
  const PublicKey& key = made.key()->public_key();
  journal_.add_audit_key({id, crypto::public_key_pem(key), clock_()}, made_event(id, algorithm, key), deadline);
  made.keep();
  log::info("audit key made", {{"kid", id.to_string()}, {"algorithm", info(algorithm).name}});
  // Another process may have made one at the same time: the newest is everybody's.
  if (!adopt(deadline)) throw Error(ErrorKind::token_unavailable, {"the audit key is not in the token any more"});
}

std::string AuditKey::sign(std::string_view type, std::string_view payload, Deadline deadline) {
  const Signing now = signing();
  return crypto::sign_jws(type, now.record.id.to_string(), payload, *now.key, deadline);
}

std::optional<std::string> AuditKey::public_key_pem(std::string_view kid) {
  for (const store::AuditKeyRecord& record : journal_.audit_keys()) {
    if (record.id.to_string() == kid) return record.public_key_pem;
  }
  return std::nullopt;
}

store::AuditKeyRecord AuditKey::current() { return signing().record; }

AuditKey::Signing AuditKey::signing() {
  const std::lock_guard lock(mutex_);
  if (!signing_) throw Error(ErrorKind::token_unavailable, {"there is no audit key yet"});
  return *signing_;
}

}  // namespace hsmsigner::service
