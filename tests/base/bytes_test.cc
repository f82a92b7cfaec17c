#include "base/bytes.h"

#include <doctest/doctest.h>

using namespace hsmsigner;

TEST_CASE("octets become hexadecimal in three forms") {
  const Bytes bytes = {0x00, 0x0f, 0xa5, 0xff};
  CHECK(to_hex(bytes) == "000fa5ff");
  CHECK(to_upper_hex(bytes) == "000FA5FF");
  CHECK(to_colon_hex(bytes) == "00:0F:A5:FF");
  CHECK(to_hex({}).empty());
  CHECK(to_colon_hex({}).empty());
}

TEST_CASE("hexadecimal is read in either case and nothing else is") {
  CHECK(from_hex("000fA5Ff") == Bytes{0x00, 0x0f, 0xa5, 0xff});
  CHECK(from_hex("") == Bytes{});
  for (const char* text : {"0", "abc", "0g", " 00", "0x00", "00:11", "\xc3\xa4"}) {
    CAPTURE(text);
    CHECK_FALSE(from_hex(text).has_value());
  }
}

TEST_CASE("every octet survives the way through hexadecimal") {
  Bytes all;
  for (unsigned i = 0; i < 256; ++i) all.push_back(static_cast<std::uint8_t>(i));
  CHECK(from_hex(to_hex(all)) == all);
  CHECK(from_hex(to_upper_hex(all)) == all);
}
