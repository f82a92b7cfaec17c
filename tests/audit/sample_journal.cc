#include "audit/sample_journal.h"

#include <sstream>
#include <stdexcept>

#include "audit/journal_file.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"

namespace test_support {

using namespace hsmsigner;
using namespace hsmsigner::audit;

SoftwareSigner& checkpoint_signer(int which) { return shared_signer(KeyAlgorithm::ec_p256, which); }

JournalMaker::JournalMaker(std::uint64_t the_sequence, std::string start)
    : sequence(the_sequence), head(std::move(start)) {}

JournalMaker& JournalMaker::key(const std::string& id, SoftwareSigner& signer) {
  items.emplace_back(AuditKeyItem{id, crypto::public_key_pem(signer.public_key())});
  Event made{.kind = EventKind::audit_key_made, .object = id};
  made.details = {{kMadeKeyDigest, crypto::public_key_fingerprint(signer.public_key())}};
  untold_.push_back(std::move(made));
  return *this;
}

JournalMaker& JournalMaker::events(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    if (!untold_.empty()) {
      event(untold_.front());
      untold_.erase(untold_.begin());
      continue;
    }
    event({EventKind::certificate_issued,
           Outcome::done,
           {"payments", "192.0.2.7", "req-" + std::to_string(sequence), ""},
           "c0ffee00-0000-4000-8000-00000000000" + std::to_string(sequence % 10),
           "folder:Payments",
           {{"name", "card \"é\""}}});
  }
  return *this;
}

JournalMaker& JournalMaker::event(Event event) {
  const UnixMillis time{std::chrono::milliseconds(1'790'000'000'000 + static_cast<long long>(sequence) * 1001)};
  std::string line = line_of({++sequence, time, std::move(event), head});
  head = hash_of(line);
  items.emplace_back(EventItem{std::move(line), std::nullopt});
  return *this;
}

JournalMaker& JournalMaker::checkpoint(SoftwareSigner& signer, const std::string& id) {
  Checkpoint checkpoint;
  checkpoint.number = ++checkpoints;
  checkpoint.sequence = sequence;
  checkpoint.head = head;
  checkpoint.time = UnixMillis(std::chrono::milliseconds(1'790'000'500'000 + static_cast<long long>(sequence)));
  checkpoint.previous = last_jws.empty() ? kNoPrevious : crypto::sha256_hex(last_jws);
  last_jws = sign_checkpoint(checkpoint, signer, id);
  items.emplace_back(CheckpointItem{last_jws, std::nullopt});
  return *this;
}

std::string sign_checkpoint(const Checkpoint& checkpoint, SoftwareSigner& signer, const std::string& id) {
  return crypto::sign_jws(kCheckpointType, id, payload_of(checkpoint), signer, deadline_in(std::chrono::seconds(10)));
}

std::string file_of(const std::vector<JournalItem>& items) {
  std::string text;
  for (const JournalItem& item : items) text += journal_file_line(item);
  return text;
}

std::vector<JournalItem> with_columns(std::vector<JournalItem> items) {
  for (JournalItem& item : items) {
    if (auto* kept = std::get_if<EventItem>(&item)) {
      const ChainedEvent event = parse_line(kept->line).value();
      kept->columns = EventColumns{static_cast<std::int64_t>(event.sequence),
                                   event.time.time_since_epoch().count(),
                                   std::string(info(event.event.kind).name),
                                   event.event.origin.account,
                                   event.event.object,
                                   hash_of(kept->line)};
    }
  }
  return items;
}

std::size_t index_of(const std::vector<JournalItem>& items, std::uint64_t sequence) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto* item = std::get_if<EventItem>(&items[i]);
    if (item != nullptr && parse_line(item->line).value().sequence == sequence) return i;
  }
  throw std::runtime_error("no such event");
}

Verdict verdict_on(const Parts& parts, VerifierOptions options, bool whole) {
  Verifier verifier(std::move(options));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    VectorSource source(parts[i], whole && i + 1 == parts.size());
    verifier.read(source);
  }
  return verifier.finish();
}

Verdict verdict_on_file(const std::string& text, VerifierOptions options) {
  std::istringstream in(text);
  JournalFileSource source(in, "a file");
  Verifier verifier(std::move(options));
  verifier.read(source);
  return verifier.finish();
}

std::string text_of(const Verdict& verdict) {
  if (!verdict.problem) return "intact";
  const Problem& problem = *verdict.problem;
  return std::to_string(static_cast<int>(problem.fault)) + " at " + std::to_string(problem.sequence) + " to " +
         std::to_string(problem.until) + ": " + problem.what + " (" + problem.place + ")";
}

}  // namespace test_support
