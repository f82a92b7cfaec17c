#include "system/server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <stdexcept>
#include <thread>

namespace system_test {
namespace {

using test_support::BackgroundProcess;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The server may answer and close before it has read everything.
void send_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Sanitised builds are several times slower.
constexpr std::chrono::seconds kStartTime(30);
constexpr std::chrono::seconds kStopTime(30);

}  // namespace

std::string Reply::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

Request form_request(const std::string& target, const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string body;
  for (const auto& [name, value] : fields) {
    body += (body.empty() ? "" : "&") + httplib::detail::encode_query_param(name) + "=" +
            httplib::detail::encode_query_param(value);
  }
  return {"POST", target, {{"Content-Type", "application/x-www-form-urlencoded"}, {"Authorization", "none"}}, body};
}

Reply exchange(int port, const Request& request, std::chrono::seconds timeout) {
  httplib::Client client("127.0.0.1", port);
  client.set_url_encode(false);
  client.set_connection_timeout(10);
  client.set_read_timeout(timeout.count());
  httplib::Request message;
  message.method = request.method;
  message.path = request.target;
  message.body = request.body;
  for (const auto& [name, value] : request.headers) {
    if (name != "Authorization" || value != "none") message.headers.emplace(name, value);
  }
  const httplib::Result result = client.send(message);
  Reply reply;
  if (!result) {
    reply.body = "no answer: " + httplib::to_string(result.error());
    return reply;
  }
  reply.status = result->status;
  reply.body = result->body;
  for (const auto& [name, value] : result->headers) reply.headers.emplace(lower(name), value);
  return reply;
}

SlowRequest::SlowRequest(int port, const std::string& head) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) throw std::runtime_error("no socket");
  const timeval limit{5, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  send_all(fd_, head);
}

SlowRequest::~SlowRequest() { ::close(fd_); }

std::string SlowRequest::finish(const std::string& body) {
  send_all(fd_, body);
  std::string answer;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::recv(fd_, buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  return answer;
}

std::string exchange_raw(int port, const std::string& octets) { return SlowRequest(port, octets).finish(""); }

std::string program() { return HSM_SIGNER_PROGRAM; }

ServerFixture::ServerFixture(ServerOptions options, bool started) : options_(std::move(options)) {
  state_.write("pin", token_.pin() + "\n");
  if (started) start();
}

void ServerFixture::write_config() {
  std::map<std::string, std::string> settings = {
      {"server.port", "0"},
      {"token.module",
       quote(options_.faults ? test_support::Faults::module_path() : test_support::SoftHsm::module_path())},
      {"token.label", quote(token_.label())},
      {"token.pin_file", quote(state_.file("pin"))},
      {"store.path", quote(state_.file("hsm-signer.sqlite"))},
      {"pool.enabled", "\"off\""},  // tests count keys: those of the pool turn it on
  };
  for (const auto& [name, value] : options_.settings) settings[name] = value;
  std::map<std::string, std::string> tables;
  for (const auto& [name, value] : settings) {
    const std::size_t dot = name.find('.');
    if (!value.empty()) tables[name.substr(0, dot)] += name.substr(dot + 1) + " = " + value + "\n";
  }
  std::string toml;
  for (std::map<std::string, std::string> token : options_.tokens) {
    for (const auto& [name, value] : settings) {
      if (name.starts_with("token.")) token.emplace(name.substr(6), value);
    }
    toml += "[[token]]\n";
    for (const auto& [key, value] : token) {
      if (!value.empty()) toml.append(key).append(" = ").append(value).append("\n");
    }
  }
  if (!options_.tokens.empty()) tables.erase("token");
  for (const auto& [table, lines] : tables) toml.append("[").append(table).append("]\n").append(lines).append("\n");
  config_file_ = state_.write("hsm-signer.toml", toml);
}

std::map<std::string, std::string> ServerFixture::environment() const {
  std::map<std::string, std::string> result = token_.environment();
  if (options_.faults) result.merge(faults_.environment());
  for (const auto& [name, value] : options_.environment) result[name] = value;
  return result;
}

void ServerFixture::start() {
  write_config();
  process_ = std::make_unique<BackgroundProcess>(std::vector<std::string>{program(), "serve", "--config", config_file_},
                                                 environment(), state_.file("output-" + std::to_string(++starts_)));
  const std::string url = process_->wait_for_line("ready http", kStartTime);
  port_ = std::stoi(url.substr(url.rfind(':') + 1));
  tls_ = url.starts_with("s:");
  if (everything_.client_id.empty()) {
    everything_ = create_account("tester", {"administrator=*", "issuer=*", "exporter=*", "signer=*", "auditor=*"});
  }
  if (tls_) return;  // the client here speaks plain HTTP: such tests call curl
  bearer_ = access_token(everything_);
  start_proxy();
}

void ServerFixture::start_proxy() {
  const char* const prism = std::getenv("HSM_SIGNER_CONTRACT_PROXY");
  if (prism == nullptr) return;
  proxy_.reset();
  proxy_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{prism, "proxy", "--errors", "--cors", "false", "--host", "127.0.0.1", "--port", "0",
                               "-v", "info", API_DOCUMENT_FILE, "http://127.0.0.1:" + std::to_string(port_)},
      std::map<std::string, std::string>{}, state_.file("proxy-" + std::to_string(starts_)));
  const std::string ready = "listening on http://127.0.0.1:";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (true) {
    const std::string output = proxy_->output();
    const std::size_t at = output.find(ready);
    if (at != std::string::npos && output.find('\n', at) != std::string::npos) {
      proxy_port_ = std::stoi(output.substr(at + ready.size()));
      return;
    }
    if (!proxy_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("no proxy: " + output);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// The proxy refuses by itself what the document does not allow: then the server must refuse it as well. An answer that
// the document does not describe fails the test.
Reply ServerFixture::send_through_proxy(const Request& request) const {
  const Reply reply = exchange(proxy_port_, request);
  const bool violation =
      !reply.header("sl-violations").empty() || reply.body.find("prism/errors#VIOLATIONS") != std::string::npos;
  if (violation) {
    const Reply own = exchange(port_, request);
    throw std::runtime_error("the answer to " + request.method + " " + request.target + " " + request.body +
                             " is not as /openapi.json has it: " + reply.header("sl-violations") + reply.body +
                             "\nthe server itself: " + std::to_string(own.status) + " " + own.body);
  }
  if (reply.body.find("stoplight.io/prism/errors") == std::string::npos &&
      !reply.body.starts_with("{\"error\":{\"code\":") && reply.status != 0) {
    return reply;
  }
  const Reply own = exchange(port_, request);
  if (own.status < 400) {
    throw std::runtime_error("/openapi.json does not allow " + request.method + " " + request.target + " " +
                             request.body + ", and the server does: " + std::to_string(own.status) + "; " + reply.body);
  }
  return own;
}

test_support::CommandResult ServerFixture::command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{program()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  argv.insert(argv.end(), {"--config", config_file_});
  return test_support::run_command(argv, "", environment());
}

Account ServerFixture::create_account(const std::string& client_id, const std::vector<std::string>& grants,
                                      const std::vector<std::string>& further_arguments) const {
  std::vector<std::string> arguments{"account", "create", "--client-id", client_id};
  for (const std::string& grant : grants) arguments.insert(arguments.end(), {"--grant", grant});
  arguments.insert(arguments.end(), further_arguments.begin(), further_arguments.end());
  const test_support::CommandResult result = command(arguments);
  // The log is in the same stream: the secret is on the line that begins with a brace and names the client.
  const std::size_t at = result.out.find("{\"client_id\"");
  if (result.exit_code != 0 || at == std::string::npos) throw std::runtime_error("no account: " + result.out);
  const Json json = Json::parse(result.out.substr(at, result.out.find('\n', at) - at));
  return {json["client_id"].text(), json["client_secret"].text()};
}

Reply ServerFixture::request_token(const Account& account) const {
  return exchange(port_, form_request("/oauth2/access_token", {{"grant_type", "client_credentials"},
                                                               {"client_id", account.client_id},
                                                               {"client_secret", account.client_secret}}));
}

std::string ServerFixture::access_token(const Account& account) const {
  const Reply reply = request_token(account);
  if (reply.status != 200) throw std::runtime_error("no access token: " + reply.body);
  return reply.json()["access_token"].text();
}

Reply ServerFixture::send(Request request) const {
  if (!request.headers.contains("Authorization")) request.headers.emplace("Authorization", bearer());
  // A proxy writes percent-encodings anew, and ends at broken ones.
  static const std::regex broken_encoding("%(?![0-9A-Fa-f]{2})");
  // HEAD and OPTIONS are no operations of the document, and what a GET's body says is nobody's business.
  const bool described = request.method != "HEAD" && request.method != "OPTIONS" &&
                         (request.method != "GET" || request.body.empty()) &&
                         !std::regex_search(request.target, broken_encoding);
  if (proxy_ && described && !request.direct) return send_through_proxy(request);
  return exchange(port_, request);
}

std::size_t ServerFixture::keys() const {
  constexpr std::size_t kOwn = 2;
  const std::size_t objects = token_.count_objects();
  return objects > kOwn ? objects - kOwn : 0;
}

int ServerFixture::stop(int signal_number) {
  process_->signal(signal_number);
  return process_->wait(kStopTime);
}

void ServerFixture::kill() { stop(SIGKILL); }

test_support::CommandResult ServerFixture::run_to_end() {
  write_config();
  return test_support::run_command({program(), "serve", "--config", config_file_}, "", environment(), kStartTime);
}

Reply ServerFixture::get(const std::string& target) const { return send({"GET", target, {}, ""}); }

Reply ServerFixture::post(const std::string& target, const std::string& body) const {
  return send({"POST", target, {{"Content-Type", "application/json"}}, body});
}

Json ServerFixture::must_generate(const Body& body) const {
  const Reply reply = generate(body);
  if (reply.status != 201) {
    throw std::runtime_error(body.json() + " was answered " + std::to_string(reply.status) + " " + reply.body);
  }
  return reply.json();
}

std::size_t ServerFixture::rows() const {
  const Reply reply = get("/certificates?limit=1");
  if (reply.status != 200) throw std::runtime_error("the list was answered " + reply.body);
  return static_cast<std::size_t>(reply.json()["total"].integer());
}

std::vector<std::string> check_error(const Reply& reply, int status, const std::string& code,
                                     const std::string& message) {
  INFO("answer: " << reply.status << " " << reply.body);
  CHECK(reply.status == status);
  CHECK(reply.header("content-type").starts_with("application/json"));
  if (!reply.header("content-type").starts_with("application/json")) return {};

  const Json json = reply.json();
  CHECK(json.names() == std::vector<std::string>{"_errors", "_request_id"});
  static const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  REQUIRE(json["_request_id"].kind() == Json::Kind::text);
  CHECK(std::regex_match(json["_request_id"].text(), uuid));
  CHECK(reply.header("x-request-id") == json["_request_id"].text());

  REQUIRE(json["_errors"].items().size() == 1);
  const Json& error = json["_errors"].at(0);
  for (const std::string& name : error.names()) {
    CHECK_MESSAGE((name == "code" || name == "message" || name == "details" || name == "help"), name);
  }
  REQUIRE(error["code"].kind() == Json::Kind::text);  // "4" too is a string
  CHECK(error["code"].text() == code);
  CHECK(error["message"].text() == message);
  // The contract's message up to the subject it is about.
  CHECK(error["details"]["errorType"].text() == message.substr(0, message.find(": ")));
  const bool busy = status == 503 || status == 429;
  CHECK(reply.header("retry-after").empty() != busy);
  return error["details"]["message"].texts();
}

std::vector<std::string> check_invalid_object(const Reply& reply) {
  return check_error(reply, 400, "E003", "Invalid Object");
}

bool names_field(const std::vector<std::string>& sentences, const std::string& field) {
  return std::ranges::any_of(sentences, [&](const std::string& sentence) {
    // "department: …", "department[1]: …", "algorithm.rsa_number_of_bits: …"
    return sentence.starts_with(field) && sentence.size() > field.size() &&
           std::string(":[.").find(sentence[field.size()]) != std::string::npos;
  });
}

}  // namespace system_test
