#include "api/generate_body.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/form.h"
#include "api/json_document.h"
#include "api/text_rules.h"
#include "base/internet_names.h"

namespace hsmsigner::api {
namespace {

using Value = JsonValue;
using service::GenerateRequest;

constexpr std::size_t kMaxItems = 100;

enum class Type { text, texts, boolean, integer, algorithm, container, ignored };

// What has been read so far.
struct Reading {
  GenerateRequest request;
  Faults faults;

  void fault(std::string_view path, std::string_view sentence) { faults.add(path, sentence); }
  // Whether there is nothing to say; what is there to say becomes a fault.
  bool good(std::string_view path, const std::optional<std::string>& sentence) {
    if (sentence) fault(path, *sentence);
    return !sentence;
  }
};

// Called with text that has the right length and no control characters; for an array once per item.
using SetText = void (*)(Reading&, const std::string& path, const std::string& text);
using SetNumber = void (*)(Reading&, long long value);

struct Field {
  std::string_view name;
  Type type;
  bool required;
  std::size_t least;  // characters, or the value of a number
  std::size_t most;
  SetText set_text;
  SetNumber set_number;  // booleans: 0 and 1
};

void set_digest(Reading& reading, const std::string& path, const std::string& text) {
  reading.request.digest = digest_from_name(text);
  if (reading.request.digest) return;
  std::string names;
  for (const DigestAlgorithmInfo& digest : digests()) names += (names.empty() ? "" : ", ") + std::string(digest.name);
  reading.fault(path, "must be one of " + names);
}

void set_signed_by(Reading& reading, const std::string&, const std::string& text) {
  if (equals_ignoring_case(text, "external")) {
    reading.request.external = true;
  } else {
    reading.request.signed_by = text;
  }
}

void set_country(Reading& reading, const std::string& path, const std::string& text) {
  std::string code;
  for (const char c : text) code += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (is_country_code(code)) {
    reading.request.country_code = code;
  } else {
    reading.fault(path, "must be a country code of ISO 3166-1 alpha-2");
  }
}

void add_name(Reading& reading, pki::AlternativeName::Kind kind, const std::string& text) {
  reading.request.alternative_names.push_back({kind, text});
}

void set_email(Reading& reading, const std::string& path, const std::string& text) {
  if (reading.good(path, fault_of_mail_address(text))) reading.request.email = text;
}

void add_email(Reading& reading, const std::string& path, const std::string& text) {
  if (reading.good(path, fault_of_mail_address(text))) add_name(reading, pki::AlternativeName::Kind::email, text);
}

void add_host(Reading& reading, const std::string& path, const std::string& text) {
  if (reading.good(path, fault_of_host_name(text, Wildcard::leading)))
    add_name(reading, pki::AlternativeName::Kind::dns, text);
}

void add_ip(Reading& reading, const std::string& path, const std::string& text) {
  if (!parse_ip_address(text)) return reading.fault(path, "must be an IPv4 or IPv6 address");
  add_name(reading, pki::AlternativeName::Kind::ip, text);
}

void set_ocsp(Reading& reading, const std::string& path, const std::string& text) {
  if (reading.good(path, fault_of_http_url(text))) reading.request.ocsp_responder_url = text;
}

// The one table of fields. `algorithm` is an object of its own and is read by read_algorithm(); the containers are read
// together.
constexpr std::array kFields{
    Field{"folder", Type::container, false, 1, 64, nullptr, nullptr},
    Field{"snippet", Type::container, false, 1, 64, nullptr, nullptr},
    Field{"device", Type::container, false, 1, 64, nullptr, nullptr},
    Field{"algorithm", Type::algorithm, true, 0, 0, nullptr, nullptr},
    Field{
        "certificate_name", Type::text, true, 1, 255,
        [](Reading& reading, const std::string&, const std::string& text) { reading.request.certificate_name = text; },
        nullptr},
    Field{"common_name", Type::text, true, 1, 64,
          [](Reading& reading, const std::string&, const std::string& text) { reading.request.common_name = text; },
          nullptr},
    Field{"digest", Type::text, true, 1, 16, set_digest, nullptr},
    Field{"signed_by", Type::text, false, 0, 64, set_signed_by, nullptr},
    Field{"is_certificate_authority", Type::boolean, false, 0, 1, nullptr,
          [](Reading& reading, long long value) { reading.request.certificate_authority = value != 0; }},
    Field{"is_block_privateKey", Type::boolean, false, 0, 1, nullptr,
          [](Reading& reading, long long value) { reading.request.block_private_key = value != 0; }},
    Field{"day_till_expiration", Type::integer, false, 1, 36500, nullptr,
          [](Reading& reading, long long value) { reading.request.days = static_cast<int>(value); }},
    Field{"country_code", Type::text, false, 2, 2, set_country, nullptr},
    Field{"state", Type::text, false, 1, 32,
          [](Reading& reading, const std::string&, const std::string& text) { reading.request.state = text; }, nullptr},
    Field{"locality", Type::text, false, 1, 64,
          [](Reading& reading, const std::string&, const std::string& text) { reading.request.locality = text; },
          nullptr},
    Field{"department", Type::texts, false, 1, 64,
          [](Reading& reading, const std::string&, const std::string& text) {
            reading.request.departments.push_back(text);
          },
          nullptr},
    Field{"email", Type::text, false, 1, 255, set_email, nullptr},
    Field{"alternate_email", Type::texts, false, 1, 255, add_email, nullptr},
    Field{"hostname", Type::texts, false, 1, 64, add_host, nullptr},
    Field{"ip", Type::texts, false, 1, 64, add_ip, nullptr},
    Field{"ocsp_responder_url", Type::text, false, 1, 64, set_ocsp, nullptr},
    Field{"id", Type::ignored, false, 0, 0, nullptr, nullptr},
    Field{"name", Type::ignored, false, 0, 0, nullptr, nullptr},
};

void set_text(Reading& reading, const Field& field, const std::string& path, const Value& value) {
  if (const auto text = read_text(reading.faults, path, value, field.least, field.most)) {
    field.set_text(reading, path, *text);
  }
}

void read_texts(Reading& reading, const Field& field, const Value& value) {
  const std::string name(field.name);
  if (!value.IsArray()) return reading.fault(name, "must be an array of strings");
  if (value.Size() > kMaxItems) {
    return reading.fault(name, "must have at most " + std::to_string(kMaxItems) + " items");
  }
  for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
    set_text(reading, field, name + "[" + std::to_string(i) + "]", value[i]);
  }
}

void read_integer(Reading& reading, const Field& field, const Value& value) {
  const auto number = whole_number(value);
  if (!number) return reading.fault(field.name, "must be a whole number");
  if (*number < static_cast<long long>(field.least)) {
    return reading.fault(field.name, "must be at least " + std::to_string(field.least));
  }
  if (*number > static_cast<long long>(field.most)) {
    return reading.fault(field.name, "must be at most " + std::to_string(field.most));
  }
  field.set_number(reading, *number);
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

void read_algorithm_member(Reading& reading, std::string_view member, const Value& value) {
  const std::string path = "algorithm." + std::string(member);
  const auto bits = whole_number(value);
  if (!bits) return reading.fault(path, "must be a whole number");
  std::string allowed;
  for (const AlgorithmChoice& choice : kAlgorithmChoices) {
    if (choice.member != member) continue;
    if (choice.bits == *bits) {
      reading.request.algorithm = choice.algorithm;
      if (!choice.algorithm) {
        reading.fault(path, "no elliptic curve has " + std::to_string(*bits) + " bits; use 256, 384 or 521");
      }
      return;
    }
    if (choice.algorithm) allowed += (allowed.empty() ? "" : ", ") + std::to_string(choice.bits);
  }
  reading.fault(path, "must be one of " + allowed);
}

void read_algorithm(Reading& reading, const Value& value) {
  if (!value.IsObject()) return reading.fault("algorithm", "must be an object");
  std::size_t chosen = 0;
  bool strangers = false;
  for (const auto& member : value.GetObject()) {
    const std::string_view name = text_of(member.name);
    if (name == kRsaMember || name == kEcMember) {
      ++chosen;
      read_algorithm_member(reading, name, member.value);
    } else {
      strangers = true;
      reading.fault("algorithm." + shown(name, 64), "unknown field; use rsa_number_of_bits or ecdsa_number_of_bits");
    }
  }
  if (chosen != 1) {
    reading.request.algorithm.reset();
    // A mistyped member is one mistake, not two.
    if (chosen == 0 && strangers) return;
    reading.fault("algorithm", "must have exactly one of rsa_number_of_bits and ecdsa_number_of_bits");
  }
}

void read_field(Reading& reading, const Field& field, const Value& value) {
  switch (field.type) {
    case Type::text: return set_text(reading, field, std::string(field.name), value);
    case Type::texts: return read_texts(reading, field, value);
    case Type::integer: return read_integer(reading, field, value);
    case Type::algorithm: return read_algorithm(reading, value);
    case Type::container:
    case Type::ignored: return;
    case Type::boolean:
      if (!value.IsBool()) return reading.fault(field.name, "must be true or false");
      return field.set_number(reading, value.GetBool() ? 1 : 0);
  }
}

}  // namespace

GenerateRequest read_generate_body(const Value& body, const std::optional<Container>& in_query) {
  Reading reading;
  for (const Field& field : kFields) {
    const auto member = body.FindMember(
        Value(rapidjson::StringRef(field.name.data(), static_cast<rapidjson::SizeType>(field.name.size()))));
    if (member != body.MemberEnd()) {
      read_field(reading, field, member->value);
    } else if (field.required) {
      reading.fault(field.name, "is required");
    }
  }
  for (const auto& member : body.GetObject()) {
    const std::string_view name = text_of(member.name);
    bool known = false;
    for (const Field& field : kFields) known = known || field.name == name;
    if (!known) reading.fault(shown(name, 64), "unknown field");
  }
  reading.request.container = read_container(reading.faults, body, in_query, Need::required);
  reading.request.faults = reading.faults.take();
  return std::move(reading.request);
}

}  // namespace hsmsigner::api
