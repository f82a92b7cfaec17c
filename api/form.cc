#include "api/form.h"

#include <algorithm>
#include <cmath>

#include "api/text_rules.h"
#include "base/base64.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxFaults = 200;
constexpr std::string_view kPemBegin = "-----BEGIN";

JsonValue::ConstMemberIterator find(const JsonValue& body, std::string_view name) {
  return body.FindMember(JsonValue(rapidjson::StringRef(name.data(), static_cast<rapidjson::SizeType>(name.size()))));
}

}  // namespace

void Faults::add(std::string_view path, std::string_view sentence) {
  if (sentences_.size() == kMaxFaults) {
    ++untold_;
  } else {
    sentences_.push_back(std::string(path) + ": " + std::string(sentence));
  }
}

std::vector<std::string> Faults::take() {
  std::vector<std::string> all = std::move(sentences_);
  if (untold_ > 0) all.push_back("and " + std::to_string(untold_) + " more faults");
  sentences_.clear();
  untold_ = 0;
  return all;
}

std::optional<long long> whole_number(const JsonValue& value) {
  if (value.IsInt64()) return value.GetInt64();
  if (!value.IsDouble()) return std::nullopt;
  const double number = value.GetDouble();
  if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0) return std::nullopt;
  return static_cast<long long>(number);
}

std::optional<std::string> read_text(Faults& faults, const std::string& path, const JsonValue& value, std::size_t least,
                                     std::size_t most) {
  const auto refuse = [&](std::string_view sentence) -> std::optional<std::string> {
    faults.add(path, sentence);
    return std::nullopt;
  };
  if (!value.IsString()) return refuse("must be a string");
  std::string text(text_of(value));
  if (const auto sentence = fault_of_characters(text)) return refuse(*sentence);
  const std::size_t length = utf8_length(text).value_or(0);
  if (length >= least && length <= most) return text;
  const std::string at_most = std::to_string(most) + " characters";
  if (least == most) return refuse("must have exactly " + at_most);
  if (least == 0) return refuse("must have at most " + at_most);
  return refuse("must have " + std::to_string(least) + " to " + at_most);
}

std::optional<Container> read_container(Faults& faults, const JsonValue& body, const std::optional<Container>& in_query,
                                        Need need) {
  std::optional<Container> in_body;
  std::size_t given = 0;
  for (const ContainerKind kind : {ContainerKind::folder, ContainerKind::snippet, ContainerKind::device}) {
    const char* const name = to_string(kind);
    const auto member = find(body, name);
    if (member == body.MemberEnd()) continue;
    ++given;
    const auto text = read_text(faults, name, member->value, 1, 64);
    if (!text) continue;
    if (!is_container_name(*text)) {
      faults.add(name, "must hold only letters, digits, '-', '_', '.' and spaces");
    } else if (in_query && *in_query != Container{kind, *text}) {
      faults.add(name, "differs from the container in the query");
    } else {
      in_body = Container{kind, *text};
    }
  }
  if (given > 1) {
    faults.add(body.HasMember("device") ? "device" : "snippet", "only one of folder, snippet and device may be given");
    return std::nullopt;
  }
  if (given == 1) return in_body;
  if (!in_query && need == Need::required) faults.add("folder", "one of folder, snippet and device is required");
  return in_query;
}

const JsonValue* Form::member(std::string_view name, Need need) {
  known_.emplace_back(name);
  const auto found = find(body_, name);
  if (found != body_.MemberEnd()) return &found->value;
  if (need == Need::required) faults_.add(name, "is required");
  return nullptr;
}

std::optional<std::string> Form::text(std::string_view name, std::size_t least, std::size_t most, Need need) {
  const JsonValue* const value = member(name, need);
  if (value == nullptr) return std::nullopt;
  return read_text(faults_, std::string(name), *value, least, most);
}

std::optional<Secret> Form::secret(std::string_view name, std::size_t most_octets) {
  const JsonValue* const value = member(name);
  if (value == nullptr) return std::nullopt;
  if (!value->IsString()) {
    faults_.add(name, "must be a string");
    return std::nullopt;
  }
  const std::string_view text = text_of(*value);
  if (text.size() > most_octets || text.find('\0') != std::string_view::npos) {
    faults_.add(name, "must have at most " + std::to_string(most_octets) + " octets, and no NUL");
    return std::nullopt;
  }
  return Secret(text);
}

std::optional<Secret> Form::file(std::string_view name, Need need) {
  const JsonValue* const value = member(name, need);
  if (value == nullptr) return std::nullopt;
  if (!value->IsString()) {
    faults_.add(name, "must be a string");
    return std::nullopt;
  }
  const std::string_view text = text_of(*value);
  if (text.starts_with(kPemBegin)) return Secret(text);
  std::optional<Secret> octets = secret_from_base64(text);
  if (octets && !octets->empty()) return octets;
  faults_.add(name, "must be a file's octets in Base64");
  return std::nullopt;
}

bool Form::boolean(std::string_view name, bool otherwise) {
  const JsonValue* const value = member(name);
  if (value == nullptr) return otherwise;
  if (!value->IsBool()) {
    faults_.add(name, "must be true or false");
    return otherwise;
  }
  return value->GetBool();
}

std::optional<long long> Form::integer(std::string_view name, long long least, long long most) {
  const JsonValue* const value = member(name);
  if (value == nullptr) return std::nullopt;
  const auto number = whole_number(*value);
  if (!number) {
    faults_.add(name, "must be a whole number");
  } else if (*number < least) {
    faults_.add(name, "must be at least " + std::to_string(least));
  } else if (*number > most) {
    faults_.add(name, "must be at most " + std::to_string(most));
  } else {
    return number;
  }
  return std::nullopt;
}

std::optional<Container> Form::container(const std::optional<Container>& in_query, Need need) {
  known_.insert(known_.end(), {"folder", "snippet", "device"});
  return read_container(faults_, body_, in_query, need);
}

std::vector<std::string> Form::finish() {
  for (const auto& field : body_.GetObject()) {
    const std::string_view name = text_of(field.name);
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) faults_.add(shown(name, 64), "unknown field");
  }
  return faults_.take();
}

}  // namespace hsmsigner::api
