#include "pki/secret_der.h"

#include <algorithm>

#include "base/der.h"

namespace hsmsigner::pki {
namespace {

void append_header(WipedBytes& out, std::uint8_t tag, std::size_t size) {
  out.push_back(tag);
  if (size < 0x80) return out.push_back(static_cast<std::uint8_t>(size));
  std::uint8_t count = 0;
  for (std::size_t rest = size; rest != 0; rest >>= 8) ++count;
  out.push_back(static_cast<std::uint8_t>(0x80 | count));
  for (unsigned i = count; i-- > 0;) out.push_back(static_cast<std::uint8_t>(size >> (8 * i)));
}

}  // namespace

void append_element(WipedBytes& out, std::uint8_t tag, ByteView content) {
  append_header(out, tag, content.size());
  out.insert(out.end(), content.begin(), content.end());
}

void append_magnitude(WipedBytes& out, ByteView magnitude) {
  const bool zero_octet = magnitude.empty() || (magnitude.front() & 0x80) != 0;
  append_header(out, der_tag::integer, magnitude.size() + (zero_octet ? 1 : 0));
  if (zero_octet) out.push_back(0);
  out.insert(out.end(), magnitude.begin(), magnitude.end());
}

}  // namespace hsmsigner::pki
