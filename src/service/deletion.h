// Use case: delete a certificate and destroy its key (HTTP contract, section 4).
#pragma once

#include <mutex>
#include <set>

#include "base/clock.h"
#include "service/actor.h"
#include "service/catalogue.h"
#include "service/token_set.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// Thread safe.
class Deletion {
 public:
  // All of them outlive this object.
  Deletion(TokenSet& tokens, store::CertificateStore& store, Catalogue& catalogue)
      : tokens_(tokens), store_(store), catalogue_(catalogue) {}

  // Before remove() is called by anybody: a certificate that this server itself stands on.
  void protect(const Uuid& id) { protected_.insert(id); }

  // First the key, then the record: when the token does not destroy the key, nothing is deleted, and the call can be
  // made again. The journal is told before and after. Returns what was deleted. When nobody knows whether the key is
  // gone, the certificate stays marked: it issues no more, and can only be deleted. Throws Error:
  // object_not_present, auth_unauthorized, reference_not_zero while an unexpired certificate signed by it exists, and
  // what TokenSet::holding() and the token throw.
  store::CertificateRecord remove(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                                  Deadline deadline);

 private:
  TokenSet& tokens_;
  store::CertificateStore& store_;
  Catalogue& catalogue_;
  std::set<Uuid> protected_;
  std::mutex mutex_;
  std::set<Uuid> under_way_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
