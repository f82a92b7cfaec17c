#include "api/idempotency.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxKey = 255;

std::optional<std::string> key_of(const RequestHead& head, std::size_t least) {
  std::optional<std::string> key = head.field("idempotency-key");
  if (!key) return std::nullopt;
  const bool visible = std::all_of(key->begin(), key->end(), [](char c) { return c > ' ' && c <= '~'; });
  if (key->size() < least || key->size() > kMaxKey || !visible) {
    throw Error(ErrorKind::invalid_object, {"Idempotency-Key: must have " + std::to_string(least) + " to " +
                                            std::to_string(kMaxKey) + " visible ASCII characters"})
        .with_help("A UUID, or another value that is made anew for each request, does it.");
  }
  return key;
}

// Everything that makes two requests the same; the base prefix does not.
std::string identity_of(const Call& call, std::string_view body) {
  const std::size_t mark = call.head.target.find('?');
  std::string text = call.head.method + "\n" + call.place.path + "\n";
  if (mark != std::string::npos) text += call.head.target.substr(mark);
  text += "\n";
  text += body;
  return text;
}

}  // namespace

OnceOnly::OnceOnly(const Call& call, std::string_view body, std::size_t least) {
  const auto key = key_of(call.head, least);
  if (!key) return;
  std::string identity = identity_of(call, body);
  turn_.emplace(call.services.repeated.begin(call.caller().client_id(), *key, identity, call.deadline()));
  cleanse(identity);
  call.admit_again();
}

// As kept: the status, Location and the body, a line each.
store::AnswerRecord OnceOnly::keep(const Answer& answer) const {
  if (!turn_) return {};
  std::string text = std::to_string(answer.status) + "\n";
  for (const auto& [name, value] : answer.headers) {
    if (name == "Location") text += value;
  }
  text.reserve(text.size() + 1 + answer.body.size());
  text += '\n';
  text += answer.body;
  store::AnswerRecord record = turn_->keep(text);
  cleanse(text);
  return record;
}

std::optional<Answer> OnceOnly::earlier() const {
  if (!turn_ || !turn_->earlier()) return std::nullopt;
  std::string_view text = turn_->earlier()->view();
  const auto take_line = [&text] {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  Answer answer;
  const std::string_view status = take_line();
  std::from_chars(status.data(), status.data() + status.size(), answer.status);
  if (const std::string_view location = take_line(); !location.empty()) {
    answer.headers.emplace_back("Location", location);
  }
  answer.headers.emplace_back("Idempotency-Replayed", "true");
  answer.body = text;
  return answer;
}

}  // namespace hsmsigner::api
