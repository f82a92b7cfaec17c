#include "base/internet_names.h"

#include <doctest/doctest.h>

#include <string>

using namespace hsmsigner;

TEST_CASE("host names: RFC 1123 labels, one leading wildcard where it is allowed") {
  const std::string label63(63, 'a');
  const std::string name253 = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'a');
  for (const std::string& good :
       {std::string("a"), std::string("www.example.com"), std::string("xn--bcher-kva.example"), std::string("3com.com"),
        std::string("a-b.c"), std::string("1.2.3.example"), label63 + ".com", name253}) {
    CAPTURE(good);
    CHECK_FALSE(fault_of_host_name(good, Wildcard::refused));
    CHECK_FALSE(fault_of_host_name(good, Wildcard::leading));
  }
  CHECK_FALSE(fault_of_host_name("*.example.com", Wildcard::leading));
  CHECK(fault_of_host_name("*.example.com", Wildcard::refused));
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string("a."),
                                 std::string(".a"),
                                 std::string("a..b"),
                                 std::string("-a.b"),
                                 std::string("a-.b"),
                                 std::string("a_b.c"),
                                 std::string("a b"),
                                 std::string("a/b"),
                                 std::string("*"),
                                 std::string("*."),
                                 std::string("a.*.b"),
                                 std::string("*a.b"),
                                 std::string("*.*.b"),
                                 std::string("127.0.0.1"),
                                 std::string("::1"),
                                 std::string("1.2.3"),
                                 std::string("host.256"),
                                 std::string("b\xc3\xbc.de"),
                                 std::string("a\0b", 3),
                                 label63 + "a.com",
                                 name253 + "a"}) {
    CAPTURE(bad);
    CHECK(fault_of_host_name(bad, Wildcard::leading));
  }
}

TEST_CASE("mail addresses: a dot-atom at a host") {
  for (const char* good :
       {"a@b", "first.last@example.com", "o'hara+tag@x.example", "!#$%&'*+-/=?^_`{|}~@example.com"}) {
    CAPTURE(good);
    CHECK_FALSE(fault_of_mail_address(good));
  }
  for (const std::string& bad :
       {std::string(), std::string("a"), std::string("@b"), std::string("a@"), std::string(".a@b"), std::string("a.@b"),
        std::string("a..b@c"), std::string("a b@c"), std::string("\"a b\"@c"), std::string("a@b@c"),
        std::string("a@*.b"), std::string("a@127.0.0.1"), std::string("a@[127.0.0.1]"), std::string("\xc3\xa4@b"),
        std::string("a@b\n"), std::string(65, 'a') + "@b",
        std::string(64, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'b') + "." + std::string(60, 'b') +
            "." + std::string(60, 'b')}) {
    CAPTURE(bad);
    CHECK(fault_of_mail_address(bad));
  }
}

TEST_CASE("IP addresses: four octets or sixteen, and no other spelling") {
  CHECK(parse_ip_address("192.0.2.1") == Bytes{192, 0, 2, 1});
  CHECK(parse_ip_address("::1") == Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(parse_ip_address("::1") == parse_ip_address("0:0:0:0:0:0:0:1"));
  CHECK(parse_ip_address("::ffff:192.0.2.1")->size() == 16);
  for (const std::string& bad :
       {std::string(), std::string("1.2.3"), std::string("1.2.3.4.5"), std::string("256.1.1.1"),
        std::string("01.2.3.4"), std::string("1.2.3.4/8"), std::string("fe80::1%eth0"), std::string("::1::2"),
        std::string("[::1]"), std::string(" 1.2.3.4"), std::string("1.2.3.4\0x", 9)}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_ip_address(bad));
  }
}
