#include "app/lifecycle_events.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "audit/event_line.h"
#include "base/error.h"
#include "crypto/digest.h"

namespace hsmsigner::app {
namespace {

using Details = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kChanged = "changed";

// A profile is a setting that stands in a file of its own: its text's SHA-256 tells when it changes.
Details details_of(const Settings& settings, const policy::Policies& policies) {
  Details details;
  for (auto& [name, value] : setting_values(settings)) {
    // As it will read in the journal, where a long value is cut.
    details.emplace_back(name, audit::presentable(value));
  }
  for (const policy::Profile& profile : policies.profiles()) {
    details.emplace_back("policy.profile." + profile.name, crypto::sha256_hex(profile.text));
  }
  return details;
}

// Nothing when there is no such event.
std::optional<Details> last_on_record(store::JournalStore& journal) {
  const std::optional<store::JournalLine> line = journal.last_of(audit::EventKind::settings_changed);
  if (!line) return std::nullopt;
  const std::optional<audit::ChainedEvent> read = audit::parse_line(line->line);
  if (!read) return std::nullopt;  // somebody has changed the store; all of them are told anew
  Details details = read->event.details;
  std::erase_if(details, [](const auto& detail) { return detail.first == kChanged; });
  return details;
}

// The names of those that are in one only, or have another value in the other.
std::string difference(const Details& before, const Details& now) {
  std::string names;
  const auto add_missing = [&](const Details& from, const Details& in, bool values_too) {
    for (const auto& detail : from) {
      const bool there = std::any_of(in.begin(), in.end(), [&](const auto& other) {
        return other.first == detail.first && (!values_too || other.second == detail.second);
      });
      if (!there) names += (names.empty() ? "" : ", ") + detail.first;
    }
  };
  add_missing(now, before, true);
  add_missing(before, now, false);
  return names;
}

void append_start(store::JournalStore& journal, const Settings& settings, const policy::Policies& policies,
                  const std::string& url, Deadline deadline) {
  Details now = details_of(settings, policies);
  const std::optional<Details> before = last_on_record(journal);
  if (!before || *before != now) {
    // Empty when they only stand in another order, as after an update of the program: that is no change.
    const std::string changed = before ? difference(*before, now) : "*";
    if (!changed.empty()) {
      now.emplace(now.begin(), kChanged, changed);
      audit::Event event{audit::EventKind::settings_changed, {}, {}, {}, {}, std::move(now)};
      journal.append(event, deadline);
    }
  }
  audit::Event event{audit::EventKind::server_started, {}, {}, {}, {}, {}};
  event.details = {{"version", HSM_SIGNER_VERSION},
                   {"url", url},
                   {"process_id", std::to_string(::getpid())},
                   {"settings_sha256", crypto::sha256_hex(show_settings(settings))}};
  journal.append(event, deadline);
}

}  // namespace

void tell_started(store::JournalStore& journal, const Settings& settings, const policy::Policies& policies,
                  const std::string& url, Deadline deadline) {
  try {
    append_start(journal, settings, policies, url, deadline);
  } catch (const Error& error) {
    throw Error(ErrorKind::journal_unavailable, {"journal: the start cannot be told, so the server does not serve"})
        .with_cause(error.what());
  }
}

void tell_stopped(store::JournalStore& journal, End end, Deadline deadline) {
  audit::Event event{audit::EventKind::server_stopped, {}, {}, {}, {}, {}};
  event.outcome = end == End::asked ? audit::Outcome::done : audit::Outcome::failed;
  event.details = {{"version", HSM_SIGNER_VERSION}, {"process_id", std::to_string(::getpid())}};
  journal.append(event, deadline);
}

}  // namespace hsmsigner::app
