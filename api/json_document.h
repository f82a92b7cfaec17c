// JSON as the contract takes it: strict RFC 8259, UTF-8, no duplicate names, at most 16 levels deep.
#pragma once

#include <rapidjson/document.h>

#include <cstddef>
#include <string_view>

namespace hsmsigner::api {

inline constexpr std::size_t kMaxJsonDepth = 16;

// Throws Error{malformed_command} with a sentence that says what is wrong and where.
rapidjson::Document parse_json(std::string_view text);

inline std::string_view text_of(const rapidjson::Value& value) { return {value.GetString(), value.GetStringLength()}; }

}  // namespace hsmsigner::api
