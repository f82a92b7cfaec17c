#include "api/call.h"

#include <algorithm>
#include <charconv>

#include "api/content_negotiation.h"
#include "api/text_rules.h"
#include "base/error.h"
#include "base/secret.h"
#include "crypto/digest.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxLimit = 5000;
constexpr std::size_t kDefaultLimit = 200;
constexpr std::size_t kMaxOffset = 1'000'000'000;

}  // namespace

Deadline Call::deadline() const {
  if (!begun_deadline) begun_deadline = deadline_in(request_timeout);
  return *begun_deadline;
}

JsonBody::~JsonBody() { cleanse(text); }

JsonBody read_json_object(const Call& call, BodyNeed need) {
  const auto missing = [] { return Error(ErrorKind::missing_body, {"a JSON object is required"}); };
  JsonBody body;
  if (!call.head.has_body()) {
    if (need == BodyNeed::required) throw missing();
    body.json.SetObject();
    return body;
  }
  require_json_body(call.head);
  body.text = call.read_body();
  // Of a body with a passphrase in it not even a digest: who has the rest could try passphrases against it.
  if (!call.place.secret_body) call.traits.origin.request_digest = crypto::sha256_hex(body.text);
  call.admit_again();  // a sender may take its time with a body
  if (body.text.empty()) throw missing();
  body.json = parse_json(body.text);
  if (!body.json.IsObject()) throw Error(ErrorKind::invalid_object, {"body: must be a JSON object"});
  return body;
}

void invalid_parameter(const std::string& name, const std::string& value, std::string_view sentence) {
  throw Error(ErrorKind::invalid_query_parameter, {shown(name) + ": " + std::string(sentence)})
      .with_subject(shown(name) + "=" + shown(value));
}

std::optional<Container> container_in_query(const Call& call, std::initializer_list<std::string_view> others) {
  std::optional<Container> container;
  for (const auto& [name, value] : call.target.query) {
    if (std::find(others.begin(), others.end(), name) != others.end()) continue;
    const auto kind = container_kind_from(name);
    if (!kind) invalid_parameter(name, value, "unknown parameter");
    if (!is_container_name(value)) {
      invalid_parameter(name, value, "must have 1 to 64 letters, digits, '-', '_', '.' and spaces");
    }
    if (container) invalid_parameter(name, value, "only one of folder, snippet and device may be given");
    container = Container{*kind, value};
  }
  call.note_container(container);
  return container;
}

std::uint64_t number_in_query(const RequestTarget& target, const std::string& name, std::uint64_t least,
                              std::uint64_t most, std::uint64_t otherwise) {
  const std::string* text = target.parameter(name);
  if (text == nullptr) return otherwise;
  std::uint64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || value < least || value > most) {
    invalid_parameter(name, *text,
                      "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

Paging paging_in_query(const RequestTarget& target) {
  const std::size_t limit = number_in_query(target, "limit", 1, kMaxLimit, kDefaultLimit);
  return {number_in_query(target, "offset", 0, kMaxOffset, 0), limit};
}

}  // namespace hsmsigner::api
