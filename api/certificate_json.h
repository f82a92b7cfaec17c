// A certificate record as the resource of the HTTP contract (section 2).
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"
#include "store/certificate_store.h"

namespace hsmsigner::api {

std::string certificate_json(const store::CertificateRecord& record, UnixTime now);
// {"data":[…],"offset":…,"total":…,"limit":…}
std::string certificate_list_json(const store::Page& page, std::size_t offset, std::size_t limit, UnixTime now);
// The answer to name and container: the object's own fields and the list's four in one object.
std::string certificate_hybrid_json(const store::CertificateRecord& record, std::size_t offset, std::size_t limit,
                                    UnixTime now);

}  // namespace hsmsigner::api
