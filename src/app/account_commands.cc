#include "app/account_commands.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iomanip>
#include <memory>
#include <ostream>

#include "app/local_user.h"
#include "app/open_tokens.h"
#include "app/wiring.h"
#include "base/clock.h"
#include "base/error.h"
#include "hsm/token.h"
#include "service/access_token_keys.h"
#include "service/accounts.h"

namespace hsmsigner::app {
namespace {

constexpr std::chrono::seconds kTimeout{60};
constexpr std::size_t kPage = 500;

void line(std::ostream& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out << std::left << std::setw(14) << name << value << '\n';
}

void print(const store::AccountRecord& account, std::ostream& out) {
  line(out, "client id", account.client_id);
  line(out, "description", account.description);
  line(out, "state", account.enabled ? "enabled" : "disabled");
  for (std::size_t i = 0; i < account.grants.size(); ++i) line(out, i == 0 ? "grants" : "", account.grants[i]);
  line(out, "secret", account.secret_initial ? "initial: its holder has to rotate it first" : "its holder's own");
  line(out, "expires", account.expires_at ? date_time(*account.expires_at) : "never");
  line(out, "certificate", account.certificate_fingerprint);
  line(out, "subject", account.certificate_subject);
  line(out, "created", date_time(account.created_at));
  line(out, "changed", date_time(account.changed_at));
}

Error cannot_write(const char* call) {
  return Error(ErrorKind::invalid_object, {"--secret-file: cannot be written; it must not exist yet"})
      .with_cause(std::string(call) + ": " + std::strerror(errno));
}

// A file for the secret, made before there is one: what cannot be kept must not be made.
class SecretFile {
 public:
  explicit SecretFile(const std::string& path) : path_(path) {
    if (path.empty()) return;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd_ < 0) throw cannot_write("open");
  }
  ~SecretFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (!written_) ::unlink(path_.c_str());
  }
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;

  bool used() const { return fd_ >= 0; }
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(fd_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw cannot_write("write");
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(fd_) != 0) throw cannot_write("fsync");
    written_ = true;
  }

 private:
  const std::string path_;
  int fd_ = -1;
  bool written_ = false;
};

// {"client_id":…,"client_secret":…}: neither holds a character that JSON would escape.
void hand_out(const service::AccountWithSecret& made, SecretFile& file, std::ostream& out) {
  std::string json = R"({"client_id":")" + made.account.client_id + R"(","client_secret":")";
  json += made.secret.view();
  json += "\"}\n";
  if (file.used()) {
    file.write(json);
    out << "client id " << made.account.client_id << ", its secret is in the file\n";
  } else {
    out << json;
  }
  cleanse(json);
}

service::Accounts accounts_without_secrets(store::Store& store) {
  return service::Accounts(
      store.accounts(),
      [](std::size_t, Deadline) -> Secret { throw Error(ErrorKind::internal_error).with_cause("no token is open"); },
      system_now, std::chrono::seconds(0));
}

}  // namespace

void create_account(const Settings& settings, Secret pin, const AccountCreateOptions& options, std::ostream& out) {
  service::NewAccount account;
  account.client_id = options.client_id;
  account.description = options.description;
  account.expires_in_days = options.expires_in_days;
  account.certificate_fingerprint = options.certificate_fingerprint;
  account.certificate_subject = options.certificate_subject;
  account.secret_initial = !options.own;
  for (const std::string& text : options.grants) {
    try {
      account.grants.push_back(auth::Grant::parse(text));
    } catch (const Error& error) {
      account.faults.push_back("--grant " + text + ": " + (error.details().empty() ? "" : error.details().front()));
    }
  }
  if (!account.faults.empty()) throw Error(ErrorKind::invalid_object, std::move(account.faults));
  SecretFile file(options.secret_file);
  const std::unique_ptr<hsm::Token> token = open_service_token(settings, std::move(pin));
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::Accounts accounts(store->accounts(), random_source(*token), system_now, settings.rotation_grace);
  hand_out(accounts.create(local_user(), std::move(account), deadline_in(kTimeout)), file, out);
}

void rotate_account(const Settings& settings, Secret pin, const std::string& client_id, const std::string& secret_file,
                    std::ostream& out) {
  SecretFile file(secret_file);
  const std::unique_ptr<hsm::Token> token = open_service_token(settings, std::move(pin));
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::Accounts accounts(store->accounts(), random_source(*token), system_now, settings.rotation_grace);
  hand_out(accounts.rotate(local_user(), client_id, service::Accounts::By::administrator, deadline_in(kTimeout)), file,
           out);
}

void list_accounts(const Settings& settings, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  const char* separator = "";
  for (std::size_t offset = 0;; offset += kPage) {
    const store::AccountPage page = store->accounts().list(offset, kPage);
    if (page.total == 0) out << "no accounts\n";
    for (const store::AccountRecord& account : page.records) {
      out << separator;
      print(account, out);
      separator = "\n";
    }
    if (offset + page.records.size() >= page.total || page.records.empty()) return;
  }
}

void show_account(const Settings& settings, const std::string& client_id, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  print(accounts_without_secrets(*store).get(client_id), out);
}

void disable_account(const Settings& settings, const std::string& client_id, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  print(accounts_without_secrets(*store).disable(local_user(), client_id, deadline_in(kTimeout)), out);
}

void enable_account(const Settings& settings, const std::string& client_id, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  print(accounts_without_secrets(*store).enable(local_user(), client_id, deadline_in(kTimeout)), out);
}

void rotate_access_token_key(const Settings& settings, Secret pin, std::ostream& out) {
  const std::unique_ptr<hsm::Token> token = open_service_token(settings, std::move(pin));
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::AccessTokenKeys keys(*token, store->accounts(), system_now);
  out << "kid " << keys.rotate(local_user(), deadline_in(kTimeout))
      << " signs from now on; tokens of the one before are good until they expire\n";
}

void list_access_token_keys(const Settings& settings, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  for (const store::AccessTokenKeyRecord& key : store->accounts().access_token_keys()) {
    out << "kid " << key.id.to_string() << ", made " << date_time(key.created_at)
        << (key.retired_at ? ", retired " + date_time(*key.retired_at) : std::string(", signs")) << '\n';
  }
}

}  // namespace hsmsigner::app
