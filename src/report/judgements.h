// How the facts answer each control. Private to this room: controls.cc has the table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/model.h"

namespace hsmsigner::report {

struct Judgement {
  Verdict verdict = Verdict::not_applicable;
  std::vector<std::string> evidence;
  std::vector<Figure> figures;
};

inline std::string number(std::uint64_t value) { return std::to_string(value); }
// "1 key", "3 keys".
inline std::string counted(std::uint64_t value, const std::string& one, const std::string& many) {
  return number(value) + " " + (value == 1 ? one : many);
}
inline Verdict fail_if(bool bad) { return bad ? Verdict::fail : Verdict::pass; }
inline Verdict attention_if(bool bad) { return bad ? Verdict::attention : Verdict::pass; }

// key_judgements.cc
Judgement key_attributes(const Facts& facts);
Judgement token_keeps_keys(const Facts& facts);
Judgement validated_module(const Facts& facts);
Judgement key_for_each_certificate(const Facts& facts);
Judgement possession(const Facts& facts);
Judgement keys_without_purpose(const Facts& facts);
Judgement key_strength(const Facts& facts);
Judgement key_origin(const Facts& facts);
// certificate_judgements.cc
Judgement serial_numbers(const Facts& facts);
Judgement validity(const Facts& facts);
Judgement signature_digests(const Facts& facts);
Judgement expiry(const Facts& facts);
// journal_judgements.cc
Judgement role_separation(const Facts& facts);
Judgement account_secrets(const Facts& facts);
Judgement journal_integrity(const Facts& facts);
Judgement checkpoints(const Facts& facts);
Judgement issuance_events(const Facts& facts);

}  // namespace hsmsigner::report
