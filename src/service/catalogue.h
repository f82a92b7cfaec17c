// Use case: look certificates up (HTTP contract, section 4, the GET rows).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "auth/roles.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// The resource's `status` at a given moment: "valid", "expired" or "pending".
std::string_view status_of(const store::CertificateRecord& record, UnixTime now) noexcept;

// What a caller may not see is not there: neither in lists and their totals, nor by name or id. Thread safe.
class Catalogue {
 public:
  // `store` outlives this object.
  Catalogue(store::CertificateStore& store, Clock clock) : store_(store), clock_(std::move(clock)) {}

  // Throws Error{object_not_present}; also for one that is not in `container`, if that is given.
  store::CertificateRecord get(const auth::Caller& caller, const Uuid& id,
                               const std::optional<Container>& container = {});
  // Throws Error{object_not_present}.
  store::CertificateRecord get_by_name(const auth::Caller& caller, const Container& container, const std::string& name);
  store::Page list(const auth::Caller& caller, const std::optional<Container>& container, std::size_t offset,
                   std::size_t limit);

  UnixTime now() const { return clock_(); }

 private:
  store::CertificateStore& store_;
  Clock clock_;
};

}  // namespace hsmsigner::service
