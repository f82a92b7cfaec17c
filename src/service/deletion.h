// Use case: delete a certificate and destroy its key (HTTP contract, section 4).
#pragma once

#include <mutex>
#include <set>

#include "base/clock.h"
#include "hsm/token.h"
#include "service/actor.h"
#include "service/catalogue.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// Thread safe.
class Deletion {
 public:
  // All of them outlive this object.
  Deletion(hsm::Token& token, store::CertificateStore& store, Catalogue& catalogue)
      : token_(token), store_(store), catalogue_(catalogue) {}

  // Before remove() is called by anybody: a certificate that this server itself stands on.
  void protect(const Uuid& id) { protected_.insert(id); }

  // First the key, then the record: when the token does not destroy the key, nothing is deleted, and the call can be
  // made again. The journal is told before and after. Returns what was deleted. When nobody knows whether the key is
  // gone, the certificate stays marked: it issues no more, and can only be deleted. Throws Error:
  // object_not_present, auth_unauthorized, reference_not_zero while an unexpired certificate signed by it exists, and
  // what the token throws.
  store::CertificateRecord remove(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                                  Deadline deadline);

 private:
  void destroy_key(const store::CertificateRecord& record, Deadline deadline);
  // Seen in the token just now.
  bool has_key(const store::CertificateRecord& record);

  hsm::Token& token_;
  store::CertificateStore& store_;
  Catalogue& catalogue_;
  std::set<Uuid> protected_;
  std::mutex mutex_;
  std::set<Uuid> under_way_;  // guarded by mutex_
};

}  // namespace hsmsigner::service
