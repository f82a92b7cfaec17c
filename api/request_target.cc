#include "api/request_target.h"

#include "api/text_rules.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxFormFields = 64;

// `what`: "the request target".
std::string decode(std::string_view text, bool plus_is_space, const std::string& what = "the request target") {
  std::string out;
  out.reserve(text.size());  // at once, so that growing leaves no copy of a secret behind
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const auto octet = from_hex(text.substr(i + 1, 2));
      if (!octet || octet->size() != 1) {
        throw Error(ErrorKind::malformed_command, {what + " has a broken percent-encoding"});
      }
      out += static_cast<char>(octet->front());
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (out.find('\0') != std::string::npos) {
    throw Error(ErrorKind::malformed_command, {what + " holds a NUL character"});
  }
  if (!utf8_length(out)) throw Error(ErrorKind::malformed_command, {what + " is not UTF-8"});
  return out;
}

// Calls `take` for each piece between separators.
template <typename Take>
void split(std::string_view text, char separator, Take take) {
  while (true) {
    const std::size_t end = text.find(separator);
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

const std::string* RequestTarget::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string decode_form_text(std::string_view text) { return decode(text, true, "the form"); }

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  split(text, '&', [&](std::string_view pair) {
    if (pair.empty()) return;
    if (fields.size() == kMaxFormFields) throw Error(ErrorKind::malformed_command, {"the form has too many fields"});
    const std::size_t equals = pair.find('=');
    fields.emplace_back(decode_form_text(pair.substr(0, equals)),
                        equals == std::string_view::npos ? "" : decode_form_text(pair.substr(equals + 1)));
  });
  return fields;
}

RequestTarget parse_request_target(std::string_view raw) {
  RequestTarget target;
  const std::size_t mark = raw.find('?');
  std::string_view path = raw.substr(0, mark);
  if (!path.starts_with('/')) throw Error(ErrorKind::bad_xpath, {"the path must begin with '/'"});
  split(path.substr(1), '/', [&](std::string_view segment) { target.segments.push_back(decode(segment, false)); });
  if (mark == std::string_view::npos) return target;
  split(raw.substr(mark + 1), '&', [&](std::string_view pair) {
    if (pair.empty()) return;
    const std::size_t equals = pair.find('=');
    std::string name = decode(pair.substr(0, equals), true);
    std::string value = equals == std::string_view::npos ? "" : decode(pair.substr(equals + 1), true);
    if (target.parameter(name) != nullptr) {
      throw Error(ErrorKind::invalid_query_parameter, {shown(name) + ": is given twice"})
          .with_subject(shown(name) + "=" + shown(value));
    }
    target.query.emplace_back(std::move(name), std::move(value));
  });
  return target;
}

}  // namespace hsmsigner::api
