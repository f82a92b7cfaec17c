// Small journals in memory, signed by software keys, and what the verifier says of them.
#pragma once

#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/event_line.h"
#include "audit/journal_source.h"
#include "audit/verifier.h"
#include "support/software_signer.h"

namespace test_support {

inline constexpr const char* kOurKey = "0a1b2c3d-0000-4000-8000-0123456789ab";

// Of P-256, made once per process.
SoftwareSigner& checkpoint_signer(int which = 0);

// Writes a journal as the service does.
class JournalMaker {
 public:
  // Goes on after `start`, whose event is `sequence`.
  explicit JournalMaker(std::uint64_t sequence = 0, std::string start = hsmsigner::audit::kNoPrevious);

  // The next one of events() tells of its making.
  JournalMaker& key(const std::string& id = kOurKey, SoftwareSigner& signer = checkpoint_signer());
  JournalMaker& events(unsigned count);
  JournalMaker& event(hsmsigner::audit::Event event);
  JournalMaker& checkpoint(SoftwareSigner& signer = checkpoint_signer(), const std::string& id = kOurKey);

  std::vector<hsmsigner::audit::JournalItem> items;
  std::uint64_t sequence;
  std::string head;
  std::uint64_t checkpoints = 0;
  std::string last_jws;

 private:
  std::vector<hsmsigner::audit::Event> untold_;  // keys
};

std::string sign_checkpoint(const hsmsigner::audit::Checkpoint& checkpoint,
                            SoftwareSigner& signer = checkpoint_signer(), const std::string& id = kOurKey);
// As an export writes them.
std::string file_of(const std::vector<hsmsigner::audit::JournalItem>& items);
// The same journal with the columns that a database has.
std::vector<hsmsigner::audit::JournalItem> with_columns(std::vector<hsmsigner::audit::JournalItem> items);
// Where event `sequence` stands.
std::size_t index_of(const std::vector<hsmsigner::audit::JournalItem>& items, std::uint64_t sequence);

class VectorSource : public hsmsigner::audit::JournalSource {
 public:
  explicit VectorSource(std::vector<hsmsigner::audit::JournalItem> items, bool whole = false)
      : items_(std::move(items)), whole_(whole) {}
  std::optional<hsmsigner::audit::JournalItem> next() override {
    return at_ < items_.size() ? std::optional(items_[at_++]) : std::nullopt;
  }
  std::string place() const override { return "item " + std::to_string(at_); }
  bool is_whole() const override { return whole_; }

 private:
  std::vector<hsmsigner::audit::JournalItem> items_;
  std::size_t at_ = 0;
  bool whole_;
};

using Parts = std::vector<std::vector<hsmsigner::audit::JournalItem>>;
// The last of them is all that the service keeps if `whole`.
hsmsigner::audit::Verdict verdict_on(const Parts& parts, hsmsigner::audit::VerifierOptions options = {},
                                     bool whole = false);
// Of a journal file with this content.
hsmsigner::audit::Verdict verdict_on_file(const std::string& text, hsmsigner::audit::VerifierOptions options = {});

// "intact", or "chain_broken 3: …".
std::string text_of(const hsmsigner::audit::Verdict& verdict);

}  // namespace test_support
