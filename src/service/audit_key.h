// The key in the token that signs checkpoints, evidence and reports, and nothing else: made in the token, never
// exported.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/signer.h"
#include "base/uuid.h"
#include "hsm/token.h"
#include "store/certificate_store.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Thread safe.
class AuditKey {
 public:
  // All outlive this object. Of `certificates` it asks only whether a key is that of one.
  AuditKey(hsm::Token& token, store::JournalStore& journal, store::CertificateStore& certificates, Clock clock);

  // Sees to it that there is one, and that the token has it: makes a P-256 key (RSA-3072 where the token has no P-256)
  // when there is none or the token lost it, with the event audit_key_made. A key that only a row of the database calls
  // an audit key is none, and is logged as an error: the journal must tell of its making, or a checkpoint be signed by
  // it when that event is archived; it must be no certificate's and no access tokens' key; and the token must say that
  // it was made there and never could leave it. Throws what the token and the stores throw.
  void ensure(Deadline deadline);
  // A JWS of this type (crypto/jws.h). Throws Error{token_unavailable} before ensure().
  std::string sign(std::string_view type, std::string_view payload, Deadline deadline);
  // Whether it is signed by the key that signs now, or by another that ensure() would take: another process may have
  // made one at the same time. Throws what the token and the stores throw.
  bool is_signed_by_ours(std::string_view jws, Deadline deadline);
  // By `kid`, among all there ever were, in PEM; nothing for an unknown one.
  std::optional<std::string> public_key_pem(std::string_view kid);
  // The one that signs now. Throws as sign().
  store::AuditKeyRecord current();

 private:
  struct Signing {
    store::AuditKeyRecord record;
    std::shared_ptr<hsm::TokenKey> key;
  };
  Signing signing();
  // Takes the newest that the token has; false when it has none.
  bool adopt(Deadline deadline);
  // What stands against this key as an audit key, a sentence without its subject; nothing: it is one. It is in the
  // token.
  std::optional<std::string> objection(const store::AuditKeyRecord& record, Deadline deadline);
  bool is_told(const store::AuditKeyRecord& record);
  bool has_signed_checkpoint(const store::AuditKeyRecord& record);

  hsm::Token& token_;
  store::JournalStore& journal_;
  store::CertificateStore& certificates_;
  Clock clock_;
  std::mutex mutex_;
  std::optional<Signing> signing_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
