#include "service/catalogue.h"

#include "base/error.h"

namespace hsmsigner::service {

std::string_view status_of(const store::CertificateRecord& record, UnixTime now) noexcept {
  // RFC 5280 4.1.2.5: the validity period includes notAfter itself.
  return now > record.not_after ? "expired" : "valid";
}

store::CertificateRecord Catalogue::get(const Uuid& id) {
  auto record = store_.find(id);
  if (!record) throw Error(ErrorKind::object_not_present, {"id: no certificate has this id"});
  return *std::move(record);
}

store::CertificateRecord Catalogue::get_by_name(const store::Container& container, const std::string& name) {
  auto record = store_.find_by_name(container, name);
  if (!record) throw Error(ErrorKind::object_not_present, {"name: no certificate of this name is in the container"});
  return *std::move(record);
}

store::Page Catalogue::list(const std::optional<store::Container>& container, std::size_t offset, std::size_t limit) {
  return store_.list(container, offset, limit);
}

}  // namespace hsmsigner::service
