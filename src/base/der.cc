#include "base/der.h"

namespace hsmsigner {

void append_der(Bytes& out, std::uint8_t tag, ByteView content) {
  out.push_back(tag);
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    std::uint8_t octets = 0;
    for (std::size_t rest = content.size(); rest != 0; rest >>= 8) ++octets;
    out.push_back(static_cast<std::uint8_t>(0x80 | octets));
    while (octets-- > 0) out.push_back(static_cast<std::uint8_t>(content.size() >> (8 * octets)));
  }
  out.insert(out.end(), content.begin(), content.end());
}

void append_der_unsigned(Bytes& out, ByteView magnitude) {
  while (magnitude.size() > 1 && magnitude.front() == 0) magnitude = magnitude.subspan(1);
  Bytes content;
  content.reserve(magnitude.size() + 1);
  // Zero, or a top bit that would be a sign: one zero octet in front (X.690 8.3.2).
  if (magnitude.empty() || (magnitude.front() & 0x80) != 0) content.push_back(0);
  content.insert(content.end(), magnitude.begin(), magnitude.end());
  append_der(out, der_tag::integer, content);
}

void append_der_bit_string(Bytes& out, ByteView octets) {
  Bytes content;
  content.reserve(octets.size() + 1);
  content.push_back(0);  // unused bits (X.690 8.6.2.2)
  content.insert(content.end(), octets.begin(), octets.end());
  append_der(out, der_tag::bit_string, content);
}

}  // namespace hsmsigner
