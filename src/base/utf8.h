// UTF-8, strictly (RFC 3629 4): no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hsmsigner {

// The code point at `at`, which moves past it; nothing when the octets there are not well-formed. `at` is within
// `text`.
std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at);

bool is_ascii(std::string_view text) noexcept;

// Characters (code points); nothing when the text is not well-formed.
std::optional<std::size_t> utf8_length(std::string_view text);

}  // namespace hsmsigner
