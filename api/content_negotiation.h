// The media types of a request: what it takes (Accept) and what it brings (Content-Type, Content-Encoding).
#pragma once

#include <initializer_list>
#include <string_view>

#include "api/request_head.h"

namespace hsmsigner::api {

// Of these media types the one that Accept wants most; the first where it has no wish (RFC 9110 12.5.1). Throws
// Error{output_format_mismatch} when it excludes all of them.
std::string_view accepted_of(const RequestHead& head, std::initializer_list<std::string_view> types);
// Throws Error{input_format_mismatch} unless the body is application/json in UTF-8, not compressed.
void require_json_body(const RequestHead& head);
// The same for application/x-www-form-urlencoded.
void require_form_body(const RequestHead& head);

}  // namespace hsmsigner::api
