// Durable certificate records. The only room that speaks SQL.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/certificate_record.h"

namespace hsmsigner::store {

struct StoreOptions {
  std::string path;  // the SQLite file; made when absent, mode 0600, its directory must exist
  unsigned readers = 4;
};

struct Page {
  std::vector<CertificateRecord> records;  // ordered by name, then container, then id
  std::size_t total = 0;                   // of all that match, not of this page
};

// SQLite in WAL mode with synchronous=FULL. One writer thread commits what has gathered (group commit); readers run
// beside it on connections of their own. Thread safe. Every call throws Error{internal_error} when the database
// fails and Error{session_timeout} past its deadline; a database's own text goes into no public field.
class CertificateStore {
 public:
  // Opens or makes the database and brings its schema forward. Throws Error{internal_error} with a public sentence
  // when the file is not a database, belongs to a newer version of this program, or cannot be written.
  static std::unique_ptr<CertificateStore> open(const StoreOptions& options);
  virtual ~CertificateStore() = default;

  // Returns once the record is durable. Throws Error{name_not_unique} when the container has this name already.
  // When it throws, the record is not there.
  virtual void insert(const CertificateRecord& record, Deadline deadline) = 0;

  virtual std::optional<CertificateRecord> find(const Uuid& id) = 0;
  virtual std::optional<CertificateRecord> find_by_name(const Container& container, const std::string& name) = 0;
  virtual bool name_taken(const Container& container, const std::string& name) = 0;
  // Certificates of this name in any container, at most `limit` of them: authorities first, then by container.
  virtual std::vector<CertificateRecord> find_by_name_anywhere(const std::string& name, std::size_t limit) = 0;
  // All of them, or one container's.
  virtual Page list(const std::optional<Container>& container, std::size_t offset, std::size_t limit) = 0;
};

}  // namespace hsmsigner::store
