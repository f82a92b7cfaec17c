#include "report/markup.h"

#include <doctest/doctest.h>

using hsmsigner::report::Markup;
using hsmsigner::report::visible;

TEST_CASE("no value gets into the page as markup") {
  const std::string out = Markup().text("<img src=x onerror='alert(1)'>&\"").str();
  CHECK(out == "&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;");
  CHECK(Markup().text("&lt;").str() == "&amp;lt;");
}

TEST_CASE("characters that hide or reorder others are written out") {
  CHECK(visible("a\xE2\x80\xAE"
                "b") == "a[U+202E]b");
  CHECK(visible("\xE2\x81\xA6x\xE2\x81\xA9") == "[U+2066]x[U+2069]");
  CHECK(visible("a\x1B[31m\r\n") == "a[U+001B][31m[U+000D][U+000A]");
  CHECK(visible(std::string_view("\0", 1)) == "[U+0000]");
  CHECK(visible("zero\xE2\x80\x8Bwidth") == "zero[U+200B]width");
  CHECK(visible("\xC2\x85") == "[U+0085]");
  CHECK(visible("\xF3\xA0\x81\x81") == "[U+E0041]");
  CHECK(visible("Zürich 日本 🙂") == "Zürich 日本 🙂");
}

TEST_CASE("a name cannot look like a character that was written out") {
  CHECK(visible("[U+202E]x") == "[U+005B]U+202E]x");
  CHECK(visible("\xE2\x80\xAE[U+202E]") == "[U+202E][U+005B]U+202E]");
  CHECK(visible("[U]+[ U+[") == "[U]+[ U+[");
}

TEST_CASE("octets that are not UTF-8 become U+FFFD") {
  CHECK(visible("a\xFF\xC0\xAF") == "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(visible("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("lengths are written without floating point") {
  CHECK(Markup().hundredths(1234).str() == "12.34");
  CHECK(Markup().hundredths(1200).str() == "12");
  CHECK(Markup().hundredths(1230).str() == "12.3");
  CHECK(Markup().hundredths(5).str() == "0.05");
  CHECK(Markup().hundredths(-150).str() == "-1.5");
}
