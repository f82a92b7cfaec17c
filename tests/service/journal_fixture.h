// A journal to test with: the real store, and in front of it one that fails or waits as the test says.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "store/store.h"
#include "support/temporary_directory.h"

namespace service_test {

inline hsmsigner::Deadline soon() { return hsmsigner::deadline_in(std::chrono::seconds(20)); }

// Whether it becomes true in time.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds time = std::chrono::milliseconds(20'000)) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline hsmsigner::audit::Event sample_event(const std::string& object) {
  hsmsigner::audit::Event event{hsmsigner::audit::EventKind::certificate_issued, {}, {}, {}, {}, {}};
  event.origin = {"issuer-1", "192.0.2.7", "req-" + object, ""};
  event.object = object;
  event.container = "folder:Payments";
  return event;
}

// Calls `before_…` on the way to the real one; they throw or wait.
class WatchedJournal : public hsmsigner::store::JournalStore {
 public:
  using Deadline = hsmsigner::Deadline;
  explicit WatchedJournal(JournalStore& real) : real_(real) {}

  std::function<void()> before_append, before_lines, before_add_checkpoint, before_set_copied;

  std::uint64_t append(const hsmsigner::audit::Event& event, Deadline deadline) override {
    if (before_append) before_append();
    return real_.append(event, deadline);
  }
  hsmsigner::store::JournalHead head() override { return real_.head(); }
  std::uint64_t first_sequence() override { return real_.first_sequence(); }
  std::vector<hsmsigner::store::JournalLine> lines(std::uint64_t after, std::size_t limit) override {
    if (before_lines) before_lines();
    return real_.lines(after, limit);
  }
  std::vector<hsmsigner::store::JournalLine> find(const hsmsigner::store::JournalFilter& filter, std::uint64_t after,
                                                  std::size_t limit) override {
    return real_.find(filter, after, limit);
  }
  std::optional<hsmsigner::store::JournalLine> last_of(hsmsigner::audit::EventKind kind) override {
    return real_.last_of(kind);
  }
  std::vector<hsmsigner::store::CheckpointRecord> checkpoints(std::uint64_t after, std::size_t limit) override {
    return real_.checkpoints(after, limit);
  }
  std::optional<hsmsigner::store::CheckpointRecord> last_checkpoint() override { return real_.last_checkpoint(); }
  void add_checkpoint(const hsmsigner::store::CheckpointRecord& checkpoint, Deadline deadline) override {
    if (before_add_checkpoint) before_add_checkpoint();
    real_.add_checkpoint(checkpoint, deadline);
  }
  std::vector<hsmsigner::store::AuditKeyRecord> audit_keys() override { return real_.audit_keys(); }
  void add_audit_key(const hsmsigner::store::AuditKeyRecord& key, const hsmsigner::audit::Event& event,
                     Deadline deadline) override {
    real_.add_audit_key(key, event, deadline);
  }
  void remove_archived(std::uint64_t sequence, const hsmsigner::audit::Event& event, Deadline deadline) override {
    real_.remove_archived(sequence, event, deadline);
  }
  std::uint64_t copied(const std::string& sink) override { return real_.copied(sink); }
  void set_copied(const std::string& sink, std::uint64_t sequence, Deadline deadline) override {
    if (before_set_copied) before_set_copied();
    real_.set_copied(sink, sequence, deadline);
  }

 private:
  JournalStore& real_;
};

struct JournalFixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<hsmsigner::store::Store> opened =
      hsmsigner::store::Store::open({.path = directory.file("db"), .readers = 2});
  hsmsigner::store::JournalStore& journal = opened->journal();
  WatchedJournal watched{journal};

  void add_events(int number) {
    for (int i = 0; i < number; ++i) journal.append(sample_event("object-" + std::to_string(++made)), soon());
  }
  // Every line of the journal.
  std::vector<std::string> lines() const {
    std::vector<std::string> texts;
    for (const auto& line : journal.lines(0, 1'000'000)) texts.push_back(line.line);
    return texts;
  }
  int made = 0;
};

}  // namespace service_test
