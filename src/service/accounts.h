// Use cases: accounts (HTTP contract, section 6): make, look up, rotate the secret of, disable, enable.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/event.h"
#include "auth/roles.h"
#include "base/clock.h"
#include "base/secret.h"
#include "store/account_store.h"

namespace hsmsigner::service {

// Random octets of the token's generator.
using RandomSource = std::function<Secret(std::size_t octets, Deadline deadline)>;

// A field that was faulty is left empty and its fault stands in `faults`.
struct NewAccount {
  std::string client_id;  // empty: one is made up
  std::string description;
  std::vector<auth::Grant> grants;
  std::optional<int> expires_in_days;
  std::string certificate_fingerprint;  // AA:BB:…
  std::string certificate_subject;      // OpenSSL's one-line form
  bool secret_initial = true;           // false: the maker is the holder, and need not rotate it first
  std::vector<std::string> faults;
};

// The only time that a secret is seen.
struct AccountWithSecret {
  store::AccountRecord account;
  Secret secret;
};

// As service/answer_composer.h, for answers with a secret.
using ComposeAccountAnswer = std::function<store::AnswerRecord(const AccountWithSecret& made)>;

// What is wrong with a client id ("must …"); nothing for a good one.
std::optional<std::string> fault_of_client_id(std::string_view text);
// AA:BB:…, 32 octets.
std::optional<std::string> fault_of_fingerprint(std::string_view text);

// Thread safe. Who may call what is decided before (api/routes.cc; the command line is its user's own); `origin` is who
// did, for the journal.
class Accounts {
 public:
  // `store` outlives this object. `rotation_grace`: how long the old secret is still taken after its holder rotated it.
  Accounts(store::AccountStore& store, RandomSource random, Clock clock, std::chrono::seconds rotation_grace)
      : store_(store), random_(std::move(random)), clock_(std::move(clock)), rotation_grace_(rotation_grace) {}

  // Throws Error: invalid_object (all faults at once), name_not_unique.
  AccountWithSecret create(const audit::Origin& origin, NewAccount account, Deadline deadline,
                           const ComposeAccountAnswer& compose = {});
  // Throws Error{object_not_present}.
  store::AccountRecord get(const std::string& client_id);
  store::AccountPage list(std::size_t offset, std::size_t limit);

  enum class By { holder, administrator };
  // A new secret; every access token of the account is void at once. The holder's old secret is taken for the grace
  // time, unless it was initial (others know it). An administrator's rotation is for a secret that was lost or has
  // leaked: the old one ends at once, the new one is initial.
  // `generation`, if given: the account must still be of it, and enabled; else Error{invalid_credential}.
  AccountWithSecret rotate(const audit::Origin& origin, const std::string& client_id, By by, Deadline deadline,
                           const ComposeAccountAnswer& compose = {}, std::optional<std::uint64_t> generation = {});
  // Every access token of the account is void at once.
  store::AccountRecord disable(const audit::Origin& origin, const std::string& client_id, Deadline deadline);
  store::AccountRecord enable(const audit::Origin& origin, const std::string& client_id, Deadline deadline);

 private:
  struct FreshSecret {
    Secret text;
    store::SecretHash hash;
  };
  FreshSecret new_secret(Deadline deadline);

  store::AccountStore& store_;
  RandomSource random_;
  Clock clock_;
  std::chrono::seconds rotation_grace_;
};

}  // namespace hsmsigner::service
