#include "api/request_target.h"

#include <doctest/doctest.h>

#include <string>

#include "base/error.h"

using namespace hsmsigner;
using api::parse_request_target;

namespace {

// The kind of refusal; nothing when it is taken.
std::string refusal(const std::string& raw) {
  try {
    parse_request_target(raw);
  } catch (const Error& error) {
    return std::string(to_string(error.kind()));
  }
  return "";
}

}  // namespace

TEST_CASE("segments and parameters are decoded once") {
  const auto target = parse_request_target("/a/b%20c/%2Fd/?x=1+2&y=%2B&z&%C3%A4=%26");
  CHECK(target.segments == std::vector<std::string>{"a", "b c", "/d", ""});
  REQUIRE(target.query.size() == 4);
  CHECK(*target.parameter("x") == "1 2");
  CHECK(*target.parameter("y") == "+");
  CHECK(target.parameter("z")->empty());
  CHECK(*target.parameter("\xc3\xa4") == "&");
  CHECK(target.parameter("w") == nullptr);
  CHECK(parse_request_target("/a+b").segments == std::vector<std::string>{"a+b"});  // '+' is a space in queries only
  CHECK(parse_request_target("/a%2541").segments == std::vector<std::string>{"a%41"});
}

TEST_CASE("what cannot be decoded in one way is refused") {
  for (const char* raw : {"/%", "/%4", "/%zz", "/?a=%g0", "/%00", "/?a=%00", "/%ff", "/?%c0%af=1"}) {
    CAPTURE(raw);
    CHECK(refusal(raw) == "malformed_command");
  }
  CHECK(refusal("/?a=1&a=2") == "invalid_query_parameter");
  CHECK(refusal("/?a=1&%61=2") == "invalid_query_parameter");
  CHECK(refusal("*") == "bad_xpath");
  CHECK(refusal("/?&&a=1&") == "");
}
