// The blocks of a PEM file (RFC 7468 2, with the headers of RFC 1421 4.6 that encrypted traditional keys have), as
// views into it. Private to this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace hsmsigner::pki {

struct PemBlock {
  std::string_view label;    // "CERTIFICATE"
  std::string_view headers;  // whole lines; empty where there are none
  std::string_view base64;   // with its line breaks
};

// Whether some line begins a block.
bool looks_like_pem(std::string_view text) noexcept;
// Text around blocks is passed over. Nothing when a block that was begun is not ended under the same label.
std::optional<std::vector<PemBlock>> split_pem(std::string_view text);
// The value of a header, without blanks around it; empty where there is none of that name.
std::string_view pem_header(const PemBlock& block, std::string_view name) noexcept;

// "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", …
bool is_private_key_label(std::string_view label) noexcept;
// "CERTIFICATE", and "X509 CERTIFICATE" and "X.509 CERTIFICATE", which mean the same (RFC 7468 5.1).
bool is_certificate_label(std::string_view label) noexcept;
// "CERTIFICATE REQUEST" and "NEW CERTIFICATE REQUEST" (RFC 7468 7).
bool is_request_label(std::string_view label) noexcept;

// A block of what is public, in lines of 64 characters (RFC 7468 2).
std::string to_pem(std::string_view label, ByteView der);

}  // namespace hsmsigner::pki
