#include "auth/failure_throttle.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace hsmsigner::auth;
using namespace std::chrono_literals;

namespace {

const std::string kClient = "client";
const std::string kAddress = "192.0.2.1";

// A clock that goes when told.
struct Attempts {
  explicit Attempts(ThrottleLimits limits = {}) : throttle(limits) {}
  long fail(const std::string& client = kClient, const std::string& address = kAddress) {
    return static_cast<long>(throttle.note_failure(client, address, now).count());
  }
  // Until the first wait that is imposed; the free ones before it.
  unsigned free_failures(const std::string& client = kClient, const std::string& address = kAddress) {
    unsigned free = 0;
    while (fail(client, address) == 0) {
      REQUIRE(++free < 10'000);
    }
    return free;
  }

  FailureThrottle throttle;
  FailureThrottle::Instant now{1000h};
};

ThrottleLimits wide_address() {
  ThrottleLimits limits;
  limits.free_failures_address = 1'000'000;
  return limits;
}

}  // namespace

TEST_CASE("five failures are free, then each wait is twice the last, up to the longest") {
  Attempts attempts(wide_address());
  for (int i = 0; i < 5; ++i) CHECK(attempts.fail() == 0);
  for (const long wait : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    CHECK(attempts.fail() == wait);
    attempts.now += std::chrono::seconds(wait);
  }
  for (int i = 0; i < 200; ++i) {
    CHECK(attempts.fail() == 60);
    attempts.now += 60s;
  }
}

TEST_CASE("attempts during a wait are told what is left of it and do not lengthen it") {
  Attempts attempts(wide_address());
  attempts.free_failures();
  attempts.now += 1s;
  REQUIRE(attempts.fail() == 2);
  CHECK(attempts.fail() == 2);
  attempts.now += 1ms;
  CHECK(attempts.fail() == 2);  // 1.999 s, rounded up
  attempts.now += 999ms;
  for (int i = 0; i < 50; ++i) CHECK(attempts.fail() == 1);
  attempts.now += 999ms;
  CHECK(attempts.fail() == 1);  // 1 ms
  attempts.now += 999'999ns;
  CHECK(attempts.fail() == 1);  // 1 ns
  attempts.now += 1ns;
  CHECK(attempts.fail() == 4);  // over: the next failure counts
}

TEST_CASE("what was noted is forgotten a quarter of an hour after the last failure") {
  Attempts attempts(wide_address());
  CHECK(attempts.free_failures() == 5);
  attempts.now += 899s;
  CHECK(attempts.fail() == 2);
  attempts.now += 899s;
  CHECK(attempts.fail() == 4);
  attempts.now += 900s;
  CHECK(attempts.free_failures() == 5);
}

TEST_CASE("a failure during a wait is a failure too, as to when it was the last") {
  ThrottleLimits limits = wide_address();
  limits.first_delay = limits.longest_delay = 600s;
  Attempts attempts(limits);
  attempts.free_failures();
  attempts.now += 599s;
  CHECK(attempts.fail() == 1);
  attempts.now += 899s;
  CHECK(attempts.fail() == 600);
}

TEST_CASE("another client id and another address have their own count") {
  Attempts attempts;
  attempts.free_failures();
  CHECK(attempts.fail() == 1);
  CHECK(attempts.fail("another") == 0);
  CHECK(attempts.fail(kClient, "192.0.2.2") == 0);
  CHECK(attempts.free_failures(kClient, "192.0.2.3") == 5);
}

TEST_CASE("client id and address cannot be written so that they are another pair") {
  Attempts attempts;
  attempts.free_failures("b", "a");
  CHECK(attempts.fail("b", "a") == 1);
  for (const auto& [client, address] : std::vector<std::pair<std::string, std::string>>{
           {"ab", ""}, {"", "ab"}, {"a", "b"}, {std::string("\0b", 2), "a"}, {"b", "a "}, {" b", "a"}}) {
    CHECK(attempts.fail(client, address) == 0);
  }
}

TEST_CASE("one address with many client ids is slowed after fifty") {
  Attempts attempts;
  for (int i = 0; i < 50; ++i) CHECK(attempts.fail("client-" + std::to_string(i)) == 0);
  CHECK(attempts.fail("client-50") == 1);
  CHECK(attempts.fail("client-51") == 1);  // during the wait
  attempts.now += 1s;
  CHECK(attempts.fail("client-52") == 2);
  CHECK(attempts.fail("client-53", "192.0.2.2") == 0);  // another address is not held liable
}

TEST_CASE("the longer of the two waits is told") {
  ThrottleLimits limits;
  limits.free_failures = 1;
  limits.free_failures_address = 3;
  Attempts attempts(limits);
  CHECK(attempts.fail() == 0);
  CHECK(attempts.fail() == 1);  // the pair's first
  attempts.now += 1s;
  CHECK(attempts.fail() == 2);           // the pair's second
  CHECK(attempts.fail("another") == 1);  // the address' first, the pair's none
  attempts.now += 1s;
  CHECK(attempts.fail("another") == 2);  // the address' second, the pair's first
}

TEST_CASE("a success clears its client id and address, and nothing else") {
  Attempts attempts;
  attempts.free_failures();
  attempts.free_failures("another");
  attempts.free_failures(kClient, "192.0.2.2");
  attempts.throttle.note_success(kClient, kAddress);
  CHECK(attempts.fail() == 0);
  CHECK(attempts.fail("another") == 1);
  CHECK(attempts.fail(kClient, "192.0.2.2") == 1);
  attempts.throttle.note_success("never seen", kAddress);
  attempts.throttle.note_success(kClient, kAddress);
  CHECK(attempts.free_failures() == 5);
}

TEST_CASE("a success does not clear the address") {
  ThrottleLimits limits;
  limits.free_failures_address = 3;
  Attempts attempts(limits);
  for (int i = 0; i < 3; ++i) {
    CHECK(attempts.fail() == 0);
    attempts.throttle.note_success(kClient, kAddress);
  }
  CHECK(attempts.fail() == 1);
}

TEST_CASE("what was touched longest ago is forgotten when there is no room") {
  ThrottleLimits limits;
  limits.entries = 10;
  Attempts attempts(limits);
  attempts.free_failures("old", "192.0.2.1");
  attempts.free_failures("kept", "192.0.2.2");
  for (int i = 0; i < 1000; ++i) {
    attempts.fail("noise", "198.51.100." + std::to_string(i));  // two entries each
    CHECK(attempts.fail("kept", "192.0.2.2") == 1);
  }
  CHECK(attempts.free_failures("old", "192.0.2.1") == 5);
}

TEST_CASE("an address that tries many client ids does not wash its own count away") {
  ThrottleLimits limits;
  limits.entries = 4;
  limits.free_failures_address = 10;
  Attempts attempts(limits);
  for (int i = 0; i < 10; ++i) CHECK(attempts.fail("client-" + std::to_string(i)) == 0);
  for (int i = 0; i < 100; ++i) CHECK(attempts.fail("more-" + std::to_string(i)) == 1);
}

TEST_CASE("limits that are odd do no harm") {
  ThrottleLimits limits;
  limits.entries = 0;
  limits.free_failures = 0;
  limits.free_failures_address = 0;
  Attempts strict(limits);
  CHECK(strict.fail() == 1);
  strict.now += 1s;
  CHECK(strict.fail() == 2);

  limits = {};
  limits.first_delay = 0s;
  Attempts lenient(limits);
  for (int i = 0; i < 1000; ++i) CHECK(lenient.fail() == 0);

  limits = {};
  limits.longest_delay = 2'000'000'000s;
  limits.forget_after = 2'000'000'000s;
  limits.free_failures_address = 1'000'000;
  Attempts patient(limits);
  patient.free_failures();
  patient.now += 1s;
  long expected = 2;
  for (int i = 0; i < 29; ++i, expected *= 2) {
    CHECK(patient.fail() == expected);
    patient.now += std::chrono::seconds(expected);
  }
  CHECK(patient.fail() == expected);
}

TEST_CASE("threads that fail at once are all counted") {
  ThrottleLimits limits;
  limits.free_failures = 4000;
  limits.free_failures_address = 1'000'000;
  Attempts attempts(limits);
  std::vector<std::thread> threads;
  std::vector<long> waits(4);
  for (std::size_t t = 0; t < waits.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        waits[t] += attempts.fail();
        attempts.throttle.note_success("thread " + std::to_string(t), kAddress);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(waits == std::vector<long>(4, 0));
  CHECK(attempts.fail() == 1);
}
