// Reading DER (X.690 10) in place, for structures that hold secrets: OpenSSL's own decoders leave copies that it does
// not wipe. Private to this room.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/der.h"

// What base/der.h, which writes less than is read here, has no names for.
namespace hsmsigner::der_tag {
constexpr std::uint8_t null = 0x05;
constexpr std::uint8_t object_identifier = 0x06;
constexpr std::uint8_t context_0 = 0xa0;  // constructed: [0] EXPLICIT, or IMPLICIT of a SEQUENCE or SET
constexpr std::uint8_t context_1 = 0xa1;
}  // namespace hsmsigner::der_tag

namespace hsmsigner::pki {

// Walks the elements of one level. Every view it gives is into the octets it was made of. Nothing is consumed by a
// call that returns nothing.
class DerReader {
 public:
  explicit DerReader(ByteView octets) noexcept : rest_(octets) {}

  bool at_end() const noexcept { return rest_.empty(); }
  // The identifier octet of the next element; 0 at the end.
  std::uint8_t next_tag() const noexcept { return rest_.empty() ? std::uint8_t{0} : rest_.front(); }

  // The content of the next element, if it has this tag and is whole.
  std::optional<ByteView> take(std::uint8_t tag) noexcept;
  // The next element with its identifier and length.
  std::optional<ByteView> take_element() noexcept;
  // The magnitude of a non-negative INTEGER, without leading zero octets (empty for zero).
  std::optional<ByteView> take_unsigned() noexcept;
  // The same for a number that fits.
  std::optional<unsigned> take_small() noexcept;

 private:
  struct Extent {
    std::size_t header;
    std::size_t content;
  };
  std::optional<Extent> measure() const noexcept;
  ByteView rest_;
};

// The content of `der` when it is one SEQUENCE and nothing else.
std::optional<ByteView> whole_sequence(ByteView der) noexcept;
ByteView without_leading_zeros(ByteView magnitude) noexcept;

// What kind of thing an element is, judged by the first tags of it, before anything of it is believed.
enum class DerShape {
  unknown,
  private_key_info,            // RFC 5208 5: INTEGER, SEQUENCE, OCTET STRING
  encrypted_private_key_info,  // RFC 5208 6: SEQUENCE, OCTET STRING
  rsa_private_key,             // RFC 8017 A.1.2: INTEGER, INTEGER, …
  ec_private_key,              // RFC 5915 3: INTEGER, OCTET STRING
  public_key,                  // RFC 5280 4.1: SEQUENCE, BIT STRING
  certificate_like,            // a certificate, a request, …: SEQUENCE, SEQUENCE, BIT STRING
  pkcs12,                      // RFC 7292 4: INTEGER, SEQUENCE that begins with an OBJECT IDENTIFIER and [0]
};
DerShape shape_of(ByteView der) noexcept;

}  // namespace hsmsigner::pki
