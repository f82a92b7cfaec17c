#include "store/account_store.h"

#include "store/sqlite_stores.h"

namespace hsmsigner::store {
namespace {

// On the writer's thread, before a row is written. That is soon enough: it holds the database's write lock.
void refuse_taken_fingerprint(Writes& writes, const AccountRow& row) {
  if (writes.count_of_fingerprint({row.certificate_fingerprint, row.client_id}) != 0) {
    throw Error(ErrorKind::name_not_unique, {"client_id: another account is bound to the same certificate"});
  }
}

}  // namespace

void SqliteAccountStore::insert(const AccountRecord& account, Deadline deadline, const Alongside& with) {
  const AccountRow row = to_row(account);
  connections_.write(
      [&](Writes& writes) {
        if (!writes.account_by_id({row.client_id}).empty()) {
          throw Error(ErrorKind::name_not_unique, {"client_id: there is an account of this name"});
        }
        refuse_taken_fingerprint(writes, row);
        writes.insert_account(row);
        write_alongside(writes, with);
      },
      deadline);
}

AccountRecord SqliteAccountStore::update(const std::string& client_id,
                                         const std::function<void(AccountRecord&)>& change, Deadline deadline,
                                         const Alongside& with) {
  std::optional<AccountRecord> account;
  connections_.write(
      [&](Writes& writes) {
        account = first_of(writes.account_by_id({client_id}));
        if (!account) throw Error(ErrorKind::object_not_present, {"client_id: there is no such account"});
        change(*account);
        account->client_id = client_id;
        const AccountRow row = to_row(*account);
        refuse_taken_fingerprint(writes, row);
        writes.update_account(row);
        write_alongside(writes, with);
      },
      deadline);
  return *std::move(account);
}

std::optional<AccountRecord> SqliteAccountStore::find(const std::string& client_id) {
  return first_of(connections_.read([&](Reader& reader) { return reader.account_by_id({client_id}); }));
}

std::optional<AccountRecord> SqliteAccountStore::find_by_certificate(const std::string& fingerprint,
                                                                     const std::string& subject) {
  return first_of(connections_.read([&](Reader& reader) {
    return reader.at_one_moment([&] {
      std::vector<AccountRow> rows = reader.account_by_fingerprint({fingerprint});
      // Of several accounts bound to one subject the oldest: a later one cannot take the certificate over.
      if (rows.empty()) rows = reader.account_by_subject({subject});
      return rows;
    });
  }));
}

AccountPage SqliteAccountStore::list(std::size_t offset, std::size_t limit) {
  return connections_.read([&](Reader& reader) {
    return reader.at_one_moment([&] {
      AccountPage page;
      page.total = static_cast<std::size_t>(reader.count_accounts({}).value_or(0));
      for (const AccountRow& row : reader.all_accounts({}, page_numbers(offset, limit))) {
        page.records.push_back(to_record(row));
      }
      return page;
    });
  });
}

std::vector<AccessTokenKeyRecord> SqliteAccountStore::access_token_keys() {
  return connections_.read([&](Reader& reader) {
    std::vector<AccessTokenKeyRecord> keys;
    for (const AccessTokenKeyRow& row : reader.access_token_keys({})) keys.push_back(to_record(row));
    return keys;
  });
}

void SqliteAccountStore::add_access_token_key(const AccessTokenKeyRecord& key, Deadline deadline,
                                              const Alongside& with) {
  const AccessTokenKeyRow row = to_row(key);
  connections_.write(
      [&](Writes& writes) {
        writes.retire_access_token_keys({}, {row.created_at});
        writes.insert_access_token_key(row);
        write_alongside(writes, with);
      },
      deadline);
}

void SqliteAccountStore::erase_access_token_key(const Uuid& id, Deadline deadline, const Alongside& with) {
  connections_.write(
      [&](Writes& writes) {
        writes.erase_access_token_key({id.to_string()});
        write_alongside(writes, with);
      },
      deadline);
}

}  // namespace hsmsigner::store
