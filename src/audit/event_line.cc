#include "audit/event_line.h"

#include "audit/canonical_json.h"
#include "crypto/digest.h"

namespace hsmsigner::audit {

const std::string kNoPrevious(64, '0');

std::string line_of(const ChainedEvent& chained) {
  const Event& event = chained.event;
  CanonicalObject details;
  for (const auto& [name, value] : event.details) details.text(name, presentable(value));
  CanonicalObject line;
  line.number("sequence", chained.sequence);
  line.text("time", date_time(chained.time));
  line.text("kind", info(event.kind).name);
  line.text("outcome", to_string(event.outcome));
  line.text("account", presentable(event.origin.account));
  line.text("address", presentable(event.origin.address));
  line.text("request_id", presentable(event.origin.request_id));
  line.text("request_digest", presentable(event.origin.request_digest));
  line.text("object", presentable(event.object));
  line.text("container", presentable(event.container));
  line.object("details", details);
  line.text("previous", chained.previous);
  return line.finished();
}

std::string hash_of(std::string_view line) { return crypto::sha256_hex(line); }

}  // namespace hsmsigner::audit
