#include "audit/event_line.h"

#include "audit/canonical_json.h"
#include "audit/canonical_reader.h"
#include "base/error.h"
#include "base/utf8.h"
#include "crypto/digest.h"

namespace hsmsigner::audit {

namespace {

std::string written(const ChainedEvent& chained) {
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

}  // namespace

const std::string kNoPrevious(64, '0');

std::string presentable(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  constexpr std::string_view kCut = "…";
  constexpr std::size_t kLongest = 1024;
  if (text.size() <= kLongest && is_ascii(text)) return std::string(text);
  std::string out;
  std::size_t cut = 0;  // where to cut, should it be too long
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (next_code_point(text, at)) {
      out += text.substr(begin, at - begin);
    } else {
      at = begin + 1;
      out += kReplacement;
    }
    if (out.size() > kLongest) return out.substr(0, cut).append(kCut);
    if (out.size() <= kLongest - kCut.size()) cut = out.size();
  }
  return out;
}

std::string line_of(const ChainedEvent& chained) {
  std::string line = written(chained);
  if (line.size() > kLongestLine) throw Error(ErrorKind::internal_error).with_cause("an event longer than any may be");
  return line;
}

std::string hash_of(std::string_view line) { return crypto::sha256_hex(line); }

std::optional<ChainedEvent> parse_line(std::string_view line) {
  const ObjectReader reader(line);
  const std::optional<std::string> kind_name = reader.text("kind"), outcome_name = reader.text("outcome");
  const std::optional<EventKind> kind = kind_name ? event_kind_from(*kind_name) : std::nullopt;
  const std::optional<Outcome> outcome = outcome_name ? outcome_from(*outcome_name) : std::nullopt;
  const std::optional<std::uint64_t> sequence = reader.number("sequence");
  const std::optional<UnixMillis> time = reader.time("time");
  auto details = reader.texts("details");
  std::optional<std::string> previous = reader.sha256("previous");
  if (!kind || !outcome || !sequence || !time || !details || !previous) return std::nullopt;
  // A member that is not there makes the line another than the one that is written below.
  const auto text = [&](std::string_view name) { return reader.text(name).value_or(""); };
  ChainedEvent chained{
      *sequence, *time,
      Event{*kind, *outcome, Origin{text("account"), text("address"), text("request_id"), text("request_digest")},
            text("object"), text("container"), *std::move(details)},
      *std::move(previous)};
  return written(chained) == line ? std::optional(std::move(chained)) : std::nullopt;
}

}  // namespace hsmsigner::audit
