// The little DER (X.690) that OpenSSL has no public function for, and that hsm/ needs for ECDSA signatures.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace hsmsigner {

namespace der_tag {
constexpr std::uint8_t integer = 0x02;
constexpr std::uint8_t bit_string = 0x03;
constexpr std::uint8_t octet_string = 0x04;
constexpr std::uint8_t sequence = 0x30;
}  // namespace der_tag

// Identifier, definite length in its shortest form (X.690 10.1), content.
void append_der(Bytes& out, std::uint8_t tag, ByteView content);
// INTEGER of an unsigned big-endian magnitude; leading zero octets are dropped (X.690 8.3.2).
void append_der_unsigned(Bytes& out, ByteView magnitude);
// BIT STRING of whole octets.
void append_der_bit_string(Bytes& out, ByteView octets);

}  // namespace hsmsigner
