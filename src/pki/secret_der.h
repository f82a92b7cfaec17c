// Writing DER that holds secrets (base/der.h is for what is public). Private to this room.
#pragma once

#include "pki/wiped_bytes.h"

namespace hsmsigner::pki {

void append_element(WipedBytes& out, std::uint8_t tag, ByteView content);
// INTEGER of a magnitude without leading zero octets (X.690 8.3.2).
void append_magnitude(WipedBytes& out, ByteView magnitude);

}  // namespace hsmsigner::pki
