#include "store/journal_store.h"

#include <algorithm>
#include <limits>

#include "audit/event_line.h"
#include "store/sqlite_stores.h"

namespace hsmsigner::store {
namespace {

constexpr long long kEndOfTime = std::numeric_limits<long long>::max();

// Beyond what SQLite counts to, nothing is found.
long long to_number(std::uint64_t sequence) {
  return static_cast<long long>(std::min(sequence, static_cast<std::uint64_t>(kEndOfTime)));
}

long long to_limit(std::size_t limit) { return page_numbers(0, limit).front(); }

template <class Row>
auto records_of(const std::vector<Row>& rows) {
  std::vector<decltype(to_record(rows.front()))> records;
  records.reserve(rows.size());
  for (const Row& row : rows) records.push_back(to_record(row));
  return records;
}

}  // namespace

std::uint64_t append_event(Writes& writes, const audit::Event& event) {
  // Read each time, under the write lock: another process may have written meanwhile, and what was written in this
  // transaction may have been undone.
  const std::vector<EventRow> last = writes.last_event({});
  audit::ChainedEvent chained;
  chained.sequence = last.empty() ? 1 : static_cast<std::uint64_t>(last.front().sequence) + 1;
  chained.time = system_now_millis();
  chained.event = event;
  chained.previous = last.empty() ? audit::kNoPrevious : last.front().hash;
  EventRow row;
  row.sequence = to_number(chained.sequence);
  row.time = to_milliseconds(chained.time);
  row.kind = audit::info(event.kind).name;
  row.account = audit::presentable(event.origin.account);
  row.object = audit::presentable(event.object);
  row.line = audit::line_of(chained);
  row.hash = audit::hash_of(row.line);
  try {
    writes.insert_event(row);
  } catch (const soci::soci_error& fault) {
    // Whatever it is, also a constraint: it is not the request's fault, and nothing may be done untold.
    throw Error(ErrorKind::journal_unavailable, {"The journal could not be written, so nothing was done."})
        .with_cause(database_error(fault, "writing an event").cause());
  }
  return chained.sequence;
}

void write_alongside(Writes& writes, const Alongside& with) {
  if (with.answer != nullptr && !with.answer->client_id.empty()) write_answer(writes, *with.answer);
  if (with.event != nullptr) append_event(writes, *with.event);
  if (with.pool_key != nullptr) use_up(writes, *with.pool_key);
}

std::uint64_t SqliteJournalStore::append(const audit::Event& event, Deadline deadline) {
  std::uint64_t sequence = 0;
  connections_.write([&](Writes& writes) { sequence = append_event(writes, event); }, deadline);
  return sequence;
}

JournalHead SqliteJournalStore::head() {
  return connections_.read([](Reader& reader) {
    const std::vector<EventRow> last = reader.last_event({});
    if (last.empty()) return JournalHead{0, audit::kNoPrevious};
    return JournalHead{static_cast<std::uint64_t>(last.front().sequence), last.front().hash};
  });
}

std::uint64_t SqliteJournalStore::first_sequence() {
  return static_cast<std::uint64_t>(
      connections_.read([](Reader& reader) { return reader.first_event({}).value_or(0); }));
}

std::vector<JournalLine> SqliteJournalStore::lines(std::uint64_t after, std::size_t limit) {
  return records_of(connections_.read([&](Reader& reader) {
    return reader.events({}, {to_number(after), to_limit(limit)});
  }));
}

std::vector<JournalLine> SqliteJournalStore::find(const JournalFilter& filter, std::uint64_t after, std::size_t limit) {
  // A statement for the conditions there are, so that SQLite takes the index that fits. The texts come first: see
  // Parameters.
  std::string where = "WHERE ";
  std::vector<std::string> texts;
  const auto text = [&](const std::string& condition, const std::string& value) {
    where += condition + " AND ";
    texts.push_back(value);
  };
  if (filter.kind) text("kind = :kind", std::string(audit::info(*filter.kind).name));
  if (!filter.account.empty()) text("account <> '' AND account = :account", filter.account);
  if (!filter.object.empty()) text("object <> '' AND object = :object", filter.object);
  where += "sequence > :after ";
  std::vector<long long> numbers{to_number(after)};
  if (filter.from) {
    where += "AND time >= :from ";
    numbers.push_back(to_milliseconds(*filter.from));
  }
  if (filter.until) {
    where += "AND time < :until ";
    numbers.push_back(to_milliseconds(*filter.until));
  }
  numbers.push_back(to_limit(limit));
  return records_of(connections_.read([&](Reader& reader) {
    return SelectRows<EventRow>(*reader.session, where + "ORDER BY sequence LIMIT :limit", texts.size(),
                                numbers.size())(texts, numbers);
  }));
}

std::optional<JournalLine> SqliteJournalStore::last_of(audit::EventKind kind) {
  return first_of(connections_.read(
      [&](Reader& reader) { return reader.last_event_of_kind({std::string(audit::info(kind).name)}); }));
}

std::vector<CheckpointRecord> SqliteJournalStore::checkpoints(std::uint64_t after, std::size_t limit) {
  return records_of(connections_.read([&](Reader& reader) {
    return reader.checkpoints({}, {to_number(after), to_limit(limit)});
  }));
}

std::optional<CheckpointRecord> SqliteJournalStore::last_checkpoint() {
  return first_of(connections_.read([](Reader& reader) { return reader.last_checkpoint({}); }));
}

void SqliteJournalStore::add_checkpoint(const CheckpointRecord& checkpoint, Deadline deadline) {
  const CheckpointRow row = to_row(checkpoint);
  connections_.write(
      [&](Writes& writes) {
        if (writes.count_of_checkpoint({}, {row.number}) != 0) {
          throw Error(ErrorKind::object_not_unique, {"another process has made this checkpoint"});
        }
        writes.insert_checkpoint(row);
      },
      deadline);
}

std::vector<AuditKeyRecord> SqliteJournalStore::audit_keys() {
  return records_of(connections_.read([](Reader& reader) { return reader.audit_keys({}); }));
}

void SqliteJournalStore::add_audit_key(const AuditKeyRecord& key, const audit::Event& event, Deadline deadline) {
  const AuditKeyRow row = to_row(key);
  connections_.write(
      [&](Writes& writes) {
        writes.insert_audit_key(row);
        append_event(writes, event);
      },
      deadline);
}

void SqliteJournalStore::remove_archived(std::uint64_t sequence, const audit::Event& event, Deadline deadline) {
  connections_.write(
      [&](Writes& writes) {
        // First: the chain goes on from the last event, which must still be there.
        append_event(writes, event);
        writes.erase_events({}, {to_number(sequence)});
      },
      deadline);
}

std::uint64_t SqliteJournalStore::copied(const std::string& sink) {
  return static_cast<std::uint64_t>(
      connections_.read([&](Reader& reader) { return reader.copied({sink}).value_or(0); }));
}

void SqliteJournalStore::set_copied(const std::string& sink, std::uint64_t sequence, Deadline deadline) {
  connections_.write([&](Writes& writes) { writes.set_copied({sink}, {to_number(sequence)}); }, deadline);
}

}  // namespace hsmsigner::store
