// The media types of a request: what it takes (Accept) and what it brings (Content-Type, Content-Encoding).
#pragma once

#include <string_view>

#include "api/request_head.h"

namespace hsmsigner::api {

// Throws Error{output_format_mismatch} when Accept excludes this media type (RFC 9110 12.5.1), which is one of
// application/….
void require_accepted(const RequestHead& head, std::string_view type);
// Throws Error{input_format_mismatch} unless the body is application/json in UTF-8, not compressed.
void require_json_body(const RequestHead& head);
// The same for application/x-www-form-urlencoded.
void require_form_body(const RequestHead& head);

}  // namespace hsmsigner::api
