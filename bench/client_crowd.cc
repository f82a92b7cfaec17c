#include "client_crowd.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/file_descriptor.h"

namespace hsmsigner::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kPatienceMilliseconds = 60000;
constexpr std::uint32_t kTimer = ~std::uint32_t{0};

class Crowd {
 public:
  Crowd(const CrowdLoad& load, const std::function<std::string(std::size_t)>& request,
        const std::function<void(const LeanClient&)>& answered)
      : load_(load),
        request_(request),
        answered_(answered),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (!poll_.is_open() || !timer_.is_open()) throw std::runtime_error("epoll or timerfd cannot be made");
    watch(timer_.get(), kTimer);
    for (unsigned i = 0; i < load.clients; ++i) {
      clients_.push_back(std::make_unique<LeanClient>(load.endpoint));
      watch(clients_.back()->socket(), i);
    }
    due_.resize(load.clients);
  }

  // Sends `count` requests and waits for all answers.
  LoopResult run(std::size_t count, double per_second) {
    LoopResult result;
    result.latencies_ms.reserve(count);
    free_.clear();
    for (std::uint32_t i = 0; i < clients_.size(); ++i) free_.push_back(i);
    const auto begin = SteadyClock::now();
    std::size_t sent = 0;
    const auto due = [&](std::size_t i) {
      return begin + std::chrono::duration_cast<SteadyClock::duration>(
                         std::chrono::duration<double>(static_cast<double>(i) / per_second));
    };
    while (result.latencies_ms.size() < count) {
      while (sent < count && !free_.empty()) {
        const auto now = SteadyClock::now();
        const auto at = per_second > 0 ? due(sent) : now;
        if (at > now) {
          wake_at(at);
          break;
        }
        const std::uint32_t i = free_.front();
        free_.pop_front();
        due_[i] = at;
        clients_[i]->send(request_(next_++));
        ++sent;
      }
      collect(result);
    }
    result.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    std::sort(result.latencies_ms.begin(), result.latencies_ms.end());
    return result;
  }

  std::size_t errors() const noexcept { return errors_; }
  const std::string& first_error() const noexcept { return first_error_; }

 private:
  void watch(int descriptor, std::uint32_t number) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = number;
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) throw std::runtime_error("epoll_ctl failed");
  }

  // steady_clock is CLOCK_MONOTONIC here.
  void wake_at(SteadyClock::time_point at) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
    itimerspec when{};
    when.it_value.tv_sec = since / 1'000'000'000;
    when.it_value.tv_nsec = since % 1'000'000'000;
    if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
      throw std::runtime_error("timerfd_settime failed");
    }
  }

  void collect(LoopResult& result) {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(poll_.get(), events.data(), static_cast<int>(events.size()), kPatienceMilliseconds);
    if (count == 0) throw std::runtime_error("no answer within 60 s");
    for (int e = 0; e < count; ++e) {
      const std::uint32_t i = events[static_cast<std::size_t>(e)].data.u32;
      if (i == kTimer) {
        std::uint64_t expirations = 0;
        static_cast<void>(!::read(timer_.get(), &expirations, sizeof expirations));
        continue;
      }
      LeanClient& client = *clients_[i];
      if (!client.receive()) continue;
      result.latencies_ms.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - due_[i]).count());
      if (client.status() == load_.expected_status) {
        answered_(client);
      } else if (++errors_ == 1) {
        first_error_ = "status " + std::to_string(client.status()) + ": " + std::string(client.body());
      }
      free_.push_back(i);
    }
  }

  const CrowdLoad& load_;
  const std::function<std::string(std::size_t)>& request_;
  const std::function<void(const LeanClient&)>& answered_;
  FileDescriptor poll_;
  FileDescriptor timer_;
  std::vector<std::unique_ptr<LeanClient>> clients_;
  std::vector<SteadyClock::time_point> due_;  // of the request under way, by client
  // The longest idle first: at a low rate a connection that is never used would be ended by the server.
  std::deque<std::uint32_t> free_;
  std::size_t next_ = 0;
  std::size_t errors_ = 0;
  std::string first_error_;
};

}  // namespace

CrowdResult run_crowd(const CrowdLoad& load, const std::function<std::string(std::size_t)>& request,
                      const std::function<void(const LeanClient&)>& answered, const std::function<void()>& warm) {
  Crowd crowd(load, request, answered);
  crowd.run(load.warm_up, 0);
  warm();
  CrowdResult result;
  result.loop = crowd.run(load.requests, load.per_second);
  result.errors = crowd.errors();
  result.first_error = crowd.first_error();
  return result;
}

}  // namespace hsmsigner::bench
