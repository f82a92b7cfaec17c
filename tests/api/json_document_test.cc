#include "api/json_document.h"

#include <doctest/doctest.h>

#include <string>

#include "base/error.h"

using namespace hsmsigner;
using api::parse_json;

namespace {

// "" when it is taken.
std::string refusal(const std::string& text) {
  try {
    parse_json(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::malformed_command);
    REQUIRE(error.details().size() == 1);
    return error.details().front();
  }
  return "";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("what RFC 8259 allows is taken") {
  for (const std::string& text :
       {std::string("{}"), std::string(" \t\r\n{\"a\":[1,-0,1.5e3,true,null,\"\\u00e4\\ud83d\\ude00\"]} "),
        std::string("\"\xc3\xa4\xf0\x9f\x98\x80\""), nested(api::kMaxJsonDepth)}) {
    CAPTURE(text);
    CHECK(refusal(text) == "");
  }
}

TEST_CASE("what two readers could take in two ways is refused, with a sentence") {
  struct Row {
    std::string text;
    std::string says;
  };
  const Row rows[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"{} {}", "not JSON"},
      {"{'a':1}", "not JSON"},
      {"{\"a\":1,}", "not JSON"},
      {"[1,]", "not JSON"},
      {"// x\n{}", "not JSON"},
      {"NaN", "not JSON"},
      {"01", "not JSON"},
      {"\xef\xbb\xbf{}", "not JSON"},
      {"\"a\nb\"", "not JSON"},
      {"{\"a\":1,\"a\":2}", "twice"},
      {"{\"a\":1,\"\\u0061\":2}", "twice"},
      {"{\"x\":{\"a\":1,\"a\":2}}", "twice"},
      {"\"\xff\"", "UTF-8"},
      {"\"\xc0\xaf\"", "UTF-8"},
      {"\"\xed\xa0\x80\"", "UTF-8"},
      {"\"\\ud800\"", ""},
      {"\"\\udc00\"", ""},
      {"{\"\\ud800\":1}", ""},
      {std::string("{}\0x", 4), "NUL"},
      {nested(api::kMaxJsonDepth + 1), "deeper"},
      {nested(100'000), "deeper"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text.substr(0, 60));
    const std::string told = refusal(row.text);
    CHECK(told != "");
    CHECK_MESSAGE(told.find(row.says) != std::string::npos, told);
  }
}
