#include "base/clock.h"

#include <doctest/doctest.h>

using namespace hsmsigner;

TEST_CASE("a moment as RFC 3339 writes it") {
  CHECK(date_time(UnixTime()) == "1970-01-01T00:00:00Z");
  CHECK(date_time(UnixTime(std::chrono::seconds(1'827'106'516))) == "2027-11-25T01:35:16Z");
}
