#include "service/catalogue.h"

#include "base/error.h"

namespace hsmsigner::service {

using auth::Operation;

std::string_view status_of(const store::CertificateRecord& record, UnixTime now) noexcept {
  if (record.pending()) return "pending";
  // RFC 5280 4.1.2.5: the validity period includes notAfter itself.
  return now > record.not_after ? "expired" : "valid";
}

store::CertificateRecord Catalogue::get(const auth::Caller& caller, const Uuid& id,
                                        const std::optional<Container>& container) {
  auto record = store_.find(id);
  if (!record || !caller.may(Operation::read_certificates, record->container)) {
    throw Error(ErrorKind::object_not_present, {"id: no certificate has this id"});
  }
  if (container && *container != record->container) {
    throw Error(ErrorKind::object_not_present, {"id: is not in this container"});
  }
  return *std::move(record);
}

store::CertificateRecord Catalogue::get_by_name(const auth::Caller& caller, const Container& container,
                                                const std::string& name) {
  std::optional<store::CertificateRecord> record;
  if (caller.may(Operation::read_certificates, container)) record = store_.find_by_name(container, name);
  if (!record) throw Error(ErrorKind::object_not_present, {"name: no certificate of this name is in the container"});
  return *std::move(record);
}

store::Page Catalogue::list(const auth::Caller& caller, const std::optional<Container>& container, std::size_t offset,
                            std::size_t limit) {
  return store_.list(caller.scope(Operation::read_certificates), container, offset, limit);
}

}  // namespace hsmsigner::service
