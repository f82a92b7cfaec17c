#include "audit/journal_file.h"

#include <istream>
#include <string_view>
#include <utility>

#include "audit/canonical_json.h"
#include "audit/canonical_reader.h"
#include "audit/event_line.h"
#include "base/error.h"

namespace hsmsigner::audit {
namespace {

constexpr const char* kCheckpoint = "checkpoint";
constexpr const char* kAuditKey = "audit_key";
constexpr const char* kPublicKey = "public_key";

struct TextOf {
  std::string operator()(const AuditKeyItem& key) const {
    CanonicalObject object;
    object.text(kAuditKey, key.id);
    object.text(kPublicKey, key.public_key_pem);
    return object.finished();
  }
  std::string operator()(const EventItem& event) const { return event.line; }
  std::string operator()(const CheckpointItem& checkpoint) const {
    CanonicalObject object;
    object.text(kCheckpoint, checkpoint.jws);
    return object.finished();
  }
};

bool begins_with(std::string_view line, const char* name) {
  return line.starts_with("{\"" + std::string(name) + "\":");
}

JournalItem item_of(std::string_view line) {
  if (begins_with(line, kCheckpoint)) {
    CheckpointItem item{ObjectReader(line).text(kCheckpoint).value_or(""), std::nullopt};
    if (TextOf()(item) == line) return item;
  } else if (begins_with(line, kAuditKey)) {
    const ObjectReader reader(line);
    AuditKeyItem item{reader.text(kAuditKey).value_or(""), reader.text(kPublicKey).value_or("")};
    if (TextOf()(item) == line) return item;
  }
  return EventItem{std::string(line), std::nullopt};
}

}  // namespace

std::string journal_file_line(const JournalItem& item) { return std::visit(TextOf(), item) + '\n'; }

JournalFileSource::JournalFileSource(std::istream& in, std::string name)
    : in_(in), name_(std::move(name)), buffer_(std::make_unique<char[]>(kLongestLine + 2)) {}

std::optional<JournalItem> JournalFileSource::next() {
  // One octet more than may be there tells that a line is too long; the last place is for getline's NUL.
  in_.getline(buffer_.get(), static_cast<std::streamsize>(kLongestLine + 2));
  if (in_.bad()) throw Error(ErrorKind::invalid_object, {"the journal file cannot be read"}).with_cause(name_);
  const auto count = static_cast<std::size_t>(in_.gcount());
  if (count == 0 && in_.eof()) return std::nullopt;
  ++line_;
  // The line feed is counted and not stored; at the end of the file, or of the buffer, there is none.
  const bool ended = in_.good();
  // What is left of a line that is too long comes as lines of their own, none of which is an event.
  if (!ended && !in_.eof()) in_.clear();
  return item_of({buffer_.get(), ended ? count - 1 : count});
}

}  // namespace hsmsigner::audit
