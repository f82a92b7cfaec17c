#include "base/utf8.h"

#include <doctest/doctest.h>

using namespace hsmsigner;

TEST_CASE("characters are counted in well-formed UTF-8 only (RFC 3629 4)") {
  CHECK(utf8_length("") == 0U);
  CHECK(utf8_length("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == 4U);
  for (const char* bad : {"\x80", "\xc3", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc3("}) {
    CHECK_FALSE(utf8_length(bad));
  }
}

TEST_CASE("code points, one after another") {
  const std::string_view text = "a\xe2\x82\xac\xf0\x9f\x98\x80\xff";
  std::size_t at = 0;
  CHECK(next_code_point(text, at) == U'a');
  CHECK(next_code_point(text, at) == char32_t{0x20ac});
  CHECK(next_code_point(text, at) == char32_t{0x1f600});
  CHECK_FALSE(next_code_point(text, at));
}
