#include "closed_loop.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

namespace hsmsigner::bench {

LoopResult run_closed_loop(const Workers& workers, std::size_t operations) {
  using SteadyClock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;

  LoopResult result;
  std::exception_ptr first_failure;
  std::mutex mutex;  // guards both
  std::atomic<std::size_t> started{0};
  std::latch start{static_cast<std::ptrdiff_t>(workers.size()) + 1};

  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  for (const auto& work : workers) {
    threads.emplace_back([&, work] {
      std::vector<double> latencies;
      start.arrive_and_wait();
      try {
        while (started.fetch_add(1) < operations) {
          const auto begin = SteadyClock::now();
          work();
          latencies.push_back(Milliseconds(SteadyClock::now() - begin).count());
        }
      } catch (...) {
        started.store(operations);
        const std::lock_guard lock(mutex);
        if (!first_failure) first_failure = std::current_exception();
      }
      const std::lock_guard lock(mutex);
      result.latencies_ms.insert(result.latencies_ms.end(), latencies.begin(), latencies.end());
    });
  }
  start.arrive_and_wait();
  const auto begin = SteadyClock::now();
  for (auto& thread : threads) thread.join();
  result.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();

  if (first_failure) std::rethrow_exception(first_failure);
  std::sort(result.latencies_ms.begin(), result.latencies_ms.end());
  return result;
}

}  // namespace hsmsigner::bench
