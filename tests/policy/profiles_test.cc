// The built-in profiles say what docs/POLICY.md and their papers say.
#include <doctest/doctest.h>

#include "policy/check.h"
#include "policy/policies.h"
#include "policy/profile_reader.h"
#include "policy/rule_table.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::policy;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

namespace {

// A leaf certificate that another authority has issued.
Facts leaf(UnixTime issued, seconds length) {
  Facts facts;
  facts.act = Act::complete;
  facts.file = "certificate_file";
  facts.key = KeyFacts{KeyFamily::ec, 256, {}};
  facts.digest = Digest::sha256;
  facts.validity = Validity{issued, issued + length};
  facts.common_name = "www.example.com";
  facts.names = {{NameKind::dns, "www.example.com", "certificate_file"}};
  return facts;
}

std::vector<std::string> rules_that_refuse(const char* profile, const Facts& facts) {
  const Policies policies;
  std::vector<std::string> rules;
  for (const std::string& detail : check(*policies.find(profile), facts).details) {
    const std::size_t begin = detail.find(", rule ") + 7;
    rules.push_back(detail.substr(begin, detail.find_first_of(" :", begin) - begin));
  }
  return rules;
}

using Names = std::vector<std::string>;

// Of a leaf whose key was made here, which cabf-tls refuses whatever else it is: the other reasons.
Names further_refusals(const Facts& leaf_facts) {
  Names rules = rules_that_refuse("cabf-tls", leaf_facts);
  CHECK(std::erase(rules, "allow-leaf-key-generation") == 1);
  return rules;
}

Facts generated(KeyFacts key, Digest digest) {
  Facts facts;
  facts.authority = true;
  facts.key = key;
  facts.digest = digest;
  facts.common_name = "Root";
  facts.issuer = IssuerFacts{IssuerFacts::Kind::itself, {}, {}, {}};
  return facts;
}

}  // namespace

TEST_CASE("cabf-tls: the steps of ballot SC-081v3, to the second, by the day of issuance") {
  struct Row {
    UnixTime issued;
    int days;  // longest
  };
  for (const Row& row : {
           Row{sys_days(year(2019) / 1 / 1), 398},
           Row{sys_days(year(2020) / 9 / 1), 398},
           Row{sys_days(year(2026) / 3 / 15) - seconds(1), 398},
           Row{sys_days(year(2026) / 3 / 15), 200},
           Row{sys_days(year(2027) / 3 / 15) - seconds(1), 200},
           Row{sys_days(year(2027) / 3 / 15), 100},
           Row{sys_days(year(2029) / 3 / 15) - seconds(1), 100},
           Row{sys_days(year(2029) / 3 / 15), 47},
           Row{sys_days(year(2040) / 1 / 1), 47},
       }) {
    const std::string issued = date_time(row.issued);
    CAPTURE(issued);
    CHECK(further_refusals(leaf(row.issued, days(row.days) - seconds(1))) == Names());
    CHECK((further_refusals(leaf(row.issued, days(row.days))) == Names{"max-leaf-days"}));
  }
}

TEST_CASE("cabf-tls: an older notBefore buys no time for a certificate that was asked for later") {
  Facts facts = leaf(sys_days(year(2026) / 3 / 14), days(398) - seconds(1));
  CHECK(further_refusals(facts) == Names());
  facts.requested_at = sys_days(year(2026) / 3 / 15);
  CHECK((further_refusals(facts) == Names{"max-leaf-days"}));
}

TEST_CASE(
    "cabf-tls: internal names and reserved addresses, of a leaf, and an authority has no names of a server at all") {
  const UnixTime now = sys_days(year(2026) / 11 / 25);
  Facts facts = leaf(now, days(90));
  for (const char* name : {"localhost", "server", "server.local", "a.internal", "x.test", "y.invalid", "z.example",
                           "s.onion", "router.home.arpa", "nas.lan", "mx.corp", "tv.home", "*.local", "LOCALHOST."}) {
    CAPTURE(name);
    facts.names = {{NameKind::dns, "www.example.com", "certificate_file"}, {NameKind::dns, name, "certificate_file"}};
    const Names refused = further_refusals(facts);
    CHECK_FALSE(refused.empty());
    for (const std::string& rule : refused) {
      const bool expected = rule == "excluded-dns" || rule == "min-dns-labels";
      CHECK_MESSAGE(expected, rule);
    }
  }
  for (const char* name : {"example.com", "local.example.com", "*.home.example.org", "test.de"}) {
    CAPTURE(name);
    facts.names = {{NameKind::dns, name, "certificate_file"}};
    CHECK(further_refusals(facts) == Names());
  }
  for (const char* address :
       {"192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "64:ff9b::808:808", "64:ff9b:1::1", "2001::1",
        "2001:1ff::1", "2002:808:808::1", "2620:4f:8000::1", "5f00::1", "fec0::1", "100:0:0:1::1"}) {
    CAPTURE(address);
    facts.names = {{NameKind::ip, address, "certificate_file"}};
    CHECK((further_refusals(facts) == Names{"excluded-ip"}));
  }
  facts.names = {{NameKind::ip, "2001:4860:4860::8888", "certificate_file"}};
  CHECK(further_refusals(facts) == Names());

  // A certificate of an authority is as good as a server's to who looks at the names alone, and lives for 25 years.
  Facts authority = generated({KeyFamily::ec, 256, {}}, Digest::sha256);
  for (const Act act : {Act::generate, Act::request, Act::complete}) {
    authority.act = act;
    authority.names = {{NameKind::dns, "www.example.com", "hostname"}};
    CHECK((rules_that_refuse("cabf-tls", authority) == Names{"allow-authority-names"}));
    authority.names = {{NameKind::ip, "10.0.0.1", "ip"}};
    CHECK((rules_that_refuse("cabf-tls", authority) == Names{"excluded-ip", "allow-authority-names"}));
    authority.names = {{NameKind::dns, "localhost", "hostname"}};
    CHECK(
        (rules_that_refuse("cabf-tls", authority) == Names{"excluded-dns", "min-dns-labels", "allow-authority-names"}));
  }
}

TEST_CASE("cabf-tls: what else it refuses of a leaf and of an authority") {
  const UnixTime now = sys_days(year(2026) / 11 / 25);
  Facts facts = leaf(now, days(90));
  CHECK(further_refusals(facts) == Names());
  facts.names = {{NameKind::mail, "a@example.com", "certificate_file"}};
  CHECK((further_refusals(facts) == Names{"permitted-mail", "san-required"}));
  facts.names = {{NameKind::ip, "10.1.2.3", "certificate_file"}};
  CHECK((further_refusals(facts) == Names{"excluded-ip"}));
  facts.names = {{NameKind::ip, "8.8.8.8", "certificate_file"}};
  CHECK(further_refusals(facts) == Names());
  facts.key = KeyFacts{KeyFamily::rsa, 2052, {3}};
  CHECK((further_refusals(facts) == Names{"rsa-bits-multiple-of"}));
  facts.digest = Digest::sha1;
  CHECK((further_refusals(facts) == Names{"rsa-bits-multiple-of", "digests"}));

  Facts authority = generated({KeyFamily::ec, 384, {}}, Digest::sha384);
  authority.validity = Validity{now, now + days(9132) - seconds(1)};
  CHECK(rules_that_refuse("cabf-tls", authority) == Names());
  authority.validity->not_after += seconds(1);
  authority.exportable = true;
  authority.digest = Digest::sha256;
  CHECK(
      (rules_that_refuse("cabf-tls", authority) == Names{"digest-fits-curve", "max-ca-days", "allow-exportable-keys"}));
  authority.authority = false;
  authority.names = {{NameKind::dns, "www.example.com", "hostname"}};
  const Names refused = rules_that_refuse("cabf-tls", authority);
  CHECK(std::find(refused.begin(), refused.end(), "allow-leaf-key-generation") != refused.end());
  CHECK(std::find(refused.begin(), refused.end(), "allow-self-signed-leaf") != refused.end());
}

TEST_CASE("cabf-tls: who asks for a leaf's key is told what to do instead") {
  Facts leaf = generated({KeyFamily::ec, 256, {}}, Digest::sha256);
  leaf.authority = false;
  for (const Act act : {Act::generate, Act::request}) {
    leaf.act = act;
    const Refusals refusals = check(*Policies().find("cabf-tls"), leaf);
    CHECK(refusals.help.find("only a subscriber's own request may be signed") != std::string::npos);
    CHECK(refusals.help.find("no route yet that signs such a request") != std::string::npos);
  }
  CHECK(check(*Policies().find("modern"), leaf).help.empty());
}

TEST_CASE("modern and fips: sizes and digests at their border, scm: everything") {
  for (const char* profile : {"modern", "fips"}) {
    CAPTURE(profile);
    for (const Digest digest : {Digest::sha256, Digest::sha384, Digest::sha512}) {
      CHECK(rules_that_refuse(profile, generated({KeyFamily::rsa, 2048, {}}, digest)) == Names());
      CHECK(rules_that_refuse(profile, generated({KeyFamily::ec, 521, {}}, digest)) == Names());
    }
    for (const Digest digest : {Digest::md5, Digest::sha1}) {
      CHECK((rules_that_refuse(profile, generated({KeyFamily::ec, 256, {}}, digest)) == Names{"digests"}));
    }
    CHECK((rules_that_refuse(profile, generated({KeyFamily::rsa, 2046, {}}, Digest::sha256)) == Names{"min-rsa-bits"}));
  }
  CHECK((rules_that_refuse("fips", generated({KeyFamily::rsa, 2049, {3}}, Digest::sha256)) ==
         Names{"rsa-bits-multiple-of", "min-rsa-exponent"}));
  Facts worst = generated({KeyFamily::rsa, 512, {3}}, Digest::md5);
  worst.authority = false;
  worst.exportable = true;
  for (const Act act : {Act::generate, Act::request, Act::import_key, Act::complete}) {
    worst.act = act;
    CHECK(rules_that_refuse("scm", worst) == Names());
  }
}

TEST_CASE("every rule of a built-in profile says where it comes from, and docs/POLICY.md repeats it") {
  const std::string page = test_support::read_file(HSM_SIGNER_SOURCE_DIR "/docs/POLICY.md");
  const Policies policies;
  for (const Profile& profile : policies.profiles()) {
    CAPTURE(profile.name);
    const std::size_t section = page.find("\n### `" + profile.name + "`");
    REQUIRE(section != std::string::npos);
    const std::string text = page.substr(section, page.find("\n##", section + 1) - section);
    for (const Rule& rule : rule_table()) {
      const std::string name(rule.name);
      const bool written = profile.text.find("\n" + name + " = ") != std::string::npos ||
                           profile.text.find("\n[rules." + name + "]") != std::string::npos;
      if (!written) continue;
      CAPTURE(name);
      REQUIRE(profile.references.contains(name));
      const std::size_t line = text.find("\n| `" + name + "` |");
      REQUIRE(line != std::string::npos);
      CHECK(text.substr(line, text.find('\n', line + 1) - line).find(profile.references.at(name)) != std::string::npos);
    }
  }
}

TEST_CASE("the profile that docs/POLICY.md shows is examples/policy-payments.toml, and is one") {
  const std::string page = test_support::read_file(HSM_SIGNER_SOURCE_DIR "/docs/POLICY.md");
  const std::string file = HSM_SIGNER_SOURCE_DIR "/examples/policy-payments.toml";
  CHECK(page.find("```toml\n" + test_support::read_file(file) + "```") != std::string::npos);
  CHECK(load_profile(file).name == "payments");
}
