#include "store/certificate_store.h"

#include "store/certificate_list.h"
#include "store/sqlite_stores.h"

namespace hsmsigner::store {
namespace {

Error not_present() { return Error(ErrorKind::object_not_present, {"id: no certificate has this id"}); }

// On the writer's thread. The mark and the certificates that would need it are written by one thread after the other,
// so none is issued between mark_deleting() and erase().
void refuse_lost_issuer(Writes& writes, const CertificateRow& row) {
  if (row.issuer_id.null()) return;
  if (writes.deleting({row.issuer_id.value}) != 0) {  // nothing, too: it is gone
    throw Error(ErrorKind::invalid_object, {"signed_by: this certificate authority is being deleted"});
  }
}

void insert_row(Writes& writes, const CertificateRow& row) {
  try {
    writes.insert_certificate(row);
  } catch (const soci::soci_error& fault) {
    // A failed INSERT has left nothing behind, so what is there now is what stood in its way. The id is the other
    // constraint that can break, and never by an honest mistake.
    if (is_constraint_violation(fault) &&
        writes.count_of_name({row.container_kind, row.container_name, row.name}) != 0) {
      throw Error(ErrorKind::name_not_unique,
                  {"certificate_name: a certificate of this name exists in this " + row.container_kind + "."});
    }
    throw;
  }
}

void refuse_same_certificate(Writes& writes, const CertificateRow& row) {
  if (writes.count_of_certificate({row.fingerprint_sha256, row.container_kind, row.container_name, row.id}) != 0) {
    throw Error(ErrorKind::object_not_unique, {"certificate_file: the container has this certificate already"});
  }
}

// What completion leaves as it was.
void keep_of_request(const CertificateRow& pending, CertificateRow& row) {
  row.container_kind = pending.container_kind;
  row.container_name = pending.container_name;
  row.name = pending.name;
  row.request_pem = pending.request_pem;
  static_cast<KeyColumns&>(row) = pending;
  row.created_at = pending.created_at;
}

}  // namespace

void SqliteCertificateStore::insert(const CertificateRecord& record, Deadline deadline, const Alongside& with) {
  const CertificateRow row = to_row(record);
  connections_.write(
      [&](Writes& writes) {
        // The answer first: a request that was done already is told so, rather than that its name is taken.
        write_alongside(writes, with);
        refuse_lost_issuer(writes, row);
        insert_row(writes, row);
        refuse_same_certificate(writes, row);
      },
      deadline);
}

void SqliteCertificateStore::complete(const CertificateRecord& record, Deadline deadline, const Alongside& with) {
  CertificateRow row = to_row(record);
  connections_.write(
      [&](Writes& writes) {
        const std::vector<CertificateRow> found = writes.certificate_by_id({row.id});
        if (found.empty()) throw not_present();
        write_alongside(writes, with);
        if (!found.front().certificate_pem.empty()) {
          throw Error(ErrorKind::invalid_command, {"id: this certificate is complete already"});
        }
        if (writes.deleting({row.id}) != 0) {  // its key may be gone
          throw Error(ErrorKind::invalid_command, {"id: this signing request is being deleted"});
        }
        refuse_lost_issuer(writes, row);
        keep_of_request(found.front(), row);
        refuse_same_certificate(writes, row);
        writes.update_certificate(row);
      },
      deadline);
}

void SqliteCertificateStore::mark_deleting(const Uuid& id, UnixTime now, Deadline deadline, const Alongside& with) {
  const std::string text = id.to_string();
  connections_.write(
      [&](Writes& writes) {
        if (writes.set_deleting({text}) == 0) throw not_present();
        if (writes.unexpired_child({text, text}, {to_number(now)})) {  // undoes the mark as well
          // Not how many: some may be where the caller may not look.
          throw Error(ErrorKind::reference_not_zero, {"id: unexpired certificates are signed by this one"});
        }
        write_alongside(writes, with);
      },
      deadline);
}

void SqliteCertificateStore::unmark_deleting(const Uuid& id, Deadline deadline, const Alongside& with) {
  connections_.write(
      [&](Writes& writes) {
        writes.clear_deleting({id.to_string()});
        write_alongside(writes, with);
      },
      deadline);
}

void SqliteCertificateStore::erase(const Uuid& id, Deadline deadline, const Alongside& with) {
  const std::string text = id.to_string();
  connections_.write(
      [&](Writes& writes) {
        writes.leave_children({text});
        writes.erase_certificate({text});
        write_alongside(writes, with);
      },
      deadline);
}

std::optional<CertificateRecord> SqliteCertificateStore::find(const Uuid& id) {
  return first_of(connections_.read([&](Reader& reader) { return reader.certificate_by_id({id.to_string()}); }));
}

std::optional<CertificateRecord> SqliteCertificateStore::find_by_name(const Container& container,
                                                                      const std::string& name) {
  return first_of(connections_.read([&](Reader& reader) {
    return reader.certificate_by_name({to_string(container.kind), container.name, name});
  }));
}

bool SqliteCertificateStore::name_taken(const Container& container, const std::string& name) {
  return connections_.read([&](Reader& reader) {
    return reader.count_of_name({to_string(container.kind), container.name, name}) != 0;
  });
}

std::vector<CertificateRecord> SqliteCertificateStore::find_authorities(const std::string& subject, std::size_t limit) {
  return records_of(connections_.read(
      [&](Reader& reader) { return reader.authorities_of_subject({subject}, {page_numbers(0, limit).front()}); }));
}

std::optional<CertificateRecord> SqliteCertificateStore::find_by_fingerprint(const Container& container,
                                                                             const std::string& fingerprint) {
  return first_of(connections_.read([&](Reader& reader) {
    return reader.certificate_by_fingerprint({fingerprint, to_string(container.kind), container.name});
  }));
}

std::vector<CertificateRecord> SqliteCertificateStore::find_by_name_anywhere(const std::string& name,
                                                                             const ContainerScope& scope,
                                                                             std::size_t limit) {
  if (!scope.all && scope.containers.empty()) return {};
  return records_of(connections_.read([&](Reader& reader) {
    if (scope.all) return reader.certificates_of_name({name}, page_numbers(0, limit));
    return reader.at_one_moment([&] { return namesakes_in(reader, name, scope.containers, limit); });
  }));
}

Page SqliteCertificateStore::list(const ContainerScope& scope, const std::optional<Container>& container,
                                  std::size_t offset, std::size_t limit) {
  if (container && !scope.contains(*container)) return {};
  if (!container && !scope.all && scope.containers.empty()) return {};
  // The total and the page are of the same moment.
  return connections_.read([&](Reader& reader) {
    return reader.at_one_moment([&] {
      if (container) return list_container(reader, *container, offset, limit);
      if (scope.all) return list_everything(reader, offset, limit);
      return list_containers(reader, scope.containers, offset, limit);
    });
  });
}

}  // namespace hsmsigner::store
