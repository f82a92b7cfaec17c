// The database file with everything that lasts in it: one writer, one set of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "store/account_store.h"
#include "store/answer_store.h"
#include "store/certificate_store.h"
#include "store/journal_store.h"
#include "store/key_pool_store.h"

namespace hsmsigner::store {

struct StoreOptions {
  std::string path;  // the SQLite file; made when absent, mode 0600, its directory must exist
  unsigned readers = 4;
};

// Of this process; the writes of others are not among them.
struct WriterFigures {
  std::uint64_t commits = 0;  // transactions made durable
  std::uint64_t writes = 0;   // in them
  std::size_t waiting = 0;    // for the writer
};

// SQLite in WAL mode with synchronous=FULL. One writer thread commits what has gathered (group commit); readers run
// beside it on connections of their own. Thread safe.
class Store {
 public:
  // Opens or makes the database and brings its schema forward. Throws Error{internal_error} with a public sentence
  // when the file is not a database, belongs to a newer version of this program, or cannot be written.
  static std::unique_ptr<Store> open(const StoreOptions& options);
  virtual ~Store() = default;

  // They live as long as this object.
  virtual CertificateStore& certificates() noexcept = 0;
  virtual AccountStore& accounts() noexcept = 0;
  virtual AnswerStore& answers() noexcept = 0;
  virtual JournalStore& journal() noexcept = 0;
  virtual KeyPoolStore& key_pool() noexcept = 0;

  virtual WriterFigures writer_figures() const = 0;
};

}  // namespace hsmsigner::store
