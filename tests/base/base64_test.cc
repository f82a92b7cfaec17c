#include "base/base64.h"

#include <doctest/doctest.h>

#include <string>

using namespace hsmsigner;

namespace {

ByteView octets(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string text(const std::optional<Bytes>& bytes) { return bytes ? std::string(bytes->begin(), bytes->end()) : "?"; }

}  // namespace

TEST_CASE("RFC 4648 section 10") {
  const char* rows[][2] = {{"", ""},
                           {"f", "Zg=="},
                           {"fo", "Zm8="},
                           {"foo", "Zm9v"},
                           {"foob", "Zm9vYg=="},
                           {"fooba", "Zm9vYmE="},
                           {"foobar", "Zm9vYmFy"}};
  for (const auto& row : rows) {
    CHECK(to_base64(octets(row[0])) == row[1]);
    CHECK(text(from_base64(row[1])) == row[0]);
    CHECK(secret_from_base64(row[1])->view() == row[0]);
    const std::string unpadded = std::string(row[1]).substr(0, std::string(row[1]).find('='));
    CHECK(to_base64url(octets(row[0])) == unpadded);
    CHECK(text(from_base64url(unpadded)) == row[0]);
  }
}

TEST_CASE("the two alphabets differ in two characters") {
  const Bytes bytes{0xfb, 0xef, 0xff};
  CHECK(to_base64(bytes) == "++//");
  CHECK(to_base64url(bytes) == "--__");
  CHECK_FALSE(from_base64url("++//"));
  CHECK_FALSE(from_base64("--__"));
}

TEST_CASE("files have line ends, tokens have none") {
  CHECK(text(from_base64("Zm9v\r\nYm\tFy \n")) == "foobar");
  CHECK_FALSE(from_base64url("Zm9v\nYmFy"));
}

TEST_CASE("what is not Base64 is refused") {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Zg==Zg==", "Zm9v!", "Z=g="}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
    CHECK_FALSE(secret_from_base64(bad));
  }
  for (const char* bad : {"Z", "Zh", "Zm9", "Zg==", "Zm9v ", "Zm.v"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64url(bad));
  }
}
