#include "audit/checkpoint.h"

#include "audit/canonical_json.h"
#include "audit/canonical_reader.h"

namespace hsmsigner::audit {

std::string payload_of(const Checkpoint& checkpoint) {
  CanonicalObject payload;
  payload.number("checkpoint", checkpoint.number);
  payload.number("sequence", checkpoint.sequence);
  payload.text("head", checkpoint.head);
  payload.text("time", date_time(checkpoint.time));
  payload.text("previous", checkpoint.previous);
  return payload.finished();
}

std::optional<Checkpoint> parse_checkpoint(std::string_view payload) {
  const ObjectReader reader(payload);
  const std::optional<std::uint64_t> number = reader.number("checkpoint");
  const std::optional<std::uint64_t> sequence = reader.number("sequence");
  const std::optional<std::string> head = reader.sha256("head");
  const std::optional<UnixMillis> time = reader.time("time");
  const std::optional<std::string> previous = reader.sha256("previous");
  if (!number || !sequence || !head || !time || !previous) return std::nullopt;
  Checkpoint checkpoint{*number, *sequence, *head, *time, *previous};
  return payload_of(checkpoint) == payload ? std::optional(std::move(checkpoint)) : std::nullopt;
}

}  // namespace hsmsigner::audit
