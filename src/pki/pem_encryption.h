// OpenSSL's encryption of traditional PEM keys, which no RFC describes: RFC 1421's headers "Proc-Type: 4,ENCRYPTED" and
// "DEK-Info: <cipher>,<IV>", the key from MD5 of passphrase and IV. Private to this room.
#pragma once

#include <optional>
#include <string_view>

#include "pki/pem_blocks.h"
#include "pki/wiped_bytes.h"

namespace hsmsigner::pki {

bool is_encrypted(const PemBlock& block) noexcept;

// Nothing when the passphrase is wrong, as far as the padding tells. Throws Error{invalid_object}, beginning with
// `field`, for a cipher that is not known. Costs one MD5 or two.
std::optional<WipedBytes> decrypt_pem(const PemBlock& block, ByteView encrypted, std::string_view passphrase,
                                      std::string_view field);

}  // namespace hsmsigner::pki
