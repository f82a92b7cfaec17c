#include "base/uuid.h"

#include <doctest/doctest.h>

#include <set>

using namespace hsmsigner;

TEST_CASE("random UUIDs are of version 4 and differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random();
    CHECK((uuid.bytes()[6] >> 4) == 4);
    CHECK((uuid.bytes()[8] >> 6) == 2);
    seen.insert(uuid.to_string());
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("a UUID survives the way through text and through octets") {
  const Uuid uuid = Uuid::random();
  CHECK(uuid.to_string().size() == 36);
  CHECK(Uuid::parse(uuid.to_string()) == uuid);
  CHECK(Uuid::from_bytes(uuid.bytes()) == uuid);
}

TEST_CASE("UUID text: the example of RFC 9562, in either case") {
  const auto uuid = Uuid::parse("F81D4FAE-7DEC-11d0-A765-00A0C91E6BF6");
  REQUIRE(uuid.has_value());
  CHECK(uuid->to_string() == "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
  CHECK(to_hex(uuid->bytes()) == "f81d4fae7dec11d0a76500a0c91e6bf6");
}

TEST_CASE("what is no UUID is refused") {
  for (const char* text : {"", "f81d4fae7dec11d0a76500a0c91e6bf6", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
                           "f81d4fae-7dec-11d0-a765-00a0c91e6bf", "f81d4fae-7dec-11d0-a765-00a0c91e6bf66",
                           "f81d4fae-7dec-11d0-a76500-a0c91e6bf6", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                           "f81d4fae 7dec 11d0 a765 00a0c91e6bf6"}) {
    CAPTURE(text);
    CHECK_FALSE(Uuid::parse(text).has_value());
  }
  CHECK_FALSE(Uuid::from_bytes(Bytes(15)).has_value());
  CHECK_FALSE(Uuid::from_bytes(Bytes(17)).has_value());
}
