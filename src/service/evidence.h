// Use case: evidence on the key of a certificate, read from the token at that moment and signed (audit/key_evidence.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/key_evidence.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/uuid.h"
#include "service/actor.h"
#include "service/audit_key.h"
#include "service/catalogue.h"
#include "service/token_set.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Thread safe.
class Evidence {
 public:
  // All of them outlive this object. `probes`, in the order of tokens.all(), are what each did when this process tried
  // whether it keeps keys.
  Evidence(TokenSet& tokens, store::JournalStore& journal, Catalogue& catalogue, AuditKey& audit_key,
           std::vector<audit::KeyEvidence::Probe> probes)
      : tokens_(tokens), journal_(journal), catalogue_(catalogue), audit_key_(audit_key), probes_(std::move(probes)) {}

  // A JWS. The journal is told before it is returned. `nonce` is "" or what audit::is_nonce() takes. What the token
  // says against the key is part of the evidence; that it does not answer is an Error. Throws Error:
  // object_not_present, auth_unauthorized, invalid_command for a certificate without a key or one that has not come
  // yet, journal_unavailable, and what TokenSet::holding() and the token throw.
  std::string give(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                   const std::string& nonce, Deadline deadline);

 private:
  TokenSet& tokens_;
  store::JournalStore& journal_;
  Catalogue& catalogue_;
  AuditKey& audit_key_;
  const std::vector<audit::KeyEvidence::Probe> probes_;
};

}  // namespace hsmsigner::service
