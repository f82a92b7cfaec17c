#include "store/store.h"

#include "store/migrations.h"
#include "store/sqlite_stores.h"

namespace hsmsigner::store {
namespace {

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const StoreOptions& options) : connections_(options.path, options.readers) {}

  CertificateStore& certificates() noexcept override { return certificates_; }
  AccountStore& accounts() noexcept override { return accounts_; }
  AnswerStore& answers() noexcept override { return answers_; }
  JournalStore& journal() noexcept override { return journal_; }
  KeyPoolStore& key_pool() noexcept override { return key_pool_; }

  WriterFigures writer_figures() const override {
    const GroupWriter& writer = connections_.writer();
    return {writer.commits(), writer.writes(), writer.waiting()};
  }

 private:
  Connections connections_;
  SqliteCertificateStore certificates_{connections_};
  SqliteAccountStore accounts_{connections_};
  SqliteAnswerStore answers_{connections_};
  SqliteJournalStore journal_{connections_};
  SqliteKeyPoolStore key_pool_{connections_};
};

}  // namespace

std::unique_ptr<Store> Store::open(const StoreOptions& options) {
  prepare_database_file(options.path);
  try {
    {
      const std::unique_ptr<soci::session> session = connect(options.path);
      check_identity(*session);
      make_durable(*session);
      migrate(*session);
      check_schema(*session);
    }
    return std::make_unique<SqliteStore>(options);
  } catch (const soci::soci_error& fault) {
    throw database_error(fault, "opening").with_help("Check the database file, its directory and the disk.");
  }
}

}  // namespace hsmsigner::store
