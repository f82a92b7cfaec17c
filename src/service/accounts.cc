#include "service/accounts.h"

#include <algorithm>
#include <set>

#include "auth/secret_hash.h"
#include "base/error.h"
#include "base/log.h"
#include "base/uuid.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kMaxClientId = 64;
constexpr std::size_t kMaxGrants = 64;

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void check_grants(NewAccount& account) {
  if (account.grants.empty() && account.faults.empty()) account.faults.push_back("grants: at least one is required");
  if (account.grants.size() > kMaxGrants) {
    account.faults.push_back("grants: must have at most " + std::to_string(kMaxGrants) + " items");
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < account.grants.size(); ++i) {
    if (!seen.insert(account.grants[i].to_string()).second) {
      account.faults.push_back("grants[" + std::to_string(i) + "]: is there twice");
    }
  }
}

}  // namespace

std::optional<std::string> fault_of_client_id(std::string_view text) {
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '@' || c == '-'; };
  if (text.empty() || text.size() > kMaxClientId || !is_letter_or_digit(text.front()) ||
      !std::all_of(text.begin(), text.end(), fits)) {
    return "must have 1 to 64 letters, digits, '.', '_', '@' and '-', and begin with a letter or digit";
  }
  if (text == "self") return "must not be \"self\", which means whoever calls";
  return std::nullopt;
}

std::optional<std::string> fault_of_fingerprint(std::string_view text) {
  constexpr std::size_t kOctets = 32;
  bool good = text.size() == 3 * kOctets - 1;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    const char c = text[i];
    good = i % 3 == 2 ? c == ':' : (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
  }
  if (good) return std::nullopt;
  return "must be a SHA-256 fingerprint as `openssl x509 -fingerprint -sha256` prints it, AA:BB:…";
}

Accounts::FreshSecret Accounts::new_secret(Deadline deadline) {
  const Secret octets = random_(auth::kSecretOctets, deadline);
  const Secret salt = random_(auth::kSaltOctets, deadline);
  FreshSecret fresh{auth::client_secret(octets), {}};
  fresh.hash.salt.assign(salt.bytes().begin(), salt.bytes().end());
  fresh.hash.hash = auth::hash_secret(fresh.text, fresh.hash.salt);
  return fresh;
}

AccountWithSecret Accounts::create(const audit::Origin& origin, NewAccount account, Deadline deadline,
                                   const ComposeAccountAnswer& compose) {
  if (account.client_id.empty()) {
    account.client_id = Uuid::random().to_string();
  } else if (const auto fault = fault_of_client_id(account.client_id)) {
    account.faults.push_back("client_id: " + *fault);
  }
  if (!account.certificate_fingerprint.empty()) {
    if (const auto fault = fault_of_fingerprint(account.certificate_fingerprint)) {
      account.faults.push_back("certificate_fingerprint: " + *fault);
    }
  }
  check_grants(account);
  if (!account.faults.empty()) throw Error(ErrorKind::invalid_object, std::move(account.faults));

  FreshSecret fresh = new_secret(deadline);
  AccountWithSecret made{{}, std::move(fresh.text)};
  store::AccountRecord& record = made.account;
  record.client_id = account.client_id;
  record.description = account.description;
  for (const auth::Grant& grant : account.grants) record.grants.push_back(grant.to_string());
  record.secret = std::move(fresh.hash);
  record.secret_initial = account.secret_initial;
  record.created_at = record.changed_at = clock_();
  if (account.expires_in_days) record.expires_at = record.created_at + std::chrono::days(*account.expires_in_days);
  record.certificate_fingerprint = account.certificate_fingerprint;
  record.certificate_subject = account.certificate_subject;
  store::AnswerRecord answer;
  if (compose) answer = compose(made);
  audit::Event event{.kind = audit::EventKind::account_created, .origin = origin, .object = record.client_id};
  event.details = {{"grants", joined(record.grants)},
                   {"expires", record.expires_at ? date_time(*record.expires_at) : ""},
                   {"certificate_fingerprint", record.certificate_fingerprint},
                   {"certificate_subject", record.certificate_subject}};
  store_.insert(record, deadline, {&event, compose ? &answer : nullptr});
  log::info("account created", {{"account", record.client_id}});
  return made;
}

store::AccountRecord Accounts::get(const std::string& client_id) {
  auto record = store_.find(client_id);
  if (!record) throw Error(ErrorKind::object_not_present, {"client_id: there is no such account"});
  return *std::move(record);
}

store::AccountPage Accounts::list(std::size_t offset, std::size_t limit) { return store_.list(offset, limit); }

AccountWithSecret Accounts::rotate(const audit::Origin& origin, const std::string& client_id, By by, Deadline deadline,
                                   const ComposeAccountAnswer& compose, std::optional<std::uint64_t> generation) {
  FreshSecret fresh = new_secret(deadline);
  AccountWithSecret made{{}, std::move(fresh.text)};
  store::AnswerRecord answer;
  const std::string by_whom = by == By::holder ? "its holder" : "an administrator";
  audit::Event event{.kind = audit::EventKind::account_secret_rotated, .origin = origin, .object = client_id};
  event.details = {{"by", by_whom}};
  made.account = store_.update(
      client_id,
      [&](store::AccountRecord& record) {
        if (generation && (record.generation != *generation || !record.enabled)) {
          throw Error(ErrorKind::invalid_credential, {"Authorization: the account was changed meanwhile"});
        }
        const bool keep_old = by == By::holder && !record.secret_initial && rotation_grace_.count() > 0;
        record.previous_secret = keep_old ? std::optional(record.secret) : std::nullopt;
        record.previous_secret_end = keep_old ? clock_() + rotation_grace_ : UnixTime();
        record.secret = fresh.hash;
        record.secret_initial = by == By::administrator;
        record.generation += 1;
        record.changed_at = clock_();
        made.account = record;
        if (compose) answer = compose(made);
      },
      deadline, {&event, compose ? &answer : nullptr});
  log::info("account's secret rotated", {{"account", client_id}, {"by", by_whom}});
  return made;
}

store::AccountRecord Accounts::disable(const audit::Origin& origin, const std::string& client_id, Deadline deadline) {
  const audit::Event event{.kind = audit::EventKind::account_disabled, .origin = origin, .object = client_id};
  auto record = store_.update(client_id,
                              [&](store::AccountRecord& account) {
                                account.enabled = false;
                                account.generation += 1;
                                account.changed_at = clock_();
                              },
                              deadline, {.event = &event});
  log::info("account disabled", {{"account", client_id}});
  return record;
}

store::AccountRecord Accounts::enable(const audit::Origin& origin, const std::string& client_id, Deadline deadline) {
  const audit::Event event{.kind = audit::EventKind::account_enabled, .origin = origin, .object = client_id};
  auto record = store_.update(client_id,
                              [&](store::AccountRecord& account) {
                                account.enabled = true;
                                account.changed_at = clock_();
                              },
                              deadline, {.event = &event});
  log::info("account enabled", {{"account", client_id}});
  return record;
}

}  // namespace hsmsigner::service
