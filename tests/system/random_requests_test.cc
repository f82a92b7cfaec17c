// 10,000 random and mutated requests: each is answered as the contract says, and what is there afterwards is what was
// answered. HSM_SIGNER_RANDOM_SEED and HSM_SIGNER_RANDOM_REQUESTS choose others.
#include "system/random_requests.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "system/files.h"

using namespace system_test;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kThreads = 4;
constexpr std::chrono::seconds kLongest(10);

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 0);
}

// What the answers say is there.
class Ledger {
 public:
  std::vector<std::string> ids() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> result;
    for (const auto& [id, with_key] : certificates_) result.push_back(id);
    return result;
  }

  void enter(const Wire& wire, const Reply& reply, const std::string& fault) {
    const std::lock_guard lock(mutex_);
    ++statuses_[reply.status];
    if (!fault.empty() && faults_.size() < 20) {
      faults_.push_back(fault + "\n  request: " + shown(wire.octets) + "\n  answer: " + std::to_string(reply.status) +
                        " " + shown(reply.body));
    }
    if (wire.method == "HEAD" || (reply.status != 200 && reply.status != 201)) return;
    const Json json = reply.json();
    const bool replayed = !reply.header("idempotency-replayed").empty();
    if (reply.status == 201 && json["client_secret"].exists() && json["client_id"].exists()) {
      accounts_.insert(json["client_id"].text());
    } else if (reply.status == 201 && json["id"].exists() && !replayed) {
      certificates_[json["id"].text()] = json["key"].exists();
    } else if (reply.status == 200 && wire.method == "DELETE") {
      certificates_.erase(json["id"].text());
    }
  }

  void add(const Json& made) { certificates_[made["id"].text()] = made["key"].exists(); }
  void add_account(const std::string& client_id) { accounts_.insert(client_id); }

  const std::map<std::string, bool>& certificates() const { return certificates_; }
  const std::set<std::string>& accounts() const { return accounts_; }
  const std::vector<std::string>& faults() const { return faults_; }
  const std::map<int, int>& statuses() const { return statuses_; }

 private:
  static std::string shown(const std::string& octets) {
    std::string text;
    for (const char c : octets.substr(0, 1500)) {
      if (c >= ' ' && c <= '~') {
        text += c;
      } else if (c == '\n') {
        text += "\n           ";
      } else {
        constexpr char digits[] = "0123456789abcdef";
        const auto octet = static_cast<unsigned char>(c);
        text += {'\\', 'x', digits[octet >> 4U], digits[octet & 15U]};
      }
    }
    return octets.size() > 1500 ? text + "... (" + std::to_string(octets.size()) + " octets)" : text;
  }

  std::mutex mutex_;
  std::map<std::string, bool> certificates_;  // id to whether it has a key
  std::set<std::string> accounts_;
  std::vector<std::string> faults_;
  std::map<int, int> statuses_;
};

std::vector<std::string> import_bodies() {
  std::vector<std::string> bodies;
  const auto add = [&](Body body) { bodies.push_back(body.text("name", "NAME").json()); };
  for (int i = 0; i < 12; ++i) {
    const std::string key = new_key(i == 0 ? "RSA:1024" : i == 1 ? "P-384" : "P-256");
    const std::string pem = self_signed(key, "imported " + std::to_string(i), i % 2 == 0);
    const std::string encrypted = openssl({"pkcs8", "-topk8", "-v2", "aes-128-cbc", "-passout", "pass:pass word"}, key);
    add(import_body("", "pem", pem));
    add(import_body("", "pem", pem, key));
    add(import_body("", "pem", pem, encrypted).text("passphrase", "pass word"));
    add(import_body("", "der", openssl({"x509", "-outform", "DER"}, pem), openssl({"pkey", "-outform", "DER"}, key)));
    add(import_body("", "pkcs12", pkcs12(key, pem, "pass word")).text("passphrase", "pass word"));
    add(import_body("", "pkcs12", pkcs12(key, pem, "pass word", {"-legacy"})).text("passphrase", "pass word"));
  }
  return bodies;
}

std::string warnings_of(const std::string& log) {
  std::istringstream lines(log);
  std::string warnings;
  for (std::string line; std::getline(lines, line) && warnings.size() < 20000;) {
    if (line.find(R"("level":"warning")") != std::string::npos ||
        line.find(R"("level":"error")") != std::string::npos) {
      warnings += line + "\n";
    }
  }
  return warnings;
}

template <typename Read>
std::set<std::string> all_of(const ServerFixture& server, const std::string& path, Read read) {
  std::set<std::string> found;
  for (std::size_t offset = 0;; offset += 100) {
    const Json page = server.get(path + "?limit=100&offset=" + std::to_string(offset)).json();
    for (const Json& item : page["data"].items()) found.insert(read(item));
    if (page["data"].items().size() < 100) return found;
  }
}

}  // namespace

TEST_CASE("10,000 random requests: no 500, no hang, no other form, and nothing there that was not answered 201") {
  const std::uint64_t seed = from_environment("HSM_SIGNER_RANDOM_SEED", 20261125);
  const std::size_t requests = from_environment("HSM_SIGNER_RANDOM_REQUESTS", 10000);
  MESSAGE("HSM_SIGNER_RANDOM_SEED=" << seed << " HSM_SIGNER_RANDOM_REQUESTS=" << requests);

  ServerOptions options;
  options.settings["server.read_timeout_ms"] = "1500";
  const ServerFixture server(options);
  Ledger ledger;
  Materials materials;
  materials.authorization = server.bearer();
  materials.client = server.create_account("random", {"reader=*"});
  materials.victims = {"victim-1", "victim-2", "victim-3"};
  materials.import_bodies = import_bodies();
  materials.authority_names = {"authority", "authority", "authority", "not there", "leaf"};
  for (const std::string& victim : materials.victims) server.create_account(victim, {"reader=*"});
  const auto client_ids = [&] {
    return all_of(server, "/accounts", [](const Json& account) { return account["client_id"].text(); });
  };
  for (const std::string& client_id : client_ids()) ledger.add_account(client_id);
  ledger.add(server.must_generate(certificate("authority").set("is_certificate_authority", "true")));
  ledger.add(server.must_generate(certificate("leaf").text("signed_by", "authority")));

  steady_clock::duration longest{};
  std::mutex mutex;
  const auto begin = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        RandomRequests generator(seed + thread, materials);
        Random which(seed ^ thread);
        KeptConnection connections[] = {KeptConnection(server.port()), KeptConnection(server.port()),
                                        KeptConnection(server.port())};
        for (std::size_t i = thread; i < requests; i += kThreads) {
          const Wire wire = generator.next(ledger.ids());
          const auto sent = steady_clock::now();
          const Reply reply = connections[which.below(3)].exchange(wire, kLongest);
          const auto taken = steady_clock::now() - sent;
          ledger.enter(wire, reply, why_not_in_contract(wire, reply));
          const std::lock_guard lock(mutex);
          longest = std::max(longest, taken);
        }
      });
    }
  }
  const auto seconds = [](steady_clock::duration time) { return std::chrono::duration<double>(time).count(); };
  std::string counts;
  for (const auto& [status, count] : ledger.statuses()) {
    counts += " " + std::to_string(status) + ":" + std::to_string(count);
  }
  MESSAGE("answers" << counts << ", " << ledger.certificates().size() << " certificates, "
                    << seconds(steady_clock::now() - begin) << " s, the longest " << seconds(longest) << " s");
  for (const std::string& fault : ledger.faults()) FAIL_CHECK(fault);
  if (!ledger.faults().empty()) MESSAGE("the server's warnings and errors:\n" << warnings_of(server.output()));

  // The requests were of every kind, not all refused at the door.
  for (const int status : {200, 201, 400, 401, 403, 404, 405, 409, 501}) {
    CAPTURE(status);
    CHECK(ledger.statuses().contains(status));
  }
  std::set<std::string> expected;
  std::size_t keys = 0;
  for (const auto& [id, with_key] : ledger.certificates()) {
    expected.insert(id);
    keys += with_key ? 1U : 0U;
  }
  CHECK(all_of(server, "/certificates", [](const Json& made) { return made["id"].text(); }) == expected);
  CHECK(server.rows() == expected.size());
  CHECK(server.keys() == keys);
  CHECK(client_ids() == ledger.accounts());
  CHECK(server.generate(certificate("afterwards").text("folder", "Afterwards")).status == 201);
}
