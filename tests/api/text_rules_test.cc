#include "api/text_rules.h"

#include <doctest/doctest.h>

#include <string>

using namespace hsmsigner::api;

TEST_CASE("characters that hide or reorder are refused") {
  CHECK_FALSE(fault_of_characters("Gr\xc3\xbc\xc3\x9f Gott, \xe8\xa8\xbc"));
  for (const char* bad :
       {"a\nb", "a\tb", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f"}) {
    CHECK(fault_of_characters(bad));
  }
}

TEST_CASE("countries") {
  for (const char* good : {"DE", "US", "ZW", "AD"}) CHECK(is_country_code(good));
  for (const char* bad : {"", "D", "de", "DEU", "XX", "EU", "A ", " A", "D E"}) CHECK_FALSE(is_country_code(bad));
}

TEST_CASE("URLs of OCSP responders: http or https, a host, no user, no fragment") {
  for (const char* good : {"http://a", "HTTPS://ocsp.example.com:8080/x?y=z", "http://192.0.2.1/", "http://[::1]:80/",
                           "http://a/%41;=:@"}) {
    CAPTURE(good);
    CHECK_FALSE(fault_of_http_url(good));
  }
  for (const char* bad : {"",
                          "a",
                          "ftp://a",
                          "http:/a",
                          "http://",
                          "http:///x",
                          "http://a b",
                          "http://a/ b",
                          "http://u@a/",
                          "http://u:p@a/",
                          "http://a/#f",
                          "http://a:0/",
                          "http://a:65536/",
                          "http://a:x/",
                          "http://[::1",
                          "http://[127.0.0.1]/",
                          "http://a/%4",
                          "http://a/\xc3\xa4",
                          "http://a..b/",
                          "http://*.a/",
                          "javascript://a"}) {
    CAPTURE(bad);
    CHECK(fault_of_http_url(bad));
  }
}

TEST_CASE("what is shown of a caller's text is short and harmless") {
  CHECK(shown("abc") == "abc");
  CHECK(shown("a\nb\x1b[31m") == "a?b?[31m");
  CHECK(shown(std::string(200, 'x'), 10) == "xxxxxxxxxx...");
  CHECK(shown("\xff\xc3\xa4") == "?\xc3\xa4");
}
