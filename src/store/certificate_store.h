// Durable certificate records.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/alongside.h"
#include "store/certificate_record.h"

namespace hsmsigner::store {

struct Page {
  std::vector<CertificateRecord> records;  // ordered by name, then container, then id
  std::size_t total = 0;                   // of all that match, not of this page
};

// Thread safe. Every call throws Error{internal_error} when the database cannot be read or holds what does not belong
// there. Those that write throw Error{journal_unavailable} when the database cannot be written or is not free in time,
// since no event can be either, and Error{session_timeout} when called past their deadline. A database's own text goes
// into no public field.
class CertificateStore {
 public:
  virtual ~CertificateStore() = default;

  // Returns once the record is durable; when it throws, the record is not there. What is `with` it is written in
  // the same transaction, here and below. Throws Error: name_not_unique when the container has this name already;
  // object_not_unique when it has this certificate already or the answer's key is taken; invalid_object, "signed_by:
  // …", when the issuer is being deleted or is gone; object_not_present as in alongside.h, and for nothing else.
  virtual void insert(const CertificateRecord& record, Deadline deadline, const Alongside& with = {}) = 0;
  // Gives a pending record its certificate: everything but id, container, name, key, request_pem and created_at is
  // taken from `record`. Throws Error: object_not_present when there is none of this id; invalid_command when it is not
  // pending (any more).
  virtual void complete(const CertificateRecord& record, Deadline deadline, const Alongside& with = {}) = 0;

  // Deletion takes two steps, since the key must go in between: mark, destroy the key, erase. What is marked can still
  // be read; it issues no more (insert refuses it as issuer). A mark that was left behind by a crash does not stop
  // mark_deleting().
  // Throws Error: object_not_present; reference_not_zero when a certificate signed by it exists that is unexpired at
  // `now`.
  virtual void mark_deleting(const Uuid& id, UnixTime now, Deadline deadline, const Alongside& with = {}) = 0;
  virtual void unmark_deleting(const Uuid& id, Deadline deadline, const Alongside& with = {}) = 0;
  // Removes the record. Expired certificates that it signed stay, with no issuer_id. Nothing happens when it is gone.
  virtual void erase(const Uuid& id, Deadline deadline, const Alongside& with = {}) = 0;

  virtual std::optional<CertificateRecord> find(const Uuid& id) = 0;
  virtual std::optional<CertificateRecord> find_by_name(const Container& container, const std::string& name) = 0;
  virtual bool name_taken(const Container& container, const std::string& name) = 0;
  // Certificate authorities with this subject (OpenSSL's one-line form), wherever they are; at most `limit`.
  virtual std::vector<CertificateRecord> find_authorities(const std::string& subject, std::size_t limit) = 0;
  // One with this fingerprint (AA:BB:…) in the container.
  virtual std::optional<CertificateRecord> find_by_fingerprint(const Container& container,
                                                               const std::string& fingerprint) = 0;
  // Certificates of this name in any container of `scope`, at most `limit` of them: authorities first, then by
  // container.
  virtual std::vector<CertificateRecord> find_by_name_anywhere(const std::string& name, const ContainerScope& scope,
                                                               std::size_t limit) = 0;
  // Those in `scope`, or of it in one container.
  virtual Page list(const ContainerScope& scope, const std::optional<Container>& container, std::size_t offset,
                    std::size_t limit) = 0;
};

}  // namespace hsmsigner::store
