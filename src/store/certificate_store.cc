#include "store/certificate_store.h"

#include <algorithm>
#include <chrono>

#include "store/certificate_rows.h"
#include "store/database.h"
#include "store/group_writer.h"
#include "store/migrations.h"
#include "store/reader_pool.h"

namespace hsmsigner::store {
namespace {

// How long a reader is waited for; readers do not wait for the writer (WAL), so this is far more than is needed.
constexpr std::chrono::milliseconds reader_patience{5000};

constexpr const char* in_container = "WHERE container_kind = :a AND container_name = :b ";

struct Reader {
  explicit Reader(const std::string& path) : session(open_connection(path, Access::read_only)) {}

  long long count(const std::optional<Container>& container) const {
    long long total = 0;
    if (container) {
      const std::string kind = to_string(container->kind);
      *session << std::string("SELECT count(*) FROM certificate ") + in_container, soci::into(total),
          soci::use(kind, "a"), soci::use(container->name, "b");
    } else {
      total = query_number(*session, "SELECT count(*) FROM certificate");
    }
    return total;
  }

  std::unique_ptr<soci::session> session;
  SelectCertificates by_id{*session, "WHERE id = :a", 1};
  SelectCertificates by_name{*session, std::string(in_container) + "AND name = :c", 3};
  SelectCertificates by_name_anywhere{
      *session, "WHERE name = :a ORDER BY certificate_authority DESC, container_kind, container_name", 1,
      SelectCertificates::Paged::yes};
  SelectCertificates all{*session, "ORDER BY name, container_kind, container_name, id", 0,
                         SelectCertificates::Paged::yes};
  SelectCertificates of_container{*session, std::string(in_container) + "ORDER BY name", 2,
                                  SelectCertificates::Paged::yes};
  NameTaken name_taken{*session};
};

std::vector<CertificateRecord> to_records(const std::vector<CertificateRow>& rows) {
  std::vector<CertificateRecord> records;
  records.reserve(rows.size());
  for (const CertificateRow& row : rows) records.push_back(to_record(row));
  return records;
}

std::optional<CertificateRecord> first_of(const std::vector<CertificateRow>& rows) {
  if (rows.empty()) return std::nullopt;
  return to_record(rows.front());
}

class SqliteCertificateStore final : public CertificateStore {
 private:
  // Above its uses, whose return type is deduced from it.
  template <class Work>
  auto read(const Work& work) {
    try {
      return readers_.use(reader_patience, work);
    } catch (const soci::soci_error& fault) {
      throw database_error(fault, "reading");
    }
  }

 public:
  // The file has been made, checked and brought forward.
  explicit SqliteCertificateStore(const StoreOptions& options)
      : session_(open_connection(options.path, Access::read_write)),
        insert_(*session_),
        name_taken_(*session_),
        readers_(std::max(options.readers, 1U), [path = options.path] { return std::make_unique<Reader>(path); }),
        writer_(*session_) {}

  void insert(const CertificateRecord& record, Deadline deadline) override {
    const CertificateRow row = to_row(record);
    writer_.run([&] { insert_row(row); }, deadline);
  }

  std::optional<CertificateRecord> find(const Uuid& id) override {
    return first_of(read([&](Reader& reader) { return reader.by_id({id.to_string()}); }));
  }

  std::optional<CertificateRecord> find_by_name(const Container& container, const std::string& name) override {
    return first_of(read([&](Reader& reader) {
      return reader.by_name({to_string(container.kind), container.name, name});
    }));
  }

  bool name_taken(const Container& container, const std::string& name) override {
    return read([&](Reader& reader) { return reader.name_taken(to_string(container.kind), container.name, name); });
  }

  std::vector<CertificateRecord> find_by_name_anywhere(const std::string& name, std::size_t limit) override {
    return to_records(read([&](Reader& reader) { return reader.by_name_anywhere({name}, 0, limit); }));
  }

  Page list(const std::optional<Container>& container, std::size_t offset, std::size_t limit) override {
    return read([&](Reader& reader) {
      // One transaction, so that the total and the page are of the same moment.
      *reader.session << "BEGIN";
      const long long total = reader.count(container);
      const std::vector<CertificateRow> rows =
          container ? reader.of_container({to_string(container->kind), container->name}, offset, limit)
                    : reader.all({}, offset, limit);
      *reader.session << "COMMIT";
      return Page{to_records(rows), static_cast<std::size_t>(total)};
    });
  }

 private:
  // On the writer's thread.
  void insert_row(const CertificateRow& row) {
    try {
      insert_(row);
    } catch (const soci::soci_error& fault) {
      // A failed INSERT has left nothing behind, so what is there now is what stood in its way. The id is the other
      // constraint that can break, and never by an honest mistake.
      if (is_constraint_violation(fault) && name_taken_(row.container_kind, row.container_name, row.name)) {
        throw Error(ErrorKind::name_not_unique,
                    {"certificate_name: a certificate of this name exists in this " + row.container_kind + "."});
      }
      throw;
    }
  }

  std::unique_ptr<soci::session> session_;  // the writer's
  InsertCertificate insert_;
  NameTaken name_taken_;
  ReaderPool<Reader> readers_;
  GroupWriter writer_;  // last: its thread ends before the statements do
};

}  // namespace

std::unique_ptr<CertificateStore> CertificateStore::open(const StoreOptions& options) {
  prepare_database_file(options.path);
  try {
    {
      const std::unique_ptr<soci::session> session = connect(options.path);
      check_identity(*session);
      make_durable(*session);
      migrate(*session);
    }
    return std::make_unique<SqliteCertificateStore>(options);
  } catch (const soci::soci_error& fault) {
    throw database_error(fault, "opening").with_help("Check the database file, its directory and the disk.");
  }
}

}  // namespace hsmsigner::store
