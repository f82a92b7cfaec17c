#include "base/der.h"

#include <doctest/doctest.h>

using namespace hsmsigner;

TEST_CASE("lengths are in their shortest form (X.690 10.1)") {
  struct Row {
    std::size_t size;
    Bytes header;
  };
  for (const Row& row :
       {Row{0, {0x30, 0x00}}, Row{127, {0x30, 0x7f}}, Row{128, {0x30, 0x81, 0x80}}, Row{255, {0x30, 0x81, 0xff}},
        Row{256, {0x30, 0x82, 0x01, 0x00}}, Row{65536, {0x30, 0x83, 0x01, 0x00, 0x00}}}) {
    CAPTURE(row.size);
    Bytes der;
    append_der(der, der_tag::sequence, Bytes(row.size, 0xaa));
    REQUIRE(der.size() == row.header.size() + row.size);
    CHECK(Bytes(der.begin(), der.begin() + static_cast<std::ptrdiff_t>(row.header.size())) == row.header);
  }
}

TEST_CASE("unsigned integers: no needless zeros, and one before a set top bit (X.690 8.3.2)") {
  struct Row {
    Bytes magnitude;
    Bytes der;
  };
  for (const Row& row :
       {Row{{}, {0x02, 0x01, 0x00}}, Row{{0x00}, {0x02, 0x01, 0x00}}, Row{{0x00, 0x00}, {0x02, 0x01, 0x00}},
        Row{{0x7f}, {0x02, 0x01, 0x7f}}, Row{{0x80}, {0x02, 0x02, 0x00, 0x80}},
        Row{{0x00, 0x00, 0x80}, {0x02, 0x02, 0x00, 0x80}}, Row{{0x00, 0x01, 0x00}, {0x02, 0x02, 0x01, 0x00}}}) {
    Bytes der;
    append_der_unsigned(der, row.magnitude);
    CHECK(der == row.der);
  }
}

TEST_CASE("a bit string of whole octets says that no bit is unused") {
  Bytes der;
  append_der_bit_string(der, Bytes{0x01, 0x02});
  CHECK(der == Bytes{0x03, 0x03, 0x00, 0x01, 0x02});
}
