// Use case: look certificates up (HTTP contract, section 4, the GET rows).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// The resource's `status` at a given moment: "valid" or "expired".
std::string_view status_of(const store::CertificateRecord& record, UnixTime now) noexcept;

class Catalogue {
 public:
  // `store` outlives this object.
  Catalogue(store::CertificateStore& store, Clock clock) : store_(store), clock_(std::move(clock)) {}

  // Throws Error{object_not_present}.
  store::CertificateRecord get(const Uuid& id);
  // Throws Error{object_not_present}.
  store::CertificateRecord get_by_name(const store::Container& container, const std::string& name);
  store::Page list(const std::optional<store::Container>& container, std::size_t offset, std::size_t limit);

  UnixTime now() const { return clock_(); }

 private:
  store::CertificateStore& store_;
  Clock clock_;
};

}  // namespace hsmsigner::service
