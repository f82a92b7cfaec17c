// `hsm-signer account ...` and `hsm-signer access-token-key ...`: accounts and the keys of their tokens, managed by who
// may read the configuration and the token's PIN. A running server sees the changes at once.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"
#include "base/secret.h"

namespace hsmsigner::app {

struct AccountCreateOptions {
  std::string client_id;  // empty: one is made up
  std::string description;
  std::vector<std::string> grants;  // "issuer=folder:Payments"
  std::optional<int> expires_in_days;
  std::string certificate_fingerprint;
  std::string certificate_subject;
  std::string secret_file;  // written there, mode 0600, instead of to `out`; must not exist
  bool own = false;         // the secret is not initial
};

// All of them write what they did or found to `out` and throw Error otherwise. Those that make a secret take it from
// the token's generator, hence the PIN.
void create_account(const Settings& settings, Secret pin, const AccountCreateOptions& options, std::ostream& out);
void rotate_account(const Settings& settings, Secret pin, const std::string& client_id, const std::string& secret_file,
                    std::ostream& out);
void list_accounts(const Settings& settings, std::ostream& out);
void show_account(const Settings& settings, const std::string& client_id, std::ostream& out);
void disable_account(const Settings& settings, const std::string& client_id, std::ostream& out);
void enable_account(const Settings& settings, const std::string& client_id, std::ostream& out);

void rotate_access_token_key(const Settings& settings, Secret pin, std::ostream& out);
void list_access_token_keys(const Settings& settings, std::ostream& out);

}  // namespace hsmsigner::app
