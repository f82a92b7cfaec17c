// What a piece of text in a request must look like: UTF-8, country codes, URLs (base/internet_names.h has the names
// that certificates carry). Each fault_of_… returns the end of a public
// sentence ("must be …"), or nothing when the text is good.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hsmsigner::api {

// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text on a screen, which
// would let a name show as another.
std::optional<std::string> fault_of_characters(std::string_view utf8);

// ISO 3166-1 alpha-2, assigned; upper-case.
bool is_country_code(std::string_view text);
// RFC 3986 with http or https, a host, no user information and no fragment.
std::optional<std::string> fault_of_http_url(std::string_view text);

// A caller's text made fit for an error message: cut to `limit` characters, control characters replaced.
std::string shown(std::string_view utf8, std::size_t limit = 100);
// Without the blanks and tabs around it (RFC 9110 5.6.3, OWS). Lives as long as `text`.
std::string_view trimmed(std::string_view text);
std::string lower_case(std::string_view text);                      // ASCII
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII

}  // namespace hsmsigner::api
