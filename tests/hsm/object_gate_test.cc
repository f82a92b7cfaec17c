// Searches beside the making of keys: what SoftHSM cannot do at once does not happen at once.
#include "hsm/object_gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/error.h"
#include "hsm/quirks.h"
#include "hsm/token.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;
using std::chrono::milliseconds;

namespace {

Deadline soon() { return deadline_in(std::chrono::seconds(60)); }

}  // namespace

TEST_CASE("those who make go on together, who searches goes alone") {
  ObjectGate gate(true);
  std::atomic<int> making = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> overlap = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const ObjectGate::Making inside(gate, soon());
        most = std::max(most.load(), ++making);
        std::this_thread::sleep_for(milliseconds(1));
        --making;
      }
    });
  }
  for (int n = 0; n < 20; ++n) {
    const ObjectGate::Searching alone(gate, soon());
    if (making != 0) overlap = true;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_FALSE(overlap);
  CHECK(most > 1);
}

TEST_CASE("a wait at the gate ends at its deadline, and leaves the gate as it was") {
  ObjectGate gate(true);
  {
    const ObjectGate::Making inside(gate, soon());
    CHECK_THROWS_AS(ObjectGate::Searching(gate, deadline_in(milliseconds(20))), Error);
    const ObjectGate::Making beside(gate, deadline_in(milliseconds(20)));
  }
  const ObjectGate::Searching alone(gate, deadline_in(milliseconds(20)));
  CHECK_THROWS_AS(ObjectGate::Making(gate, deadline_in(milliseconds(20))), Error);
  CHECK_THROWS_AS(ObjectGate::Searching(gate, deadline_in(milliseconds(20))), Error);
}

TEST_CASE("a token without the quirk has no gate") {
  ObjectGate gate(false);
  const ObjectGate::Searching alone(gate, soon());
  const ObjectGate::Making inside(gate, deadline_in(milliseconds(20)));
  CHECK_FALSE(quirks_of(CK_TOKEN_INFO{}).searches_apart_from_making);
}

TEST_CASE("SoftHSM: generations, searches and deletions in parallel, without one error and without a rest") {
  const test_support::SoftHsm softhsm;
  const auto token = Token::open(
      {.module_path = test_support::SoftHsm::module_path(), .selector = {softhsm.label(), ""}}, Secret(softhsm.pin()));
  std::atomic<int> errors = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        try {
          const GeneratedKey key = token->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, soon());
          token->attributes(key.key()->id(), soon());  // searches
        } catch (const Error& error) {
          ++errors;
          MESSAGE(error.what());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == 0);
  CHECK(softhsm.count_objects() == 0);
}
