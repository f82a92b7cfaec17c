// hsm-signer as its users meet it: the program, started on a throwaway token and store, reached over HTTP.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/command.h"
#include "support/faults.h"
#include "support/softhsm.h"
#include "support/temporary_directory.h"
#include "system/json.h"

namespace system_test {

struct Reply {
  int status = 0;                                   // 0: no HTTP answer; `body` then says why
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;

  // Throws std::runtime_error when the body is no JSON.
  Json json() const { return Json::parse(body); }
  // "" when there is none.
  std::string header(const std::string& lower_case_name) const;
};

struct Request {
  std::string method = "GET";
  std::string target;  // goes out as it stands
  std::multimap<std::string, std::string> headers;
  std::string body;
  bool direct = false;  // never through the contract's proxy: it is about octets, which a proxy writes anew
};

// A request with that form for its body.
Request form_request(const std::string& target, const std::vector<std::pair<std::string, std::string>>& fields);

// One answer from 127.0.0.1:port, over a connection of its own. Thread safe.
Reply exchange(int port, const Request& request, std::chrono::seconds timeout = std::chrono::seconds(60));
// The same for octets that no decent client sends; everything the server answers until it closes or falls silent.
std::string exchange_raw(int port, const std::string& octets);

struct ServerOptions {
  // "server.queue_limit" -> a TOML value as it stands. Wins over the fixture's own choice; "" leaves the key out.
  std::map<std::string, std::string> settings;
  // Instead of the fixture's [token] a [[token]] for each: "label" -> a TOML value. What one does not say is as there.
  std::vector<std::map<std::string, std::string>> tokens = {};
  std::map<std::string, std::string> environment;
  bool faults = false;  // the fault module stands between the server and SoftHSM: see plan()
};

// An account and what it calls with.
struct Account {
  std::string client_id;
  std::string client_secret;
};

// A request whose head is sent at once, and its body when the test says so. Over a connection of its own.
class SlowRequest {
 public:
  SlowRequest(int port, const std::string& head);
  ~SlowRequest();
  SlowRequest(const SlowRequest&) = delete;
  SlowRequest& operator=(const SlowRequest&) = delete;
  // Sends the rest; returns everything that the server answers until it closes or falls silent.
  std::string finish(const std::string& body);

 private:
  int fd_ = -1;
};

// The program under test.
std::string program();

class ServerFixture {
 public:
  // Starts the server unless told not to.
  explicit ServerFixture(ServerOptions options = {}, bool started = true);

  // --- the program
  void start();
  // Sends the signal and waits for the end; returns the exit code.
  int stop(int signal_number);
  void kill();
  // Starts a server that is expected to end by itself, as one with a faulty configuration does.
  test_support::CommandResult run_to_end();
  test_support::BackgroundProcess& process() { return *process_; }
  // Everything this start of the server wrote.
  std::string output() const { return process_->output(); }
  int port() const { return port_; }
  void set(const std::string& setting, const std::string& toml) { options_.settings[setting] = toml; }
  void set_tokens(std::vector<std::map<std::string, std::string>> tokens) { options_.tokens = std::move(tokens); }
  void set_environment(const std::string& name, const std::string& value) { options_.environment[name] = value; }

  // --- accounts
  // With `hsm-signer account create`; its secret need not be rotated first. `grants`: "issuer=folder:Payments".
  Account create_account(const std::string& client_id, const std::vector<std::string>& grants,
                         const std::vector<std::string>& further_arguments = {"--own"}) const;
  const Account& everything() const { return everything_; }
  // What the token endpoint answers.
  Reply request_token(const Account& account) const;
  // The access token, throwing std::runtime_error with the answer unless there is one.
  std::string access_token(const Account& account) const;
  // `hsm-signer ARGUMENTS --config …`
  test_support::CommandResult command(const std::vector<std::string>& arguments) const;

  // --- HTTP
  // By an account that has every role everywhere, unless the request brings an Authorization; "none" stands for no
  // credential.
  Reply send(Request request) const;
  // "Authorization: Bearer …" of that account.
  std::string authorization_line() const { return "Authorization: Bearer " + bearer_; }
  std::string bearer() const { return "Bearer " + bearer_; }
  Reply get(const std::string& target) const;
  Reply post(const std::string& target, const std::string& body) const;
  // POST /certificates
  Reply generate(const Body& body) const { return post("/certificates", body.json()); }
  // The same, throwing std::runtime_error with the answer unless it is 201.
  Json must_generate(const Body& body) const;

  // --- what is behind it
  const test_support::SoftHsm& token() const { return token_; }
  const test_support::TemporaryDirectory& state() const { return state_; }
  const test_support::Faults& faults() const { return faults_; }
  // Written at each start.
  const std::string& config_file() const { return config_file_; }
  // Of the program.
  std::map<std::string, std::string> environment() const;
  // Objects in the token beside those of the service itself (the key of access tokens, the audit key), counted by
  // another program.
  std::size_t keys() const;
  // Certificates the server knows.
  std::size_t rows() const;
  // What the fault module does from now on (tests/support/fault_module/plan.h); "" for nothing.
  void plan(const std::string& lines) const { faults_.plan(lines); }

 private:
  void write_config();
  void start_proxy();
  Reply send_through_proxy(const Request& request) const;

  test_support::SoftHsm token_;
  test_support::TemporaryDirectory state_;
  test_support::Faults faults_{test_support::SoftHsm::module_path()};
  ServerOptions options_;
  std::string config_file_;
  std::unique_ptr<test_support::BackgroundProcess> process_;
  // `prism proxy --errors`, when scripts/test --contract asks for it: what goes through send() is judged by it as well.
  std::unique_ptr<test_support::BackgroundProcess> proxy_;
  int proxy_port_ = 0;
  int starts_ = 0;
  int port_ = 0;
  bool tls_ = false;
  Account everything_;  // every role, everywhere
  std::string bearer_;  // its access token
};

// Checks the whole error answer but the sentences: status, headers, code, message, errorType and the request id.
// Returns details.message.
std::vector<std::string> check_error(const Reply& reply, int status, const std::string& code,
                                     const std::string& message);
// 400 Invalid Object.
std::vector<std::string> check_invalid_object(const Reply& reply);
// Whether one of the sentences begins with the field's path.
bool names_field(const std::vector<std::string>& sentences, const std::string& field);

}  // namespace system_test
