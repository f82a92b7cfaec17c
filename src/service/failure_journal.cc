#include "service/failure_journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/internet_names.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kSourcesNamed = 5;

// Who has an IPv6 address has all of its /64 (RFC 4291 2.5.4).
std::string network_of(const std::string& address) {
  const auto octets = parse_ip_address(address);
  if (!octets || octets->size() != 16) return address;
  return to_hex(ByteView(*octets).first(8)) + "::/64";
}

std::string source_of(FailureJournal::Of of, const audit::Origin& origin) {
  return of == FailureJournal::Of::account ? "account " + origin.account : "address " + network_of(origin.address);
}

}  // namespace

void FailureJournal::note(Of of, const audit::Event& failure, Deadline deadline) {
  const std::string source = source_of(of, failure.origin);
  std::optional<Window> closed;
  bool write = false;
  {
    const Instant now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (over(now)) closed = close_window(now);
    write = may_write(of, source);
    if (!write) {
      ++window_.counted;
      auto& counted_of = window_.counted_of;
      if (counted_of.size() < kMostSources || counted_of.contains(source)) ++counted_of[source];
    }
  }
  if (closed) tell(*closed, deadline);
  if (write) journal_.append(failure, deadline);
}

bool FailureJournal::may_write(Of of, const std::string& source) {
  const bool stranger = of == Of::stranger;
  if (stranger && window_.written_of_strangers >= limits_.of_strangers) return false;
  std::size_t& written = window_.written[source];
  if (written >= (stranger ? limits_.of_address : limits_.of_account)) return false;
  ++written;
  if (stranger) ++window_.written_of_strangers;
  return true;
}

FailureJournal::Window FailureJournal::close_window(Instant now) {
  Window closed = std::exchange(window_, Window{});
  window_.begun = now;
  return closed;
}

void FailureJournal::tell_counted(Deadline deadline, bool even_if_open) {
  Window closed;
  {
    const Instant now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (!even_if_open && !over(now)) return;
    closed = close_window(now);
  }
  tell(closed, deadline);
}

void FailureJournal::tell(const Window& window, Deadline deadline) {
  if (window.counted == 0) return;
  std::vector<std::pair<std::string, std::size_t>> sources(window.counted_of.begin(), window.counted_of.end());
  std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string most;
  for (std::size_t i = 0; i < std::min(sources.size(), kSourcesNamed); ++i) {
    most += (i == 0 ? "" : "; ") + sources[i].first + ": " + std::to_string(sources[i].second);
  }
  const auto length = std::chrono::steady_clock::now() - window.begun;
  audit::Event summary{.kind = audit::EventKind::failures_summarized, .outcome = audit::Outcome::refused};
  summary.details = {
      {"count", std::to_string(window.counted)},
      {"sources", std::to_string(sources.size()) + (sources.size() < kMostSources ? "" : " or more")},
      {"most", most},
      {"window_seconds", std::to_string(std::chrono::duration_cast<std::chrono::seconds>(length).count())}};
  try {
    journal_.append(summary, deadline);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    window_.counted += window.counted;  // of whom is lost with the event
    throw;
  }
}

}  // namespace hsmsigner::service
