#include "api/generate_body.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_document.h"
#include "api/text_rules.h"
#include "base/internet_names.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

using rapidjson::Value;
using service::GenerateRequest;

constexpr std::size_t kMaxItems = 100;
constexpr std::size_t kMaxFaults = 200;  // more of them help nobody and make the answer longer than the request

enum class Type { text, texts, boolean, integer, algorithm, ignored };

// What has been read so far.
struct Form {
  GenerateRequest request;
  std::vector<store::Container> containers;

  std::size_t untold = 0;

  void fault(std::string_view path, std::string_view sentence) {
    if (request.faults.size() == kMaxFaults) {
      ++untold;
    } else {
      request.faults.push_back(std::string(path) + ": " + std::string(sentence));
    }
  }
  // Whether there is nothing to say; what is there to say becomes a fault.
  bool good(std::string_view path, const std::optional<std::string>& sentence) {
    if (sentence) fault(path, *sentence);
    return !sentence;
  }
};

// Called with text that has the right length and no control characters; for an array once per item.
using SetText = void (*)(Form&, const std::string& path, const std::string& text);
using SetNumber = void (*)(Form&, long long value);

struct Field {
  std::string_view name;
  Type type;
  bool required;
  std::size_t least;  // characters, or the value of a number
  std::size_t most;
  SetText set_text;
  SetNumber set_number;  // booleans: 0 and 1
};

template <store::ContainerKind kind>
void set_container(Form& form, const std::string& path, const std::string& text) {
  if (!is_container_name(text)) form.fault(path, "must hold only letters, digits, '-', '_', '.' and spaces");
  form.containers.push_back({kind, text});
}

void set_digest(Form& form, const std::string& path, const std::string& text) {
  form.request.digest = digest_from_name(text);
  if (form.request.digest) return;
  std::string names;
  for (const DigestAlgorithmInfo& digest : digests()) names += (names.empty() ? "" : ", ") + std::string(digest.name);
  form.fault(path, "must be one of " + names);
}

void set_signed_by(Form& form, const std::string& path, const std::string& text) {
  if (equals_ignoring_case(text, "external")) {
    form.fault(path, "external signing requests are not available in this version");
  } else {
    form.request.signed_by = text;
  }
}

void set_country(Form& form, const std::string& path, const std::string& text) {
  std::string code;
  for (const char c : text) code += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (is_country_code(code)) {
    form.request.country_code = code;
  } else {
    form.fault(path, "must be a country code of ISO 3166-1 alpha-2");
  }
}

void add_name(Form& form, pki::AlternativeName::Kind kind, const std::string& text) {
  form.request.alternative_names.push_back({kind, text});
}

void set_email(Form& form, const std::string& path, const std::string& text) {
  if (form.good(path, fault_of_mail_address(text))) form.request.email = text;
}

void add_email(Form& form, const std::string& path, const std::string& text) {
  if (form.good(path, fault_of_mail_address(text))) add_name(form, pki::AlternativeName::Kind::email, text);
}

void add_host(Form& form, const std::string& path, const std::string& text) {
  if (form.good(path, fault_of_host_name(text, Wildcard::leading)))
    add_name(form, pki::AlternativeName::Kind::dns, text);
}

void add_ip(Form& form, const std::string& path, const std::string& text) {
  if (!parse_ip_address(text)) return form.fault(path, "must be an IPv4 or IPv6 address");
  add_name(form, pki::AlternativeName::Kind::ip, text);
}

void set_ocsp(Form& form, const std::string& path, const std::string& text) {
  if (form.good(path, fault_of_http_url(text))) form.request.ocsp_responder_url = text;
}

// The one table of fields. `algorithm` is an object of its own and is read by read_algorithm().
constexpr std::array kFields{
    Field{"folder", Type::text, false, 1, 64, set_container<store::ContainerKind::folder>, nullptr},
    Field{"snippet", Type::text, false, 1, 64, set_container<store::ContainerKind::snippet>, nullptr},
    Field{"device", Type::text, false, 1, 64, set_container<store::ContainerKind::device>, nullptr},
    Field{"algorithm", Type::algorithm, true, 0, 0, nullptr, nullptr},
    Field{"certificate_name", Type::text, true, 1, 255,
          [](Form& form, const std::string&, const std::string& text) { form.request.certificate_name = text; },
          nullptr},
    Field{"common_name", Type::text, true, 1, 64,
          [](Form& form, const std::string&, const std::string& text) { form.request.common_name = text; }, nullptr},
    Field{"digest", Type::text, true, 1, 16, set_digest, nullptr},
    Field{"signed_by", Type::text, false, 0, 64, set_signed_by, nullptr},
    Field{"is_certificate_authority", Type::boolean, false, 0, 1, nullptr,
          [](Form& form, long long value) { form.request.certificate_authority = value != 0; }},
    Field{"is_block_privateKey", Type::boolean, false, 0, 1, nullptr,
          [](Form& form, long long value) { form.request.block_private_key = value != 0; }},
    Field{"day_till_expiration", Type::integer, false, 1, 36500, nullptr,
          [](Form& form, long long value) { form.request.days = static_cast<int>(value); }},
    Field{"country_code", Type::text, false, 2, 2, set_country, nullptr},
    Field{"state", Type::text, false, 1, 32,
          [](Form& form, const std::string&, const std::string& text) { form.request.state = text; }, nullptr},
    Field{"locality", Type::text, false, 1, 64,
          [](Form& form, const std::string&, const std::string& text) { form.request.locality = text; }, nullptr},
    Field{"department", Type::texts, false, 1, 64,
          [](Form& form, const std::string&, const std::string& text) { form.request.departments.push_back(text); },
          nullptr},
    Field{"email", Type::text, false, 1, 255, set_email, nullptr},
    Field{"alternate_email", Type::texts, false, 1, 255, add_email, nullptr},
    Field{"hostname", Type::texts, false, 1, 64, add_host, nullptr},
    Field{"ip", Type::texts, false, 1, 64, add_ip, nullptr},
    Field{"ocsp_responder_url", Type::text, false, 1, 64, set_ocsp, nullptr},
    Field{"id", Type::ignored, false, 0, 0, nullptr, nullptr},
    Field{"name", Type::ignored, false, 0, 0, nullptr, nullptr},
};

// 2048 and 2048.0 alike; nothing for anything else, and for what a double cannot tell exactly.
std::optional<long long> whole_number(const Value& value) {
  if (value.IsInt64()) return value.GetInt64();
  if (!value.IsDouble()) return std::nullopt;
  const double number = value.GetDouble();
  if (std::trunc(number) != number || std::abs(number) > 9007199254740992.0) return std::nullopt;
  return static_cast<long long>(number);
}

void read_text(Form& form, const Field& field, const std::string& path, const Value& value) {
  if (!value.IsString()) return form.fault(path, "must be a string");
  const std::string text(text_of(value));
  if (const auto sentence = fault_of_characters(text)) return form.fault(path, *sentence);
  const std::size_t length = utf8_length(text).value_or(0);
  if (length < field.least || length > field.most) {
    const std::string most = std::to_string(field.most) + " characters";
    if (field.least == field.most) return form.fault(path, "must have exactly " + most);
    if (field.least == 0) return form.fault(path, "must have at most " + most);
    return form.fault(path, "must have " + std::to_string(field.least) + " to " + most);
  }
  field.set_text(form, path, text);
}

void read_texts(Form& form, const Field& field, const Value& value) {
  const std::string name(field.name);
  if (!value.IsArray()) return form.fault(name, "must be an array of strings");
  if (value.Size() > kMaxItems) {
    return form.fault(name, "must have at most " + std::to_string(kMaxItems) + " items");
  }
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    read_text(form, field, name + "[" + std::to_string(i) + "]", value[i]);
  }
}

void read_integer(Form& form, const Field& field, const Value& value) {
  const auto number = whole_number(value);
  if (!number) return form.fault(field.name, "must be a whole number");
  if (*number < static_cast<long long>(field.least)) {
    return form.fault(field.name, "must be at least " + std::to_string(field.least));
  }
  if (*number > static_cast<long long>(field.most)) {
    return form.fault(field.name, "must be at most " + std::to_string(field.most));
  }
  field.set_number(form, *number);
}

// What the contract's schema takes for each family; an empty algorithm means valid by schema, yet there is none such.
struct AlgorithmChoice {
  std::string_view member;
  long long bits;
  std::optional<KeyAlgorithm> algorithm;
};

constexpr std::string_view kRsaMember = "rsa_number_of_bits";
constexpr std::string_view kEcMember = "ecdsa_number_of_bits";
constexpr std::array kAlgorithmChoices{
    AlgorithmChoice{kRsaMember, 512, KeyAlgorithm::rsa_512},
    AlgorithmChoice{kRsaMember, 1024, KeyAlgorithm::rsa_1024},
    AlgorithmChoice{kRsaMember, 2048, KeyAlgorithm::rsa_2048},
    AlgorithmChoice{kRsaMember, 3072, KeyAlgorithm::rsa_3072},
    AlgorithmChoice{kRsaMember, 4096, KeyAlgorithm::rsa_4096},
    AlgorithmChoice{kEcMember, 245, KeyAlgorithm::ec_p256},  // the published misprint for 256
    AlgorithmChoice{kEcMember, 256, KeyAlgorithm::ec_p256},
    AlgorithmChoice{kEcMember, 384, KeyAlgorithm::ec_p384},
    AlgorithmChoice{kEcMember, 521, KeyAlgorithm::ec_p521},
    AlgorithmChoice{kEcMember, 2048, std::nullopt},
    AlgorithmChoice{kEcMember, 3072, std::nullopt},
    AlgorithmChoice{kEcMember, 4096, std::nullopt},
};

void read_algorithm_member(Form& form, std::string_view member, const Value& value) {
  const std::string path = "algorithm." + std::string(member);
  const auto bits = whole_number(value);
  if (!bits) return form.fault(path, "must be a whole number");
  std::string allowed;
  for (const AlgorithmChoice& choice : kAlgorithmChoices) {
    if (choice.member != member) continue;
    if (choice.bits == *bits) {
      form.request.algorithm = choice.algorithm;
      if (!choice.algorithm) {
        form.fault(path, "no elliptic curve has " + std::to_string(*bits) + " bits; use 256, 384 or 521");
      }
      return;
    }
    if (choice.algorithm) allowed += (allowed.empty() ? "" : ", ") + std::to_string(choice.bits);
  }
  form.fault(path, "must be one of " + allowed);
}

void read_algorithm(Form& form, const Value& value) {
  if (!value.IsObject()) return form.fault("algorithm", "must be an object");
  std::size_t chosen = 0;
  bool strangers = false;
  for (const auto& member : value.GetObject()) {
    const std::string_view name = text_of(member.name);
    if (name == kRsaMember || name == kEcMember) {
      ++chosen;
      read_algorithm_member(form, name, member.value);
    } else {
      strangers = true;
      form.fault("algorithm." + shown(name, 64), "unknown field; use rsa_number_of_bits or ecdsa_number_of_bits");
    }
  }
  if (chosen != 1) {
    form.request.algorithm.reset();
    // A mistyped member is one mistake, not two.
    if (chosen == 0 && strangers) return;
    form.fault("algorithm", "must have exactly one of rsa_number_of_bits and ecdsa_number_of_bits");
  }
}

void read_field(Form& form, const Field& field, const Value& value) {
  switch (field.type) {
    case Type::text: return read_text(form, field, std::string(field.name), value);
    case Type::texts: return read_texts(form, field, value);
    case Type::integer: return read_integer(form, field, value);
    case Type::algorithm: return read_algorithm(form, value);
    case Type::ignored: return;
    case Type::boolean:
      if (!value.IsBool()) return form.fault(field.name, "must be true or false");
      return field.set_number(form, value.GetBool() ? 1 : 0);
  }
}

void settle_container(Form& form, const Value& body, const std::optional<store::Container>& in_query) {
  std::vector<const char*> given;
  for (const char* name : {"folder", "snippet", "device"}) {
    if (body.HasMember(name)) given.push_back(name);
  }
  if (given.size() > 1) return form.fault(given.back(), "only one of folder, snippet and device may be given");
  if (given.empty()) {
    if (!in_query) return form.fault("folder", "one of folder, snippet and device is required");
    form.request.container = in_query;
    return;
  }
  if (form.containers.empty()) return;  // its fault is noted
  const store::Container& in_body = form.containers.front();
  if (in_query && *in_query != in_body) {
    return form.fault(store::to_string(in_body.kind), "differs from the container in the query");
  }
  if (is_container_name(in_body.name)) form.request.container = in_body;
}

}  // namespace

GenerateRequest read_generate_body(const Value& body, const std::optional<store::Container>& in_query) {
  Form form;
  for (const Field& field : kFields) {
    const auto member = body.FindMember(Value(rapidjson::StringRef(field.name.data(), field.name.size())));
    if (member != body.MemberEnd()) {
      read_field(form, field, member->value);
    } else if (field.required) {
      form.fault(field.name, "is required");
    }
  }
  for (const auto& member : body.GetObject()) {
    const std::string_view name = text_of(member.name);
    bool known = false;
    for (const Field& field : kFields) known = known || field.name == name;
    if (!known) form.fault(shown(name, 64), "unknown field");
  }
  settle_container(form, body, in_query);
  if (form.untold > 0) form.request.faults.push_back("and " + std::to_string(form.untold) + " more faults");
  return std::move(form.request);
}

}  // namespace hsmsigner::api
