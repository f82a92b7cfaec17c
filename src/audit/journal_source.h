// A journal as a sequence of what is in it, wherever it is kept: what the verifier reads and an export writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace hsmsigner::audit {

// A key that signs checkpoints, as the journal itself knows it.
struct AuditKeyItem {
  std::string id;              // the JWS's `kid`
  std::string public_key_pem;  // crypto/public_key_info.h
};

// What a database keeps beside a line, to find it by.
struct EventColumns {
  std::int64_t sequence = 0;
  std::int64_t time = 0;  // milliseconds since the Unix epoch
  std::string kind, account, object;
  std::string hash;
};

struct EventItem {
  std::string line;  // event_line.h, or whatever stands in its place
  std::optional<EventColumns> columns;
};

struct CheckpointColumns {
  std::int64_t number = 0;
  std::int64_t sequence = 0;
  std::int64_t time = 0;  // milliseconds since the Unix epoch
};

struct CheckpointItem {
  std::string jws;  // checkpoint.h
  std::optional<CheckpointColumns> columns;
};

using JournalItem = std::variant<AuditKeyItem, EventItem, CheckpointItem>;

// The keys come first. A checkpoint stands behind the event that it covers up to; one whose events are all archived
// stands before the first event. One thread at a time.
class JournalSource {
 public:
  virtual ~JournalSource() = default;

  // Nothing at the end. Throws Error when the journal cannot be read; what can be read but is wrong is for the verifier
  // to tell.
  virtual std::optional<JournalItem> next() = 0;
  // Where the last item stands, for people: "line 7 of journal.jsonl".
  virtual std::string place() const = 0;
  // Whether this is all that the service keeps, so that what was archived must be told of by an event in it.
  virtual bool is_whole() const = 0;
};

}  // namespace hsmsigner::audit
