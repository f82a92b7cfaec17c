// Every rule of the table refuses and allows at its border, for the acts that it is asked at and for no other, and
// stands in docs/POLICY.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "policy/check.h"
#include "policy/profile_reader.h"
#include "policy/rule_table.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::policy;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::year;

namespace {

constexpr Act kActs[] = {Act::generate, Act::request, Act::import_key, Act::complete};

Profile profile_with(std::string_view rule, const std::string& value) {
  return parse_profile("name = \"own\"\ndescription = \"d\"\n[rules]\n" + std::string(rule) + " = { value = " + value +
                       ", reference = \"Paper 1\" }\n");
}

const char* const kRootId = "0b7e9f38-7a4b-4c3e-8f0a-6f0f6d1c2b3a";

const char* const kOtherId = "1c8faf38-7a4b-4c3e-8f0a-6f0f6d1c2b3a";

IssuerFacts held(const char* container, const std::string& name, const char* id = kRootId) {
  return {IssuerFacts::Kind::held, Uuid::parse(id), Container::parse(container), name};
}

// A leaf with P-256, SHA-256, one host name, issued by "folder:Infra/Root" (P-384) on 2026-11-25.
Facts leaf() {
  Facts facts;
  facts.key = KeyFacts{KeyFamily::ec, 256, {}};
  facts.signing_key = KeyFacts{KeyFamily::ec, 384, {}};
  facts.digest = Digest::sha384;
  const UnixTime now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) + seconds(3601);
  facts.validity = Validity{now, now + days(90)};
  facts.common_name = "www.example.com";
  facts.names = {{NameKind::dns, "www.example.com", "hostname"}};
  facts.fields = {"hostname", "country_code"};
  facts.issuer = held("folder:Infra", "Root");
  facts.key_file = "key_file";
  return facts;
}

Facts authority() {
  Facts facts = leaf();
  facts.authority = true;
  facts.common_name = "Root";
  facts.names = {{NameKind::dns, "Root", "common_name"}};
  facts.signing_key.reset();
  facts.issuer = IssuerFacts{IssuerFacts::Kind::itself, {}, {}, {}};
  return facts;
}

KeyFacts rsa(unsigned bits, Bytes exponent = {}) { return {KeyFamily::rsa, bits, std::move(exponent)}; }

template <typename Change>
Facts with(Facts facts, Change change) {
  change(facts);
  return facts;
}

Facts with_key(KeyFacts key) {
  return with(leaf(), [&](Facts& facts) { facts.key = std::move(key); });
}
Facts with_signing_key(KeyFacts key) {
  return with(leaf(), [&](Facts& facts) { facts.signing_key = std::move(key); });
}
Facts with_name(NameKind kind, const std::string& value, const std::string& field) {
  return with(leaf(), [&](Facts& facts) { facts.names.push_back({kind, value, field}); });
}
Facts with_days(Facts facts, seconds length) {
  facts.validity->not_after = facts.validity->not_before + length;
  return facts;
}
Facts requested(std::chrono::year_month_day day) {
  return with(leaf(), [&](Facts& facts) { facts.requested_at = std::chrono::sys_days(day); });
}
Facts with_issuer(IssuerFacts issuer) {
  return with(leaf(), [&](Facts& facts) { facts.issuer = std::move(issuer); });
}

struct Row {
  const char* rule;
  const char* value;
  Facts facts;
  const char* path;  // nullptr: allowed
  const char* says = "";
};

const std::vector<Row>& rows() {
  using Kind = IssuerFacts::Kind;
  const char* const kSteps = "[{ from = 2026-11-25, days = 90 }, { from = 2027-01-01, days = 10 }]";
  static const std::vector<Row> table = {
      {"algorithms", R"(["P-256", "P-384"])", leaf(), nullptr},
      {"algorithms", R"(["P-384"])", leaf(), "algorithm", "the key must be one of P-384"},
      {"algorithms", R"(["P-256"])", leaf(), "signed_by", "the authority's is P-384"},
      {"algorithms", R"(["RSA-2048", "P-384"])", with_key(rsa(2056)), "algorithm", ""},
      {"min-rsa-bits", "2048", with_key(rsa(2048)), nullptr},
      {"min-rsa-bits", "2048", with_key(rsa(2047)), "algorithm", "RSA keys must have at least 2048 bits"},
      {"min-rsa-bits", "2048", with_signing_key(rsa(1024)), "signed_by", "the authority's is RSA-1024"},
      {"min-rsa-bits", "2048", leaf(), nullptr},
      {"max-rsa-bits", "4096", with_key(rsa(4096)), nullptr},
      {"max-rsa-bits", "4096", with_key(rsa(4097)), "algorithm", "at most 4096 bits"},
      {"rsa-bits-multiple-of", "8", with_key(rsa(2056)), nullptr},
      {"rsa-bits-multiple-of", "8", with_key(rsa(2052)), "algorithm", "a multiple of 8"},
      {"min-rsa-exponent", "65537", with_key(rsa(2048, {1, 0, 1})), nullptr},
      {"min-rsa-exponent", "65537", with_key(rsa(2048, {0, 1, 0, 0, 0, 0})), nullptr},
      {"min-rsa-exponent", "65537", with_key(rsa(2048)), nullptr},
      {"min-rsa-exponent", "65537", with_key(rsa(2048, {0, 0, 0, 0, 0, 1, 0, 0})), "algorithm", "at least 65537"},
      {"min-rsa-exponent", "65537", with_key(rsa(2048, {3})), "algorithm", "at least 65537"},
      {"digests", R"(["sha256", "sha384"])", leaf(), nullptr},
      {"digests", R"(["sha256"])", leaf(), "digest", "must be one of sha256"},
      {"digests", R"(["sha256"])",
       with(leaf(),
            [](Facts& facts) {
              facts.digest.reset();
              facts.other_signature = true;
            }),
       "digest", ""},
      {"digests", R"(["sha256"])", with(leaf(), [](Facts& facts) { facts.digest.reset(); }), nullptr},
      {"digest-fits-curve", "true", leaf(), nullptr},
      {"digest-fits-curve", "true", with_signing_key({KeyFamily::ec, 256, {}}), "digest", "must use sha256"},
      {"digest-fits-curve", "true", with_signing_key({KeyFamily::ec, 521, {}}), "digest", "must use sha512"},
      {"digest-fits-curve", "true", with_signing_key(rsa(2048)), nullptr},
      {"digest-fits-curve", "true", authority(), "digest", "with a P-256 key must use sha256"},
      {"digest-fits-curve", "false", with_signing_key({KeyFamily::ec, 521, {}}), nullptr},
      // The last second counts (RFC 5280 4.1.2.5), and a day begun is a day.
      {"max-leaf-days", "90", with_days(leaf(), days(90) - seconds(1)), nullptr},
      {"max-leaf-days", "90", with_days(leaf(), days(90)), "day_till_expiration",
       "at most 90 days, its last second included; day_till_expiration can be 89 at most"},
      {"max-leaf-days", "90", with_days(authority(), days(900)), nullptr},
      {"max-leaf-days", kSteps, with_days(leaf(), days(90) - seconds(1)), nullptr},
      {"max-leaf-days", kSteps, with_days(leaf(), days(90)), "day_till_expiration", "since 2026-11-25"},
      // No time is free of a limit, and none is before the request was made.
      {"max-leaf-days", "[{ from = 2026-11-26, days = 91 }]", leaf(), nullptr},
      {"max-leaf-days", "[{ from = 2026-11-26, days = 1 }, { from = 2027-01-01, days = 99 }]", leaf(),
       "day_till_expiration", "at most 1 day, its last second included, as the profile's first step also holds"},
      {"max-leaf-days", kSteps, with_days(requested(year(2026) / 12 / 31), days(90) - seconds(1)), nullptr},
      {"max-leaf-days", kSteps, with_days(requested(year(2027) / 1 / 1), days(90) - seconds(1)), "day_till_expiration",
       "at most 10 days, its last second included, as for all that is issued since 2027-01-01"},
      {"max-leaf-days", kSteps, with_days(requested(year(2020) / 1 / 1), days(90) - seconds(1)), nullptr},
      {"max-leaf-days", "1", leaf(), "day_till_expiration", "at most 1 day, its last second included"},
      {"max-ca-days", "900", with_days(authority(), days(900) - seconds(1)), nullptr},
      {"max-ca-days", "900", with_days(authority(), days(900)), "day_till_expiration", "at most 900 days"},
      {"max-ca-days", "30", leaf(), nullptr},
      {"permitted-dns", R"(["Example.COM"])", leaf(), nullptr},
      {"permitted-dns", R"(["example.org"])", leaf(), "hostname", "must lie within example.org"},
      {"permitted-dns", "[]", leaf(), "hostname", "permits none"},
      {"permitted-dns", R"(["example.com"])", with(leaf(), [](Facts& facts) { facts.common_name = "evil.test"; }),
       "common_name", "\"evil.test\""},
      {"permitted-dns", R"(["example.com"])", with(leaf(), [](Facts& facts) { facts.common_name = " evil.test. "; }),
       "common_name", "\"evil.test\""},
      {"permitted-dns", R"(["example.com"])", with(leaf(), [](Facts& facts) { facts.common_name = "A Person"; }),
       nullptr},
      {"permitted-dns", R"(["example.com"])", with_name(NameKind::dns, "*.com", "hostname"), "hostname", "\"*.com\""},
      {"permitted-dns", R"(["example.com"])", authority(), nullptr},
      {"permitted-dns", R"(["example.com"])", with(authority(), [](Facts& facts) { facts.authority = false; }),
       "common_name", "\"Root\""},
      {"permitted-dns", R"(["example.com"])",
       with(authority(),
            [](Facts& facts) {
              facts.names.push_back({NameKind::dns, "evil", "hostname"});
            }),
       "hostname", "\"evil\""},
      {"excluded-dns", R"(["internal.example.com"])", leaf(), nullptr},
      {"excluded-dns", R"(["www.example.com"])", leaf(), "hostname", "www.example.com"},
      {"excluded-dns", R"(["internal.example.com"])", with_name(NameKind::dns, "*.example.com", "hostname"), "hostname",
       "or cover, internal.example.com"},
      {"excluded-dns", R"(["localhost"])", authority(), nullptr},
      {"excluded-dns", R"(["localhost"])", with(authority(), [](Facts& facts) { facts.common_name = "LocalHost"; }),
       "common_name", "localhost"},
      {"min-dns-labels", "2", leaf(), nullptr},
      {"min-dns-labels", "3", with_name(NameKind::dns, "*.example.com", "hostname"), "hostname",
       "must have at least 3 labels, a wildcard not counted, which \"*.example.com\" has not"},
      {"min-dns-labels", "2", with_name(NameKind::dns, "server.", "hostname"), "hostname", "at least 2 labels"},
      {"min-dns-labels", "2", with_name(NameKind::dns, "*.com", "hostname"), "hostname", ""},
      {"min-dns-labels", "2", authority(), nullptr},
      {"permitted-ip", R"(["192.0.2.0/24"])", with_name(NameKind::ip, "192.0.2.9", "ip"), nullptr},
      {"permitted-ip", R"(["192.0.2.0/24"])", with_name(NameKind::ip, "192.0.3.9", "ip"), "ip", "192.0.2.0/24"},
      {"permitted-ip", R"(["192.0.2.0/24"])", with(leaf(), [](Facts& facts) { facts.common_name = "10.0.0.1"; }),
       "common_name", "\"10.0.0.1\""},
      {"permitted-ip", "[]", leaf(), nullptr},
      {"excluded-ip", R"(["10.0.0.0/8"])", with_name(NameKind::ip, "11.0.0.0", "ip"), nullptr},
      {"excluded-ip", R"(["10.0.0.0/8"])", with_name(NameKind::ip, "::ffff:10.0.0.1", "ip"), "ip", "10.0.0.0/8"},
      {"permitted-mail", R"(["example.com"])", with_name(NameKind::mail, "a@example.com", "email"), nullptr},
      {"permitted-mail", R"(["example.com"])", with_name(NameKind::mail, "a@example.org", "email"), "email", ""},
      {"permitted-mail", "[]", with_name(NameKind::mail, "a@example.com", "alternate_email"), "alternate_email",
       "permits none"},
      {"excluded-mail", R"(["example.com"])", with_name(NameKind::mail, "a@example.org", "email"), nullptr},
      {"excluded-mail", R"(["example.com"])", with_name(NameKind::mail, "a@mx.example.com", "email"), "email", ""},
      {"san-required", "true", leaf(), nullptr},
      {"san-required", "true",
       with(leaf(),
            [](Facts& facts) {
              facts.names = {{NameKind::ip, "::1", "ip"}};
            }),
       nullptr},
      {"san-required", "true", with(leaf(), [](Facts& facts) { facts.names.clear(); }), "hostname", ""},
      {"san-required", "true",
       with(leaf(),
            [](Facts& facts) {
              facts.names = {{NameKind::mail, "a@example.com", "email"}};
            }),
       "hostname", ""},
      {"san-required", "true", with(authority(), [](Facts& facts) { facts.names.clear(); }), nullptr},
      {"san-required", "false", with(leaf(), [](Facts& facts) { facts.names.clear(); }), nullptr},
      {"allow-authority-names", "false", leaf(), nullptr},
      {"allow-authority-names", "true", authority(), nullptr},
      // The alternative name that a title led to is one; the title alone is none.
      {"allow-authority-names", "false", authority(), "common_name", "must have no host name and no IP address"},
      {"allow-authority-names", "false", with(authority(), [](Facts& facts) { facts.names.clear(); }), nullptr},
      {"allow-authority-names", "false",
       with(authority(),
            [](Facts& facts) {
              facts.names = {{NameKind::mail, "a@example.com", "email"}};
            }),
       nullptr},
      {"allow-authority-names", "false",
       with(authority(),
            [](Facts& facts) {
              facts.names = {{NameKind::ip, "8.8.8.8", "ip"}};
            }),
       "ip", ""},
      {"allow-authority-names", "false",
       with(authority(),
            [](Facts& facts) {
              facts.names.clear();
              facts.common_name = "www.example.com";
            }),
       "common_name", ""},
      {"required-leaf-fields", R"(["hostname", "country_code"])", leaf(), nullptr},
      {"required-leaf-fields", R"(["hostname", "state"])", leaf(), "state", "must be given"},
      {"required-leaf-fields", R"(["state"])", authority(), nullptr},
      {"required-ca-fields", R"(["country_code"])", authority(), nullptr},
      {"required-ca-fields", R"(["locality"])", authority(), "locality", "must be given"},
      {"required-ca-fields", R"(["locality"])", leaf(), nullptr},
      {"issuers", R"(["folder:Infra/Other", "folder:Infra/Root"])", leaf(), nullptr},
      {"issuers", R"(["0b7e9f38-7a4b-4c3e-8f0a-6f0f6d1c2b3a"])", leaf(), nullptr},
      {"issuers", R"(["folder:Web/Root"])", leaf(), "signed_by", "this is none of the issuers that are allowed here"},
      {"issuers", R"(["folder:Infra/root"])", leaf(), "signed_by", ""},
      {"issuers", R"(["0B7E9F38-7A4B-4C3E-8F0A-6F0F6D1C2B3A"])", leaf(), nullptr},
      {"issuers", R"(["0b7e9f38-7a4b-4c3e-8f0a-6f0f6d1c2b3b"])", leaf(), "signed_by", ""},
      // An authority that is named like a permitted one.
      {"issuers", R"(["folder:Infra/Root"])", with_issuer(held("folder:Mine", "folder:Infra/Root", kOtherId)),
       "signed_by", ""},
      {"issuers", R"(["0b7e9f38-7a4b-4c3e-8f0a-6f0f6d1c2b3a"])", with_issuer(held("folder:Mine", kRootId, kOtherId)),
       "signed_by", ""},
      {"issuers", R"(["external"])", with_issuer(held("folder:Mine", "external", kOtherId)), "signed_by", ""},
      {"issuers", R"(["folder:Infra/a/b"])", with_issuer(held("folder:Infra", "a/b")), nullptr},
      {"issuers", R"(["self"])", authority(), nullptr},
      {"issuers", R"(["external", "folder:Infra/Root"])", authority(), "signed_by", ""},
      {"issuers", R"(["external"])", with_issuer({Kind::external, {}, {}, {}}), nullptr},
      {"issuers", R"(["self"])", with_issuer({Kind::external, {}, {}, {}}), "signed_by", ""},
      {"issuers", R"(["self"])", with_issuer(held("folder:F", "self")), "signed_by", ""},
      {"issuers", R"(["self"])", with(leaf(), [](Facts& facts) { facts.issuer.reset(); }), nullptr},
      {"allow-self-signed-leaf", "false", leaf(), nullptr},
      {"allow-self-signed-leaf", "false", with_issuer({Kind::itself, {}, {}, {}}), "signed_by", "must not be self-sig"},
      {"allow-self-signed-leaf", "true", with_issuer({Kind::itself, {}, {}, {}}), nullptr},
      {"allow-self-signed-leaf", "false", authority(), nullptr},
      {"allow-self-signed-ca", "false", authority(), "signed_by", "must not be self-signed"},
      {"allow-self-signed-ca", "true", authority(), nullptr},
      {"allow-self-signed-ca", "false", with_issuer({Kind::itself, {}, {}, {}}), nullptr},
      {"allow-exportable-keys", "false", leaf(), nullptr},
      {"allow-exportable-keys", "false", with(leaf(), [](Facts& facts) { facts.exportable = true; }),
       "is_block_privateKey", "must be true"},
      {"allow-exportable-keys", "true", with(leaf(), [](Facts& facts) { facts.exportable = true; }), nullptr},
      {"allow-leaf-key-generation", "false", leaf(), "algorithm", "leaf certificate"},
      {"allow-leaf-key-generation", "true", leaf(), nullptr},
      {"allow-leaf-key-generation", "false", authority(), nullptr},
      {"allow-ca-key-generation", "false", authority(), "algorithm", "certificate authority"},
      {"allow-ca-key-generation", "true", authority(), nullptr},
      {"allow-ca-key-generation", "false", leaf(), nullptr},
      {"allow-key-import", "false", leaf(), "key_file", "no private key is imported"},
      {"allow-key-import", "true", leaf(), nullptr},
  };
  return table;
}

// One of the acts that the rule is asked at.
Act act_of(const Rule& rule) {
  return *std::ranges::find_if(kActs, [&](Act act) { return rule.applies_to(act); });
}

const Rule& rule_named(std::string_view name) {
  return *std::ranges::find_if(rule_table(), [&](const Rule& rule) { return rule.name == name; });
}

}  // namespace

TEST_CASE("each rule refuses and allows at its border, and the refusal names field, profile, rule and reference") {
  for (const Row& row : rows()) {
    CAPTURE(row.rule);
    CAPTURE(row.value);
    Facts facts = row.facts;
    facts.act = act_of(rule_named(row.rule));
    const Refusals refusals = check(profile_with(row.rule, row.value), facts);
    if (row.path == nullptr) {
      CHECK_MESSAGE(refusals.details.empty(), refusals.details.front());
      continue;
    }
    REQUIRE(refusals.details.size() == 1);
    const std::string& detail = refusals.details.front();
    CAPTURE(detail);
    CHECK(detail.starts_with(std::string(row.path) + ": profile own, rule " + row.rule + " (Paper 1): "));
    CHECK(detail.find(row.says) != std::string::npos);
  }
}

TEST_CASE("every rule has a row that it allows and one that it refuses") {
  for (const Rule& rule : rule_table()) {
    CAPTURE(rule.name);
    const auto has = [&](bool refused) {
      return std::ranges::any_of(
          rows(), [&](const Row& row) { return row.rule == rule.name && (row.path != nullptr) == refused; });
    };
    CHECK(has(true));
    CHECK(has(false));
  }
}

TEST_CASE("a rule refuses at the acts of its row of the table, and at no other") {
  std::size_t refused = 0;
  for (const Rule& rule : rule_table()) {
    const auto row = std::ranges::find_if(
        rows(), [&](const Row& other) { return other.rule == rule.name && other.path != nullptr; });
    REQUIRE(row != rows().end());
    for (const Act act : kActs) {
      CAPTURE(rule.name);
      Facts facts = row->facts;
      facts.act = act;
      const bool refuses = !check(profile_with(rule.name, row->value), facts).details.empty();
      CHECK(refuses == rule.applies_to(act));
      if (refuses) ++refused;
    }
  }
  CHECK(refused > rule_table().size());
}

TEST_CASE("without a rule, or without facts, nothing is refused") {
  const Profile empty = parse_profile("name = \"own\"\ndescription = \"d\"\n[rules]\n");
  for (const Row& row : rows()) CHECK(check(empty, row.facts).details.empty());
  for (const Row& row : rows()) {
    const std::string_view name = row.rule;
    const bool of_presence = name.starts_with("allow-") || name.starts_with("required-") || name == "san-required";
    if (of_presence) continue;
    CAPTURE(row.rule);
    Facts unknown;
    unknown.act = act_of(rule_named(row.rule));
    CHECK(check(profile_with(row.rule, row.value), unknown).details.empty());
  }
}

TEST_CASE("what a file says is laid to the file") {
  Facts facts = with_key(rsa(1024));
  facts.signing_key.reset();
  facts.act = Act::complete;
  facts.file = "certificate_file";
  const auto details = check(profile_with("min-rsa-bits", "2048"), facts).details;
  REQUIRE(details.size() == 1);
  CHECK(details[0].starts_with("certificate_file: profile own, rule min-rsa-bits"));
}

TEST_CASE("docs/POLICY.md has a row for every rule, with the acts that it is asked at") {
  const std::string page = test_support::read_file(HSM_SIGNER_SOURCE_DIR "/docs/POLICY.md");
  for (const Rule& rule : rule_table()) {
    CAPTURE(rule.name);
    std::string acts;
    for (const Act act : kActs) acts += rule.applies_to(act) ? " yes |" : " - |";
    const std::size_t line = page.find("\n| `" + std::string(rule.name) + "` |");
    REQUIRE(line != std::string::npos);
    CHECK(page.substr(line, page.find('\n', line + 1) - line).ends_with(acts));
  }
}
