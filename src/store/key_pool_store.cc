#include "store/key_pool_store.h"

#include <set>

#include "store/sqlite_stores.h"

namespace hsmsigner::store {
namespace {

std::vector<PoolKeyRecord> records_of(const std::vector<PoolKeyRow>& rows) {
  std::vector<PoolKeyRecord> records;
  records.reserve(rows.size());
  for (const PoolKeyRow& row : rows) records.push_back(to_record(row));
  return records;
}

bool has_record(SelectNumber& count_of_records, const Uuid& id) {
  const std::string text = id.to_string();
  return count_of_records({text, text, text, text}).value_or(0) != 0;
}

}  // namespace

void use_up(Writes& writes, const PoolClaim& key) {
  const std::string id = key.id.to_string();
  if (writes.use_pool_key({id, key.owner}) != 1 && writes.end_planned_key({id, key.owner}) != 1) {
    throw Error(ErrorKind::object_not_present).with_cause("key " + id + " is not held");
  }
}

const InstanceLock& SqliteKeyPoolStore::instance() {
  std::call_once(locked_, [this] { lock_ = std::make_unique<InstanceLock>(connections_.path() + "-instances"); });
  return *lock_;
}

const std::string& SqliteKeyPoolStore::owner() { return instance().name(); }

bool SqliteKeyPoolStore::renew(UnixTime now, UnixTime until, Deadline deadline) {
  const std::string& own = owner();
  bool lasted = false;
  connections_.write(
      [&](Writes& writes) {
        writes.erase_old_pool_leases({}, {to_number(now)});
        lasted = writes.count_of_pool_lease({own}) != 0;
        writes.set_pool_lease({own}, {to_number(until)});
      },
      deadline);
  return lasted;
}

void SqliteKeyPoolStore::release(Deadline deadline) {
  const std::string& own = owner();
  connections_.write([&](Writes& writes) { writes.erase_pool_lease({own}); }, deadline);
}

std::size_t SqliteKeyPoolStore::end_leases_of_the_dead(Deadline deadline) {
  const InstanceLock& lock = instance();
  std::vector<std::string> dead;
  for (const PoolLeaseRow& lease : connections_.read([](Reader& reader) { return reader.pool_leases({}); })) {
    if (!lock.runs(lease.owner)) dead.push_back(lease.owner);
  }
  if (dead.empty()) return 0;
  connections_.write(
      [&](Writes& writes) {
        for (const std::string& owner : dead) writes.erase_pool_lease({owner});
      },
      deadline);
  return dead.size();
}

void SqliteKeyPoolStore::add(const std::vector<PoolKeyRecord>& keys, Hold hold, const audit::Event& event,
                             Deadline deadline) {
  const std::string& own = owner();
  std::vector<PoolKeyRow> rows;
  rows.reserve(keys.size());
  for (const PoolKeyRecord& key : keys) rows.push_back(to_row(key, hold == Hold::own ? own : std::string()));
  connections_.write(
      [&](Writes& writes) {
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if (has_record(writes.count_of_key_records, keys[i].id)) {
            throw Error(ErrorKind::object_not_unique).with_cause("key " + rows[i].id + " has a record already");
          }
          if (writes.end_planned_key({rows[i].id, own}) != 1) {
            throw Error(ErrorKind::object_not_present).with_cause("key " + rows[i].id + " is not planned");
          }
          writes.insert_pool_key(rows[i]);
        }
        append_event(writes, event);
      },
      deadline);
}

std::vector<PoolKeyRecord> SqliteKeyPoolStore::take(const std::string& token_serial, const KeyClass& key_class,
                                                    std::size_t most, UnixTime now, Deadline deadline) {
  const std::string& own = owner();
  std::vector<PoolKeyRow> rows;
  connections_.write(
      [&](Writes& writes) {
        rows = writes.free_pool_keys({token_serial, key_class.to_string(), own},
                                     {to_number(now), page_numbers(0, most).front()});
        for (const PoolKeyRow& row : rows) writes.own_pool_key({own, row.id});
      },
      deadline);
  return records_of(rows);
}

std::vector<PoolKeyRecord> SqliteKeyPoolStore::held(const std::string& token_serial) {
  const std::string& own = owner();
  return records_of(connections_.read([&](Reader& reader) { return reader.pool_keys_of({token_serial, own}); }));
}

std::vector<PoolLevel> SqliteKeyPoolStore::levels(const std::string& token_serial, UnixTime now) {
  const std::string& own = owner();
  return connections_.read([&](Reader& reader) {
    return reader.at_one_moment([&] {
      std::set<std::string> holding;
      for (const PoolLeaseRow& lease : reader.pool_leases({})) {
        if (lease.until >= to_number(now)) holding.insert(lease.owner);
      }
      std::vector<PoolLevel> levels;  // the rows come in the order of their classes
      for (const PoolCountRow& row : reader.pool_counts({token_serial})) {
        const KeyClass key_class = intact(KeyClass::parse(row.key_class));
        if (levels.empty() || levels.back().key_class != key_class) levels.push_back({key_class, 0, 0, 0});
        const auto count = static_cast<std::size_t>(row.count);
        levels.back().all += count;
        if (holding.contains(row.owner)) levels.back().held += count;
        if (row.owner == own) levels.back().own += count;
      }
      return levels;
    });
  });
}

std::optional<PoolKeyRecord> SqliteKeyPoolStore::find(const Uuid& id) {
  return first_of(connections_.read([&](Reader& reader) { return reader.pool_key_by_id({id.to_string()}); }));
}

std::vector<Uuid> SqliteKeyPoolStore::ids() {
  std::vector<Uuid> ids;
  for (const PoolIdRow& row : connections_.read([](Reader& reader) { return reader.pool_ids({}); })) {
    ids.push_back(to_uuid(row.id));
  }
  return ids;
}

std::vector<std::string> SqliteKeyPoolStore::tokens() {
  std::vector<std::string> tokens;
  for (const PoolTokenRow& row : connections_.read([](Reader& reader) { return reader.pool_tokens({}); })) {
    tokens.push_back(row.token_serial);
  }
  return tokens;
}

bool SqliteKeyPoolStore::withdraw(const Uuid& id, Deadline deadline) {
  const std::string& own = owner();
  bool done = false;
  connections_.write([&](Writes& writes) { done = writes.withdraw_pool_key({id.to_string(), own}) == 1; }, deadline);
  return done;
}

std::vector<Uuid> SqliteKeyPoolStore::withdrawn(const std::string& token_serial, UnixTime now) {
  const std::string& own = owner();
  std::vector<Uuid> ids;
  for (const PoolKeyRow& row : connections_.read([&](Reader& reader) {
         return reader.withdrawn_pool_keys({token_serial, own}, {to_number(now)});
       })) {
    ids.push_back(to_uuid(row.id));
  }
  return ids;
}

void SqliteKeyPoolStore::erase_withdrawn(const Uuid& id, const audit::Event& event, Deadline deadline) {
  connections_.write(
      [&](Writes& writes) {
        if (writes.erase_withdrawn_pool_key({id.to_string()}) != 0) append_event(writes, event);
      },
      deadline);
}

std::size_t SqliteKeyPoolStore::forget_all(UnixTime now, const audit::Event& event, Deadline deadline) {
  end_leases_of_the_dead(deadline);
  std::size_t count = 0;
  connections_.write(
      [&](Writes& writes) {
        writes.erase_old_pool_leases({}, {to_number(now)});
        if (writes.count_of_pool_leases({}) != 0) {
          throw Error(ErrorKind::invalid_command, {"A server runs on this store: end it first."});
        }
        count = writes.erase_pool_keys({});
        writes.erase_planned_keys({});
        audit::Event counted = event;
        counted.details.emplace_back("count", std::to_string(count));
        append_event(writes, counted);
      },
      deadline);
  return count;
}

void SqliteKeyPoolStore::plan(const std::string& token_serial, const std::vector<Uuid>& ids, Deadline deadline) {
  const std::string& own = owner();
  connections_.write(
      [&](Writes& writes) {
        for (const Uuid& id : ids) writes.insert_planned_key({id.to_string(), token_serial, own});
      },
      deadline);
}

std::vector<Uuid> SqliteKeyPoolStore::take_plans(const std::string& token_serial, UnixTime now, Deadline deadline) {
  const std::string& own = owner();
  std::vector<Uuid> ids;
  connections_.write(
      [&](Writes& writes) {
        ids.clear();
        for (const PlannedKeyRow& row : writes.left_plans({token_serial, own}, {to_number(now)})) {
          writes.own_planned_key({own, row.id});
          ids.push_back(to_uuid(row.id));
        }
      },
      deadline);
  return ids;
}

void SqliteKeyPoolStore::end_plans(const std::vector<Uuid>& ids, const audit::Event* event, Deadline deadline) {
  const std::string& own = owner();
  connections_.write(
      [&](Writes& writes) {
        for (const Uuid& id : ids) writes.end_planned_key({id.to_string(), own});
        if (event != nullptr) append_event(writes, *event);
      },
      deadline);
}

}  // namespace hsmsigner::store
