#include "pki/der_reader.h"

#include <algorithm>

namespace hsmsigner::pki {

std::optional<DerReader::Extent> DerReader::measure() const noexcept {
  if (rest_.size() < 2 || (rest_[0] & 0x1f) == 0x1f) return std::nullopt;  // no tag numbers above 30 are read here
  const std::uint8_t first = rest_[1];
  Extent extent{2, first};
  if (first >= 0x80) {
    // X.690 10.1: definite, in the shortest form.
    const std::size_t count = first & 0x7f;
    if (count == 0 || count > 4 || rest_.size() < 2 + count || rest_[2] == 0) return std::nullopt;
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) size = size << 8 | rest_[2 + i];
    if (size < 0x80) return std::nullopt;
    extent = {2 + count, size};
  }
  if (extent.content > rest_.size() - extent.header) return std::nullopt;
  return extent;
}

std::optional<ByteView> DerReader::take(std::uint8_t tag) noexcept {
  const auto extent = measure();
  if (!extent || rest_.front() != tag) return std::nullopt;
  const ByteView content = rest_.subspan(extent->header, extent->content);
  rest_ = rest_.subspan(extent->header + extent->content);
  return content;
}

std::optional<ByteView> DerReader::take_element() noexcept {
  const auto extent = measure();
  if (!extent) return std::nullopt;
  const ByteView element = rest_.first(extent->header + extent->content);
  rest_ = rest_.subspan(element.size());
  return element;
}

std::optional<ByteView> DerReader::take_unsigned() noexcept {
  DerReader ahead = *this;
  const auto content = ahead.take(der_tag::integer);
  if (!content || content->empty() || (content->front() & 0x80) != 0) return std::nullopt;
  *this = ahead;
  return without_leading_zeros(*content);
}

std::optional<unsigned> DerReader::take_small() noexcept {
  DerReader ahead = *this;
  const auto magnitude = ahead.take_unsigned();
  if (!magnitude || magnitude->size() > sizeof(unsigned)) return std::nullopt;
  *this = ahead;
  unsigned value = 0;
  for (const std::uint8_t octet : *magnitude) value = value << 8 | octet;
  return value;
}

std::optional<ByteView> whole_sequence(ByteView der) noexcept {
  DerReader reader(der);
  const auto content = reader.take(der_tag::sequence);
  return reader.at_end() ? content : std::nullopt;
}

ByteView without_leading_zeros(ByteView magnitude) noexcept {
  const auto first = std::ranges::find_if(magnitude, [](std::uint8_t octet) { return octet != 0; });
  return magnitude.subspan(static_cast<std::size_t>(first - magnitude.begin()));
}

namespace {

bool is_content_info(ByteView content) noexcept {
  DerReader reader(content);
  return reader.take(der_tag::object_identifier).has_value() && reader.next_tag() == der_tag::context_0;
}

}  // namespace

DerShape shape_of(ByteView der) noexcept {
  // A PKCS#12 file may be BER (RFC 7292 4): of indefinite length, it is none of the others.
  if (der.size() > 5 && der[0] == der_tag::sequence && der[1] == 0x80 && der[2] == der_tag::integer) {
    return DerShape::pkcs12;
  }
  const auto content = whole_sequence(der);
  if (!content) return DerShape::unknown;
  DerReader reader(*content);
  if (reader.take(der_tag::integer)) {
    if (reader.next_tag() == der_tag::integer) return DerShape::rsa_private_key;
    if (reader.next_tag() == der_tag::octet_string) return DerShape::ec_private_key;
    const auto algorithm = reader.take(der_tag::sequence);
    if (!algorithm) return DerShape::unknown;
    if (is_content_info(*algorithm)) return DerShape::pkcs12;
    return reader.next_tag() == der_tag::octet_string ? DerShape::private_key_info : DerShape::unknown;
  }
  if (!reader.take(der_tag::sequence)) return DerShape::unknown;
  if (reader.next_tag() == der_tag::octet_string) return DerShape::encrypted_private_key_info;
  if (reader.next_tag() == der_tag::bit_string) return DerShape::public_key;
  if (reader.take(der_tag::sequence) && reader.next_tag() == der_tag::bit_string) return DerShape::certificate_like;
  return DerShape::unknown;
}

}  // namespace hsmsigner::pki
