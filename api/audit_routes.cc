// The journal, its checkpoints, and the keys that sign them: for auditors.
#include <algorithm>
#include <limits>

#include "api/handlers.h"
#include "api/json_writer.h"
#include "audit/event_line.h"
#include "auth/access_token.h"
#include "base/algorithm.h"
#include "base/base64.h"
#include "base/error.h"
#include "crypto/public_key_info.h"

namespace hsmsigner::api {
namespace {

constexpr std::uint64_t kMostItems = 1000;
constexpr std::uint64_t kDefaultItems = 200;
constexpr std::uint64_t kMaxSequence = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMostOctets = 1024;  // of a text in an event (audit/event_line.h)

struct Slice {
  std::uint64_t after;  // exclusive
  std::size_t limit;
};

// Refuses every parameter that is not of a slice nor in `others`.
Slice slice_in_query(const RequestTarget& target, std::initializer_list<std::string_view> others = {}) {
  for (const auto& [name, value] : target.query) {
    const bool known =
        name == "after" || name == "limit" || std::find(others.begin(), others.end(), name) != others.end();
    if (!known) invalid_parameter(name, value, "unknown parameter");
  }
  return {number_in_query(target, "after", 0, kMaxSequence, 0),
          number_in_query(target, "limit", 1, kMostItems, kDefaultItems)};
}

std::optional<UnixMillis> time_in_query(const RequestTarget& target, const std::string& name) {
  const std::string* text = target.parameter(name);
  if (text == nullptr) return std::nullopt;
  const std::optional<UnixMillis> time = parse_date_time(*text);
  if (!time) {
    invalid_parameter(name, *text, "must be a time as in RFC 3339, in UTC: 2026-11-24T12:00:00Z or with .123 before Z");
  }
  return time;
}

std::string text_in_query(const RequestTarget& target, const std::string& name) {
  const std::string* text = target.parameter(name);
  if (text == nullptr) return "";
  if (text->empty() || text->size() > kMostOctets) {
    invalid_parameter(name, *text, "must have 1 to " + std::to_string(kMostOctets) + " octets");
  }
  return *text;
}

store::JournalFilter filter_in_query(const RequestTarget& target) {
  store::JournalFilter filter;
  filter.from = time_in_query(target, "from");
  filter.until = time_in_query(target, "until");
  filter.account = text_in_query(target, "account");
  filter.object = text_in_query(target, "object");
  if (const std::string* name = target.parameter("kind")) {
    filter.kind = audit::event_kind_from(*name);
    if (!filter.kind) invalid_parameter("kind", *name, "must be a kind of event, such as certificate_issued");
  }
  return filter;
}

// One was asked for beyond the limit, so as to know whether there are more. `last`: of an item, what `after` means.
template <typename Item, typename Write, typename Last>
Answer list_answer(std::vector<Item> items, std::size_t limit, const Write& write, const Last& last) {
  const bool more = items.size() > limit;
  if (more) items.resize(limit);
  JsonWriter json;
  json.open_object();
  json.open_array("data");
  for (const Item& item : items) write(json, item);
  json.close_array();
  json.number("limit", limit);
  if (more) {
    json.number("next", last(items.back()));
  } else {
    json.null("next");
  }
  json.close_object();
  Answer answer;
  answer.body = json.finished();
  return answer;
}

// Octet for octet as it was hashed. What somebody has put into the store in its place may be anything: it must not
// become part of the answer, nor keep an auditor from what stands behind it.
void write_line(JsonWriter& json, const store::JournalLine& line) {
  if (audit::parse_line(line.line)) {
    json.raw(line.line);
    return;
  }
  json.open_object();
  json.number("sequence", line.sequence);
  json.field("changed_line", audit::presentable(line.line));
  json.close_object();
}

void write_checkpoint(JsonWriter& json, const store::CheckpointRecord& checkpoint) {
  json.open_object();
  json.number("number", checkpoint.number);
  json.number("sequence", checkpoint.sequence);
  json.field("time", date_time(checkpoint.time));
  json.field("jws", checkpoint.jws);
  json.close_object();
}

// RFC 7517, RFC 7518 6.2 and 6.3. Throws Error{internal_error} for a key that no audit key can be: somebody has changed
// the store.
std::string json_web_key(const store::AuditKeyRecord& record) {
  const std::string kid = record.id.to_string();
  std::optional<PublicKey> key;
  try {
    key = crypto::public_key_from_pem(record.public_key_pem);
  } catch (const Error&) {
    // Said below.
  }
  if (key && std::holds_alternative<RsaPublicKey>(*key)) return auth::json_web_key(kid, std::get<RsaPublicKey>(*key));
  const EcPublicKey* const ec = key ? std::get_if<EcPublicKey>(&*key) : nullptr;
  if (ec == nullptr || ec->curve != KeyAlgorithm::ec_p256) {
    throw Error(ErrorKind::internal_error).with_cause("audit key " + kid + " in the store is neither of P-256 nor RSA");
  }
  constexpr std::size_t kCoordinate = 32;
  const ByteView coordinates = ByteView(ec->point).subspan(1);  // 04 ‖ X ‖ Y
  JsonWriter json;
  json.open_object();
  json.field("kty", "EC");
  json.field("use", "sig");
  json.field("alg", "ES256");
  json.field("kid", kid);
  json.field("crv", "P-256");
  json.field("x", to_base64url(coordinates.first(kCoordinate)));
  json.field("y", to_base64url(coordinates.subspan(kCoordinate)));
  json.close_object();
  return json.finished();
}

}  // namespace

Answer list_events(const Call& call) {
  const auto [after, limit] = slice_in_query(call.target, {"from", "until", "kind", "account", "object"});
  const store::JournalFilter filter = filter_in_query(call.target);
  return list_answer(call.services.journal.find(filter, after, limit + 1), limit, write_line,
                     [](const store::JournalLine& line) { return line.sequence; });
}

Answer list_checkpoints(const Call& call) {
  const auto [after, limit] = slice_in_query(call.target);
  return list_answer(call.services.journal.checkpoints(after, limit + 1), limit, write_checkpoint,
                     [](const store::CheckpointRecord& checkpoint) { return checkpoint.number; });
}

Answer list_audit_keys(const Call& call) {
  for (const auto& [name, value] : call.target.query) invalid_parameter(name, value, "unknown parameter");
  JsonWriter json;
  json.open_object();
  json.open_array("keys");
  for (const store::AuditKeyRecord& record : call.services.journal.audit_keys()) {
    json.raw(json_web_key(record));
  }
  json.close_array();
  json.close_object();
  Answer answer;
  answer.body = json.finished();
  return answer;
}

}  // namespace hsmsigner::api
