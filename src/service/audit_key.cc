#include "service/audit_key.h"

#include <utility>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
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

constexpr std::size_t kPage = 500;
constexpr const char* kPublicKey = "public_key";

audit::Event made_event(const Uuid& id, KeyAlgorithm algorithm, const PublicKey& key) {
  audit::Event event{.kind = audit::EventKind::audit_key_made, .object = id.to_string()};
  event.details = {{"algorithm", std::string(info(algorithm).name)},
                   {"public_key_sha256", crypto::public_key_fingerprint(key)},
                   {kPublicKey, to_base64(crypto::public_key_der(key))}};
  return event;
}

bool is_signed_by(const std::string& jws, const store::AuditKeyRecord& record) {
  try {
    const crypto::Jws opened = crypto::read_jws(jws);
    return opened.type == audit::kCheckpointType && opened.key_id == record.id.to_string() &&
           crypto::verifies_jws(jws, crypto::public_key_from_pem(record.public_key_pem));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
    return false;
  }
}

}  // namespace

AuditKey::AuditKey(hsm::Token& token, store::JournalStore& journal, store::CertificateStore& certificates, Clock clock)
    : token_(token), journal_(journal), certificates_(certificates), clock_(std::move(clock)) {}

bool AuditKey::adopt(Deadline deadline) {
  for (const store::AuditKeyRecord& record : journal_.audit_keys()) {
    auto key = token_.key(record.id, crypto::public_key_from_pem(record.public_key_pem));
    if (!key->is_present(deadline)) {
      log::warning("an audit key is not in the token", {{"kid", record.id.to_string()}});
      continue;
    }
    if (const auto against = objection(record, deadline)) {
      log::error("a key that the database calls an audit key is not taken",
                 {{"kid", record.id.to_string()}, {"reason", *against}});
      continue;
    }
    const std::lock_guard lock(mutex_);
    signing_ = Signing{record, std::move(key)};
    return true;
  }
  return false;
}

std::optional<std::string> AuditKey::objection(const store::AuditKeyRecord& record, Deadline deadline) {
  if (certificates_.find(record.id)) return "is the key of a certificate";
  store::JournalFilter other_use;
  other_use.kind = audit::EventKind::access_token_key_made;
  other_use.object = record.id.to_string();
  if (!journal_.find(other_use, 0, 1).empty()) return "was made to sign access tokens";
  if (!is_told(record) && (journal_.first_sequence() <= 1 || !has_signed_checkpoint(record))) {
    return "is not the one whose making the journal tells of";
  }
  const hsm::KeyAttributes key = token_.attributes(record.id, deadline);
  if (!key.sensitive || key.extractable || !key.never_extractable) return "can leave the token, or once could";
  if (!key.local) return "was not made in the token";
  return std::nullopt;
}

bool AuditKey::is_told(const store::AuditKeyRecord& record) {
  store::JournalFilter made;
  made.kind = audit::EventKind::audit_key_made;
  made.object = record.id.to_string();
  const std::string public_key = to_base64(crypto::public_key_der(crypto::public_key_from_pem(record.public_key_pem)));
  for (const store::JournalLine& line : journal_.find(made, 0, kPage)) {
    const auto event = audit::parse_line(line.line);
    if (!event || event->event.kind != audit::EventKind::audit_key_made ||
        event->event.object != record.id.to_string()) {
      continue;
    }
    for (const auto& [name, value] : event->event.details) {
      if (name == kPublicKey && value == public_key) return true;
    }
  }
  return false;
}

bool AuditKey::has_signed_checkpoint(const store::AuditKeyRecord& record) {
  if (const auto last = journal_.last_checkpoint(); last && is_signed_by(last->jws, record)) return true;
  for (std::uint64_t seen = 0;;) {
    const std::vector<store::CheckpointRecord> page = journal_.checkpoints(seen, kPage);
    if (page.empty()) return false;
    for (const store::CheckpointRecord& checkpoint : page) {
      if (is_signed_by(checkpoint.jws, record)) return true;
    }
    seen = page.back().number;
  }
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

bool AuditKey::is_signed_by_ours(std::string_view jws, Deadline deadline) {
  if (crypto::verifies_jws(jws, signing().key->public_key())) return true;
  const std::string kid = crypto::read_jws(jws).key_id;
  for (const store::AuditKeyRecord& record : journal_.audit_keys()) {
    if (record.id.to_string() != kid) continue;
    const PublicKey key = crypto::public_key_from_pem(record.public_key_pem);
    return crypto::verifies_jws(jws, key) && token_.key(record.id, key)->is_present(deadline) &&
           !objection(record, deadline);
  }
  return false;
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
