// Base64 (RFC 4648). Strict when decoding: no characters outside of the alphabet, no bits that say nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"

namespace hsmsigner {

// Section 4, padded, no line breaks.
std::string to_base64(ByteView bytes);
// Section 5 ("base64url"), not padded, as JWS wants it (RFC 7515 2).
std::string to_base64url(ByteView bytes);

// Nothing when the text is not Base64. Section 4: padded; line feeds, carriage returns, blanks and tabs are skipped,
// since files that are handed around have them.
std::optional<Bytes> from_base64(std::string_view text);
// The same for what must be wiped. The text's own buffer is the caller's to wipe.
std::optional<Secret> secret_from_base64(std::string_view text);
// Section 5, not padded, nothing skipped.
std::optional<Bytes> from_base64url(std::string_view text);

}  // namespace hsmsigner
