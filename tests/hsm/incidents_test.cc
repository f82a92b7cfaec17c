// What whoever keeps a journal is told of the token while it is in use.
#include "hsm/incidents.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "faulty_token.h"
#include "support/remote_token.h"

using namespace hsm_faults;

namespace {

// Outlives the token that tells it.
class Listener {
 public:
  std::function<void(const TokenIncident&)> listener() {
    return [this](const TokenIncident& incident) {
      const std::lock_guard lock(mutex_);
      incidents_.push_back(incident);
    };
  }
  // "lost CKR_DEVICE_ERROR", "back", "destroyed", in order.
  std::vector<std::string> words(bool with_codes = false) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> words;
    for (const TokenIncident& incident : incidents_) {
      switch (incident.kind) {
        case TokenIncident::Kind::lost: words.push_back(with_codes ? "lost " + incident.code : "lost"); break;
        case TokenIncident::Kind::back: words.emplace_back("back"); break;
        case TokenIncident::Kind::key_destroyed: words.emplace_back("destroyed"); break;
      }
    }
    return words;
  }
  TokenIncident at(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return incidents_.at(index);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<TokenIncident> incidents_;  // guarded by mutex_
};

using Words = std::vector<std::string>;

bool signs(const GeneratedKey& key) {
  try {
    return !FaultyToken::sign(key).empty();
  } catch (const Error&) {
    return false;
  }
}

bool signs_in_time(const GeneratedKey& key) {
  const Deadline end = deadline_in(seconds(30));
  while (!signs(key)) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(100));
  }
  return true;
}

}  // namespace

TEST_CASE("incidents: a token that fails for a while is told as lost once, and as back once") {
  Listener told;
  const FaultyToken token;
  TokenOptions options = token.options();
  options.on_incident = told.listener();
  const auto opened = Token::open(options, Secret(token.softhsm.pin()));
  GeneratedKey key = FaultyToken::generate(*opened);
  CHECK(signs(key));
  CHECK(told.words().empty());
  token.faults.plan("C_SignInit rv=CKR_DEVICE_REMOVED\nC_GetSessionInfo rv=CKR_DEVICE_REMOVED\n");
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(signs(key));
    std::this_thread::sleep_for(milliseconds(50));
  }
  CHECK(told.words(true) == Words{"lost CKR_DEVICE_REMOVED"});
  token.faults.plan("");
  CHECK(signs_in_time(key));
  for (int i = 0; i < 5; ++i) CHECK(signs(key));
  CHECK(told.words() == Words{"lost", "back"});
  key.keep();
}

TEST_CASE("incidents: many threads that meet the same loss tell of it once") {
  Listener told;
  const FaultyToken token;
  TokenOptions options = token.options();
  options.on_incident = told.listener();
  const auto opened = Token::open(options, Secret(token.softhsm.pin()));
  GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_SignInit rv=CKR_SESSION_HANDLE_INVALID\nC_GetSessionInfo rv=CKR_SESSION_HANDLE_INVALID\n");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 4; ++j) signs(key);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(told.words() == Words{"lost"});
  token.faults.plan("");
  CHECK(signs_in_time(key));
  CHECK(told.words() == Words{"lost", "back"});
  key.keep();
}

TEST_CASE("incidents: a key that was made and then found wanting is told, by its id") {
  Listener told;
  const FaultyToken token;
  TokenOptions options = token.options();
  options.on_incident = told.listener();
  const auto opened = Token::open(options, Secret(token.softhsm.pin()));
  token.faults.plan("C_GetAttributeValue report=local:false");
  const Uuid id = Uuid::random();
  CHECK_THROWS_AS(opened->generate({id, KeyAlgorithm::ec_p256, true}, soon()), Error);
  REQUIRE(told.words() == Words{"destroyed"});
  CHECK(told.at(0).key.value() == id);
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("incidents: a listener that throws harms nobody") {
  const FaultyToken token;
  TokenOptions options = token.options();
  options.on_incident = [](const TokenIncident&) { throw std::runtime_error("no journal"); };
  const auto opened = Token::open(options, Secret(token.softhsm.pin()));
  GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_SignInit rv=CKR_SESSION_HANDLE_INVALID times=1");
  CHECK(signs(key));
  CHECK(signs(key));
  key.keep();
}

TEST_CASE("incidents: loss and return come in turn, however many threads notice") {
  std::mutex mutex;
  Words words;
  Incidents incidents([&](const TokenIncident& incident) {
    const std::lock_guard lock(mutex);
    words.emplace_back(incident.kind == TokenIncident::Kind::lost ? "lost" : "back");
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 2000; ++j) {
        if ((i + j) % 2 == 0) {
          incidents.lost(CKR_DEVICE_ERROR);
        } else {
          incidents.answered();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE_FALSE(words.empty());
  for (std::size_t i = 0; i < words.size(); ++i) CHECK(words[i] == (i % 2 == 0 ? "lost" : "back"));
}

TEST_CASE("incidents: a network token whose server dies is lost once, and back when it is started again") {
  if (const auto reason = test_support::RemoteToken::why_not()) {
    MESSAGE("test skipped: " << *reason);
    return;
  }
  Listener told;
  const test_support::SoftHsm softhsm;
  test_support::RemoteToken remote(softhsm);
  TokenOptions options;
  options.module_path = test_support::RemoteToken::module_path();
  options.selector.label = softhsm.label();
  options.on_incident = told.listener();
  const auto opened = Token::open(options, Secret(softhsm.pin()));
  GeneratedKey key = FaultyToken::generate(*opened);
  CHECK(signs(key));
  remote.kill();
  for (int i = 0; i < 4; ++i) CHECK_FALSE(signs(key));
  CHECK(told.words() == Words{"lost"});
  remote.start();
  CHECK(signs_in_time(key));
  CHECK(told.words() == Words{"lost", "back"});
  key.keep();
}
