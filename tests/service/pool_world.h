// A real token, a real database, and what the pool of keys is made of.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "audit/event_line.h"
#include "policy/policies.h"
#include "service/generation.h"
#include "service/key_pool.h"
#include "service/name_reservations.h"
#include "service/pool_filler.h"
#include "service/sample_request.h"
#include "store/store.h"
#include "support/softhsm.h"

namespace pool_test {

using namespace hsmsigner;
using service_test::sample_request;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline Deadline soon() { return deadline_in(seconds(30)); }
inline const KeyClass kP256{KeyAlgorithm::ec_p256, true};
inline const KeyClass kExportable{KeyAlgorithm::ec_p256, false};

inline bool comes(const std::function<bool()>& condition, seconds time = seconds(60)) {
  for (const Deadline end = deadline_in(time); !condition(); std::this_thread::sleep_for(milliseconds(20))) {
    if (std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

// One process's part, over a token and a database that may have several of them.
class Instance {
 public:
  Instance(hsm::Token& token, const std::string& database)
      : token_(token),
        store_(store::Store::open({.path = database, .readers = 2})),
        tokens(token),
        pools(tokens, store_->key_pool()),
        pool(*pools.all().front().pool),
        generation_(tokens, store_->certificates(), names_, policies_, system_now, &pools) {}
  ~Instance() { filler_.reset(); }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  static service::FillerPace quick() {
    service::FillerPace pace;
    pace.look = milliseconds(50);
    pace.look_for_free = milliseconds(50);
    pace.first_wait = milliseconds(50);
    pace.longest_wait = milliseconds(200);
    return pace;
  }
  void fill(std::vector<service::PoolMarks> marks, std::size_t max_keys = 1000,
            const service::FillerPace& pace = quick()) {
    service::PoolPolicy policy;
    policy.classes = std::move(marks);
    policy.max_keys = max_keys;
    filler_ = std::make_unique<service::PoolFiller>(pool, token_, store_->key_pool(), system_now, policy, pace);
  }
  service::PoolFiller& filler() { return *filler_; }
  // As at an orderly end.
  void finish() {
    filler_->finish(soon());
    filler_.reset();
  }

  service::PoolFigures figures(const KeyClass& key_class = kP256) const {
    for (const service::PoolFigures& figures : pool.figures()) {
      if (figures.key_class == key_class) return figures;
    }
    return {key_class, 0, 0, 0, 0, 0, 0};
  }
  bool comes_to_stock(std::size_t count, const KeyClass& key_class = kP256) {
    return comes([&] { return figures(key_class).stock == count; });
  }

  store::CertificateRecord generate(service::GenerateRequest request, const service::ComposeAnswer& compose = {}) {
    return generation_.generate(auth::Caller::service(), std::move(request), soon(), compose);
  }

  store::Store& store() { return *store_; }
  std::size_t certificates() { return store_->certificates().list(ContainerScope::everything(), {}, 0, 1).total; }
  std::vector<audit::Event> events(audit::EventKind kind) {
    std::vector<audit::Event> events;
    for (const store::JournalLine& line : store_->journal().lines(0, 10'000)) {
      audit::Event event = audit::parse_line(line.line).value().event;
      if (event.kind == kind) events.push_back(std::move(event));
    }
    return events;
  }

 private:
  hsm::Token& token_;
  std::unique_ptr<store::Store> store_;
  service::NameReservations names_;
  const policy::Policies policies_;

 public:
  service::TokenSet tokens;
  service::KeyPools pools;
  service::KeyPool& pool;

 private:
  service::Generation generation_;
  std::unique_ptr<service::PoolFiller> filler_;
};

class World {
 public:
  World() : World(test_support::SoftHsm::module_path()) {}
  explicit World(const std::string& module)
      : token(hsm::Token::open({.module_path = module, .selector = {softhsm.label(), ""}}, Secret(softhsm.pin()))) {}

  std::unique_ptr<Instance> instance() { return std::make_unique<Instance>(*token, database()); }
  std::string database() const { return directory.file("store.db"); }
  std::size_t keys() const { return token->count_private_keys(soon()); }

  const test_support::SoftHsm softhsm;
  const test_support::TemporaryDirectory directory;
  const std::unique_ptr<hsm::Token> token;
};

}  // namespace pool_test
