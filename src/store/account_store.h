// Durable accounts and access token keys.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/account_record.h"
#include "store/alongside.h"

namespace hsmsigner::store {

struct AccountPage {
  std::vector<AccountRecord> records;  // ordered by client id
  std::size_t total = 0;
};

// Thread safe. Errors as in certificate_store.h. Another process may change the same accounts (the command line does):
// every read sees what was committed before it began.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  // Throws Error{name_not_unique}, "client_id: …", when there is such an account, or another one is bound to the same
  // certificate fingerprint. What is `with` it is written in
  // the same transaction, here and below.
  virtual void insert(const AccountRecord& account, Deadline deadline, const Alongside& with = {}) = 0;
  // Reads the account, lets `change` alter it, and writes it, all in one transaction; `change` runs on the writer's
  // thread and may throw Error, which undoes everything. What is `with` it may be filled by `change`; an answer
  // that then has no client_id is none. Throws Error{object_not_present}.
  virtual AccountRecord update(const std::string& client_id, const std::function<void(AccountRecord&)>& change,
                               Deadline deadline, const Alongside& with = {}) = 0;
  virtual std::optional<AccountRecord> find(const std::string& client_id) = 0;
  // The enabled or disabled account bound to this fingerprint, else to this subject.
  virtual std::optional<AccountRecord> find_by_certificate(const std::string& fingerprint,
                                                           const std::string& subject) = 0;
  virtual AccountPage list(std::size_t offset, std::size_t limit) = 0;

  // Those that are not retired first; of these, and of the others, the newest.
  virtual std::vector<AccessTokenKeyRecord> access_token_keys() = 0;
  // Adds a key and retires, at its creation, every other that is not retired yet.
  virtual void add_access_token_key(const AccessTokenKeyRecord& key, Deadline deadline, const Alongside& with = {}) = 0;
  virtual void erase_access_token_key(const Uuid& id, Deadline deadline, const Alongside& with = {}) = 0;
};

}  // namespace hsmsigner::store
