#include "store/journal_reader.h"

#include <sys/stat.h>

#include <deque>
#include <limits>
#include <utility>

#include "audit/event_line.h"
#include "store/database.h"
#include "store/migrations.h"
#include "store/statements.h"

namespace hsmsigner::store {
namespace {

constexpr long long kLowest = std::numeric_limits<long long>::min();
constexpr long long kPage = 256;
constexpr long long kMostKeys = 10'000;

// These rows are read from a file that somebody may have tampered with, its schema as well: texts are cut at what may
// be there, nothing is NULL, and what is no number is -1. SOCI may end a text at a NUL; how many octets SQLite counts
// tells.
std::string text_in(const std::string& column, std::size_t most = 8192) {
  return "substr(coalesce(" + column + ", ''), 1, " + std::to_string(most + 1) + ")";
}
std::string octets_in(const std::string& column) { return "length(CAST(coalesce(" + column + ", '') AS BLOB))"; }
std::string number_in(const std::string& column) {
  return "CASE WHEN typeof(" + column + ") = 'integer' THEN " + column + " ELSE -1 END";
}

struct SuspectEvent {
  audit::EventColumns columns;
  std::string line;
  long long sequence = 0, time = 0, line_octets = 0, column_octets = 0;

  static constexpr const char* table = "event";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("sequence", row.sequence);
    visit(number_in("time").c_str(), row.time);
    visit(text_in("kind").c_str(), row.columns.kind);
    visit(text_in("account").c_str(), row.columns.account);
    visit(text_in("object").c_str(), row.columns.object);
    visit(text_in("hash").c_str(), row.columns.hash);
    visit((octets_in("kind") + " + " + octets_in("account") + " + " + octets_in("object") + " + " + octets_in("hash"))
              .c_str(),
          row.column_octets);
    visit(text_in("line", audit::kLongestLine).c_str(), row.line);
    visit(octets_in("line").c_str(), row.line_octets);
  }
};

struct SuspectCheckpoint {
  long long number = 0, sequence = 0, time = 0, octets = 0;
  std::string jws;

  static constexpr const char* table = "checkpoint";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("number", row.number);
    visit(number_in("sequence").c_str(), row.sequence);
    visit(number_in("time").c_str(), row.time);
    visit(text_in("jws").c_str(), row.jws);
    visit(octets_in("jws").c_str(), row.octets);
  }
};

struct SuspectKey {
  std::string id, public_key_pem;
  long long octets = 0;

  static constexpr const char* table = "audit_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit(text_in("id").c_str(), row.id);
    visit(text_in("public_key_pem").c_str(), row.public_key_pem);
    visit((octets_in("id") + " + " + octets_in("public_key_pem")).c_str(), row.octets);
  }
};

long long size_of(const std::string& text) { return static_cast<long long>(text.size()); }

audit::JournalItem item_of(SuspectEvent&& row) {
  audit::EventColumns& columns = row.columns;
  columns.sequence = row.sequence;
  columns.time = row.time;
  // No hash, which no line has, stands for columns that could not be read whole; no line for one that could not.
  if (size_of(columns.kind) + size_of(columns.account) + size_of(columns.object) + size_of(columns.hash) !=
      row.column_octets) {
    columns.hash.clear();
  }
  if (size_of(row.line) != row.line_octets) row.line.clear();
  return audit::EventItem{std::move(row.line), std::move(columns)};
}

audit::JournalItem item_of(SuspectCheckpoint&& row) {
  if (size_of(row.jws) != row.octets) row.jws.clear();
  return audit::CheckpointItem{std::move(row.jws), audit::CheckpointColumns{row.number, row.sequence, row.time}};
}

audit::JournalItem item_of(SuspectKey&& row) {
  if (size_of(row.id) + size_of(row.public_key_pem) != row.octets) row.public_key_pem.clear();
  return audit::AuditKeyItem{std::move(row.id), std::move(row.public_key_pem)};
}

// Rows by the page, in the order of a number that each page goes on after.
template <class Row>
class Pages {
 public:
  Pages(soci::session& session, const std::string& clauses, long long Row::*place, std::vector<long long> parameters)
      : select_(session, clauses, 0, parameters.size()), place_(place), parameters_(std::move(parameters)) {}

  // Null at the end.
  Row* peek() {
    if (rows_.empty() && !ended_) {
      std::vector<Row> page = select_({}, parameters_);
      ended_ = page.empty();
      rows_.assign(std::make_move_iterator(page.begin()), std::make_move_iterator(page.end()));
      if (!ended_) go_on_after(rows_.back().*place_);
    }
    return rows_.empty() ? nullptr : &rows_.front();
  }
  Row take() {
    Row row = std::move(rows_.front());
    rows_.pop_front();
    return row;
  }

 private:
  // A column that is no number any more could have the same page come for ever.
  void go_on_after(long long number) {
    if (number <= parameters_.front()) {
      throw Error(ErrorKind::internal_error, {"The journal's tables are not as this program made them."});
    }
    parameters_.front() = number;
  }

  SelectRows<Row> select_;
  long long Row::*place_;
  std::vector<long long> parameters_;  // the first: after which to go on
  std::deque<Row> rows_;
  bool ended_ = false;
};

long long to_parameter(const std::optional<std::uint64_t>& after) {
  if (!after) return kLowest;
  return static_cast<long long>(std::min(*after, static_cast<std::uint64_t>(std::numeric_limits<long long>::max())));
}

class DatabaseJournal : public audit::JournalSource {
 public:
  // `session` is in a transaction.
  DatabaseJournal(std::unique_ptr<soci::session> session, const JournalPart& part)
      : session_(std::move(session)),
        part_(part),
        events_(*session_, "WHERE sequence > :after ORDER BY sequence LIMIT :limit", &SuspectEvent::sequence,
                {to_parameter(part.after), kPage}),
        checkpoints_(*session_,
                     "WHERE number > :seen AND (sequence > :after OR number = (SELECT max(number) FROM checkpoint "
                     "WHERE sequence = :start)) ORDER BY number LIMIT :limit",
                     &SuspectCheckpoint::number, {kLowest, to_parameter(part.after), to_parameter(part.after), kPage}) {
    for (SuspectKey& row :
         SelectRows<SuspectKey>(*session_, "ORDER BY created_at, id LIMIT :limit", 0, 1)({}, {kMostKeys})) {
      keys_.push_back(std::move(row));
    }
  }

  std::optional<audit::JournalItem> next() override {
    try {
      return ended_ ? std::nullopt : read();
    } catch (const soci::soci_error& fault) {
      throw database_error(fault, "reading the journal");
    }
  }
  std::string place() const override { return "the database"; }
  bool is_whole() const override { return !part_.after && !part_.until_checkpoint; }

 private:
  std::optional<audit::JournalItem> read() {
    if (!keys_.empty()) {
      SuspectKey key = std::move(keys_.front());
      keys_.pop_front();
      return item_of(std::move(key));
    }
    const SuspectEvent* const event = events_.peek();
    const SuspectCheckpoint* const checkpoint = checkpoints_.peek();
    if (checkpoint != nullptr && (event == nullptr || checkpoint->sequence < event->sequence)) {
      SuspectCheckpoint row = checkpoints_.take();
      ended_ = part_.until_checkpoint && row.number == to_parameter(part_.until_checkpoint);
      return item_of(std::move(row));
    }
    if (event == nullptr) return std::nullopt;
    return item_of(events_.take());
  }

  std::unique_ptr<soci::session> session_;
  const JournalPart part_;
  std::deque<SuspectKey> keys_;
  Pages<SuspectEvent> events_;
  Pages<SuspectCheckpoint> checkpoints_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<audit::JournalSource> open_journal(const std::string& path, const JournalPart& part) {
  const auto refuse = [](const char* sentence) { return Error(ErrorKind::invalid_object, {sentence}); };
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw refuse("There is no such database file.").with_cause(path);
  }
  try {
    std::unique_ptr<soci::session> session = connect_to_read(path);
    *session << "BEGIN";
    check_identity(*session);
    if (query_number(*session,
                     "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('event', 'checkpoint', "
                     "'audit_key')") != 3) {
      throw refuse("The database has no journal: it was written by an older version of this program.");
    }
    return std::make_unique<DatabaseJournal>(std::move(session), part);
  } catch (const soci::soci_error& fault) {
    throw Error(ErrorKind::internal_error, {"The database's journal cannot be read."})
        .with_cause(database_error(fault, "opening the journal").cause())
        .with_help(
            "Who reads the database must be able to read its -wal file too, and to write in its directory. Take a copy "
            "of both, or an export.");
  }
}

}  // namespace hsmsigner::store
