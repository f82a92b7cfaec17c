#include "support/fault_module/plan.h"

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "hsm/ck_result.h"

namespace fault_module {
namespace {

template <typename T>
struct Named {
  const char* name;
  T value;
};

constexpr std::array kAttributes = {
    Named<CK_ATTRIBUTE_TYPE>{"token", CKA_TOKEN},
    Named<CK_ATTRIBUTE_TYPE>{"private", CKA_PRIVATE},
    Named<CK_ATTRIBUTE_TYPE>{"sensitive", CKA_SENSITIVE},
    Named<CK_ATTRIBUTE_TYPE>{"always_sensitive", CKA_ALWAYS_SENSITIVE},
    Named<CK_ATTRIBUTE_TYPE>{"extractable", CKA_EXTRACTABLE},
    Named<CK_ATTRIBUTE_TYPE>{"never_extractable", CKA_NEVER_EXTRACTABLE},
    Named<CK_ATTRIBUTE_TYPE>{"local", CKA_LOCAL},
    Named<CK_ATTRIBUTE_TYPE>{"sign", CKA_SIGN},
    Named<CK_ATTRIBUTE_TYPE>{"decrypt", CKA_DECRYPT},
    Named<CK_ATTRIBUTE_TYPE>{"unwrap", CKA_UNWRAP},
    Named<CK_ATTRIBUTE_TYPE>{"derive", CKA_DERIVE},
};

constexpr std::array kFlags = {
    Named<CK_FLAGS>{"CKF_USER_PIN_LOCKED", CKF_USER_PIN_LOCKED},
    Named<CK_FLAGS>{"CKF_USER_PIN_FINAL_TRY", CKF_USER_PIN_FINAL_TRY},
};

constexpr std::array kMechanisms = {
    Named<CK_MECHANISM_TYPE>{"CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD},
    Named<CK_MECHANISM_TYPE>{"CKM_AES_CBC_PAD", CKM_AES_CBC_PAD},
    Named<CK_MECHANISM_TYPE>{"CKM_RSA_PKCS", CKM_RSA_PKCS},
    Named<CK_MECHANISM_TYPE>{"CKM_ECDSA", CKM_ECDSA},
    Named<CK_MECHANISM_TYPE>{"CKM_RSA_AES_KEY_WRAP", CKM_RSA_AES_KEY_WRAP},
    Named<CK_MECHANISM_TYPE>{"CKM_ECDH_AES_KEY_WRAP", CKM_ECDH_AES_KEY_WRAP},
    Named<CK_MECHANISM_TYPE>{"CKM_VENDOR_DEFINED", CKM_VENDOR_DEFINED},
};

template <typename Table>
auto value_of(const Table& table, const std::string& name) {
  for (const auto& row : table) {
    if (name == row.name) return row.value;
  }
  throw std::runtime_error("fault plan: unknown name " + name);
}

// The names are those of the product's own table.
CK_RV rv_of(const std::string& name) {
  constexpr CK_RV kLargest = 0x400;
  for (CK_RV rv = 0; rv <= kLargest; ++rv) {
    if (hsmsigner::hsm::ck_name(rv) == name) return rv;
  }
  throw std::runtime_error("fault plan: unknown return value " + name);
}

void read_word(Rule& rule, const std::string& word) {
  const std::size_t equals = word.find('=');
  const std::string key = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (key == "rv") {
    rule.rv = rv_of(value);
  } else if (key == "after") {
    rule.after = true;
  } else if (key == "report" || key == "set") {
    const std::size_t colon = value.find(':');
    const CK_BBOOL truth = value.substr(colon + 1) == "true" ? CK_TRUE : CK_FALSE;
    const std::pair told(value_of(kAttributes, value.substr(0, colon)), truth);
    (key == "set" ? rule.set : rule.report) = told;
  } else if (key == "drop") {
    rule.drop = value_of(kAttributes, value);
  } else if (key == "since") {
    rule.since = value;
  } else if (key == "flag") {
    rule.flags |= value_of(kFlags, value);
  } else if (key == "sessions") {
    rule.sessions = std::stoul(value);
  } else if (key == "largest") {
    rule.largest = std::stoul(value);
  } else if (key == "flip") {
    rule.flip = true;
  } else if (key == "mechanism") {
    rule.mechanism = value_of(kMechanisms, value);
  } else if (key == "offer") {
    rule.offer = value_of(kMechanisms, value);
  } else if (key == "delay_ms") {
    rule.delay_ms = static_cast<unsigned>(std::stoul(value));
  } else if (key == "skip") {
    rule.skip = std::stoul(value);
  } else if (key == "times") {
    rule.times = std::stoul(value);
  } else {
    throw std::runtime_error("fault plan: unknown word " + word);
  }
}

}  // namespace

std::vector<Rule> parse_plan(const std::string& text) {
  std::vector<Rule> rules;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    Rule rule;
    words >> rule.function;
    for (std::string word; words >> word;) read_word(rule, word);
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::vector<Rule> Plan::on_call(const std::string& function, std::optional<CK_MECHANISM_TYPE> mechanism) {
  std::ostringstream content;
  std::ifstream in(file_, std::ios::binary);
  if (!in) throw std::runtime_error("fault plan: cannot read " + file_);
  content << in.rdbuf();

  const std::lock_guard lock(mutex_);
  if (content.str() != text_) {
    rules_ = parse_plan(content.str());
    text_ = content.str();
    called_.clear();
  }
  std::vector<Rule> acting;
  for (Rule& rule : rules_) {
    if (rule.function != function || (rule.mechanism && rule.mechanism != mechanism)) continue;
    if (!rule.since.empty() && !called_.contains(rule.since)) continue;
    if (rule.skip > 0) {
      --rule.skip;
    } else if (rule.times > 0) {
      --rule.times;
      acting.push_back(rule);
    }
  }
  called_.insert(function);
  return acting;
}

}  // namespace fault_module
