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
#include "store/journal_store.h"

namespace hsmsigner::service {

// Thread safe.
class AuditKey {
 public:
  // Both outlive this object.
  AuditKey(hsm::Token& token, store::JournalStore& journal, Clock clock);

  // Sees to it that there is one, and that the token has it: makes a P-256 key (RSA-3072 where the token has no P-256)
  // when there is none or the token lost it, with the event audit_key_made. Throws what the token and the journal
  // throw.
  void ensure(Deadline deadline);
  // A JWS of this type (crypto/jws.h). Throws Error{token_unavailable} before ensure().
  std::string sign(std::string_view type, std::string_view payload, Deadline deadline);
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

  hsm::Token& token_;
  store::JournalStore& journal_;
  Clock clock_;
  std::mutex mutex_;
  std::optional<Signing> signing_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
