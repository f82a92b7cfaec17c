// The little cryptography that is done in this process and not in the token: keys wrapped for their way into it, opened
// on their way out. All that this room does with OpenSSL, but for module.cc, which sees to it that modules and OpenSSL
// leave each other alone.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/secret.h"
#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {

// `key` has kWrappingKeySize octets, `iv` kAesBlock or, for key_wrap_pad, none; else, and when OpenSSL has no such
// cipher, they throw Error{internal_error}.
Bytes wrap_key(WrappingForm form, ByteView key, ByteView iv, const Secret& pkcs8);
// The PrivateKeyInfo (RFC 5208 5) in it, told from what follows by the length of its SEQUENCE alone: SoftHSM fills up
// with zeros to a block of the cipher. It is not decoded here, since OpenSSL's decoders leave copies behind. Nothing
// for octets that were not wrapped under this key, or are no SEQUENCE.
std::optional<Secret> open_key(WrappingForm form, ByteView key, ByteView iv, ByteView wrapped);

}  // namespace hsmsigner::hsm
