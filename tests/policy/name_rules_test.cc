#include "policy/name_rules.h"

#include <doctest/doctest.h>

#include "base/internet_names.h"

using namespace hsmsigner;
using namespace hsmsigner::policy;

namespace {

std::vector<IpRange> ranges(const std::vector<std::string>& texts) {
  std::vector<IpRange> parsed;
  for (const std::string& text : texts) parsed.push_back(parse_ip_range(text).value());
  return parsed;
}

}  // namespace

TEST_CASE("a domain permits itself and what is below it, in any case, with a wildcard or the root's dot") {
  const std::vector<std::string> permitted = {"example.com", "host.test"};
  for (const char* name : {"example.com", "EXAMPLE.com", "sub.example.com", "a.b.Example.Com", "*.example.com",
                           "*.sub.example.com", "example.com.", "host.test"}) {
    CAPTURE(name);
    CHECK_FALSE(domain_not_permitted(name, permitted));
  }
  for (const char* name : {"badexample.com", "example.com.evil.test", "com", "*.com", "example.org", "*.badexample.com",
                           "xample.com", ".example.com", "a..example.com", "example.com..", "*example.com",
                           "a.*.example.com", "evil.test/.example.com", "", "*.test", "_x.example.com", "192.0.2.1"}) {
    CAPTURE(name);
    CHECK(domain_not_permitted(name, permitted));
  }
  CHECK(domain_not_permitted(std::string("evil.test\0.example.com", 22), permitted));
}

TEST_CASE("an excluded domain excludes itself, what is below it, and a wildcard that could stand for it") {
  const std::vector<std::string> excluded = {"internal.example.com"};
  for (const char* name :
       {"internal.example.com", "INTERNAL.example.com", "db.internal.example.com", "*.internal.example.com",
        "*.example.com", "*.com", "internal.example.com.", "internal.example.com..", "-internal.example.com"}) {
    CAPTURE(name);
    CHECK(domain_excluded(name, excluded));
  }
  for (const char* name : {"example.com", "www.example.com", "notinternal.example.com", "*.www.example.com",
                           "internal.example.com.test", "*.org"}) {
    CAPTURE(name);
    CHECK_FALSE(domain_excluded(name, excluded));
  }
}

TEST_CASE("an IP range is a network in CIDR form, with no bits behind its prefix") {
  for (const char* text : {"192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "2001:db8::/32", "::/0",
                           "::1/128", "10.128.0.0/9"}) {
    CAPTURE(text);
    REQUIRE(parse_ip_range(text));
    CHECK(parse_ip_range(text)->text == text);
  }
  for (const char* text :
       {"192.0.2.0", "192.0.2.1/24", "192.0.2.0/33", "10.128.0.0/8", "2001:db8::1/32", "::/129", "::ffff:10.0.0.0/104",
        "192.0.2.0/", "192.0.2.0/x", "192.0.2.0/-1", "192.0.2.0/ 8", "example.com/8", "", "/8", "192.0.2.0/24/24"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ip_range(text));
  }
}

TEST_CASE("an address lies within a range to the bit, and an IPv4-mapped one counts as IPv4") {
  struct Row {
    const char* range;
    const char* address;
    bool within;
  };
  for (const Row& row : {
           Row{"192.0.2.0/24", "192.0.2.0", true},
           Row{"192.0.2.0/24", "192.0.2.255", true},
           Row{"192.0.2.0/24", "192.0.3.0", false},
           Row{"192.0.2.128/25", "192.0.2.127", false},
           Row{"192.0.2.128/25", "192.0.2.128", true},
           Row{"0.0.0.0/0", "255.255.255.255", true},
           Row{"0.0.0.0/0", "::1", false},
           Row{"::/0", "192.0.2.1", false},
           Row{"2001:db8::/33", "2001:db8:7fff::1", true},
           Row{"2001:db8::/33", "2001:db8:8000::1", false},
           Row{"10.0.0.0/8", "::ffff:10.1.2.3", true},
           Row{"::/0", "::ffff:10.1.2.3", false},
       }) {
    CAPTURE(row.range);
    CAPTURE(row.address);
    CHECK(within_range(parse_ip_address(row.address).value(), parse_ip_range(row.range).value()) == row.within);
  }
}

TEST_CASE("permitted and excluded addresses, and what is no address") {
  CHECK_FALSE(ip_not_permitted("192.0.2.7", ranges({"10.0.0.0/8", "192.0.2.0/24"})));
  CHECK(ip_not_permitted("198.51.100.1", ranges({"10.0.0.0/8", "192.0.2.0/24"})));
  CHECK(ip_not_permitted("192.0.2.7", {}));
  CHECK(ip_not_permitted("nonsense", ranges({"0.0.0.0/0"})));
  CHECK(ip_excluded("10.1.1.1", ranges({"10.0.0.0/8"})));
  CHECK(ip_excluded("::ffff:10.1.1.1", ranges({"10.0.0.0/8"})));
  CHECK_FALSE(ip_excluded("11.1.1.1", ranges({"10.0.0.0/8"})));
  CHECK(ip_excluded("nonsense", ranges({"10.0.0.0/8"})));
}

TEST_CASE("of a mail address the domain counts") {
  CHECK_FALSE(mail_not_permitted("a@example.com", {"example.com"}));
  CHECK_FALSE(mail_not_permitted("a@MX.example.com", {"example.com"}));
  CHECK(mail_not_permitted("a@badexample.com", {"example.com"}));
  CHECK(mail_not_permitted("a@evil.test@example.com", {"example.com"}));
  CHECK(mail_not_permitted("example.com", {"example.com"}));
  CHECK(mail_not_permitted("a@example.com", {}));
  CHECK(mail_excluded("a@mx.example.com", {"example.com"}));
  CHECK_FALSE(mail_excluded("a@example.org", {"example.com"}));
}

TEST_CASE("what a common name may be taken for") {
  struct Row {
    const char* text;
    std::optional<NameKind> kind;
    const char* value;
  };
  for (const Row& row : {
           Row{"www.example.com", NameKind::dns, "www.example.com"},
           Row{"  www.example.com. ", NameKind::dns, "www.example.com"},
           Row{"*.example.com", NameKind::dns, "*.example.com"},
           Row{"server", NameKind::dns, "server"},
           Row{"under_score.example.com", NameKind::dns, "under_score.example.com"},
           Row{"https://evil.test/", NameKind::dns, "https://evil.test/"},
           Row{"ex\xc3\xa4mple.com", NameKind::dns, "ex\xc3\xa4mple.com"},
           Row{"192.0.2.1", NameKind::ip, "192.0.2.1"},
           Row{" ::1", NameKind::ip, "::1"},
           Row{"a@example.com", NameKind::mail, "a@example.com"},
           Row{"a@b@example.com", NameKind::mail, "a@b@example.com"},
           Row{"Example Root CA", std::nullopt, ""},
           Row{"Ms. Example", std::nullopt, ""},
           Row{"   ", std::nullopt, ""},
           Row{"", std::nullopt, ""},
       }) {
    CAPTURE(row.text);
    const auto name = name_in_common_name(row.text);
    REQUIRE(name.has_value() == row.kind.has_value());
    if (!name) continue;
    CHECK((name->kind == *row.kind));
    CHECK(name->value == row.value);
    CHECK(name->field == "common_name");
  }
}

TEST_CASE("a sentence repeats a name only when it is plain text, and not more than some of a long list") {
  const auto binary = domain_not_permitted("evil\x1b[2J.test", {"example.com"});
  REQUIRE(binary);
  CHECK(binary->find('\x1b') == std::string::npos);
  const auto plain = domain_not_permitted("evil.test", {"a.test", "b.test", "c.test", "d.test", "e.test", "f.test"});
  REQUIRE(plain);
  CHECK(*plain == "lie within a.test, b.test, c.test, d.test, e.test and 1 more, which \"evil.test\" does not");
}
