#include "report/html.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/base64.h"
#include "crypto/digest.h"
#include "report/controls.h"
#include "report/sample.h"
#include "report/style.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::report;
using namespace test_support;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

Report report_of(Facts facts) {
  std::vector<Control> controls = judge(facts);
  return {std::move(facts), std::move(controls)};
}

// WCAG 2.2, relative luminance and contrast ratio.
double luminance(const std::string& colour) {
  double sum = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = std::stoi(colour.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    sum += weights[i] * (c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}
double contrast(const std::string& one, const std::string& other) {
  const double a = luminance(one), b = luminance(other);
  return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

std::string colour(const std::string& name) {
  std::smatch match;
  const std::string style(kStyle);
  REQUIRE_MESSAGE(std::regex_search(style, match, std::regex("--" + name + ": (#[0-9a-f]{6});")), name);
  return match[1];
}

}  // namespace

TEST_CASE("the same report gives the same octets") {
  const std::string html = html_of(sample_report());
  CHECK(html == html_of(sample_report()));
  Report other = sample_report();
  other.facts.inventory.pending += 1;
  CHECK(html != html_of(other));
}

TEST_CASE("every token has its place in the page, in the header and in its section") {
  Report report = sample_report();
  ProbedToken further{report.facts.token, std::nullopt};
  further.token.label = "<leaves>";
  further.token.serial = "serial-of-leaves";
  report.facts.further_tokens = {further};
  const std::string html = html_of(report);
  CHECK(occurrences(html, "serial-of-leaves") == 2);
  CHECK(occurrences(html, report.facts.token.serial) == 2);
  CHECK(holds(html, "my-ca and 1 more"));
  CHECK(holds(html, "<h3>Token <bdi>&lt;leaves&gt;</bdi></h3>"));
  CHECK(holds(html, "Not every token was probed"));
  CHECK_FALSE(holds(html_of(sample_report()), "<h3>Token"));
}

TEST_CASE("a certificate named like a script is text") {
  const std::string html = html_of(sample_report());
  CHECK_FALSE(holds(html, "<script"));
  CHECK(holds(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
  CHECK_FALSE(holds(html, "\xE2\x80\xAE"));
  CHECK(holds(html, "[U+202E]moc.elpmaxe"));
}

TEST_CASE("every text of the facts is escaped wherever it stands") {
  const std::string evil = "\"><svg onload=alert(1)>";
  Facts facts = sample_facts();
  facts.service_version = facts.token.label = facts.token.manufacturer = facts.token.model = facts.token.serial = evil;
  facts.token.firmware = facts.token.module_path = facts.token.module_description = facts.journal.head = evil;
  facts.probe->attempts = {{evil, evil, evil, evil, true}};
  facts.probe->reasons = {evil};
  facts.accounts = {{evil, true, false, true, {evil}, {"auditor", "issuer"}}};
  facts.journal.check->intact = false;
  facts.journal.check->finding = facts.journal.last_report->head = evil;
  facts.audit_key = AuditKeyFacts{evil, evil};
  facts.issuance.algorithms = {{evil, 1, 1}};
  FindingList list;
  list.add({evil, evil, evil, evil});
  Inventory& inventory = facts.inventory;
  for (FindingList* each :
       {&inventory.orphans, &inventory.missing, &inventory.duplicates, &inventory.mismatches, &inventory.weakened,
        &inventory.weak, &inventory.exportable, &inventory.imported, &inventory.expired, &inventory.expiring_30,
        &inventory.expiring_60, &inventory.expiring_90, &inventory.weak_digests, &facts.issuance.short_serials,
        &facts.issuance.repeated_serials, &facts.issuance.beyond_tls_limit, &facts.issuance.without_event}) {
    *each = list;
  }
  const std::string html = html_of(report_of(std::move(facts)));
  CHECK_FALSE(holds(html, "<svg onload"));
  CHECK_FALSE(holds(html, "\"><svg o"));
  CHECK(occurrences(html, "&quot;&gt;&lt;svg onload=alert(1)&gt;") > 80);
}

TEST_CASE("the page takes nothing from elsewhere and runs nothing") {
  const std::string html = html_of(sample_report());
  for (const char* forbidden : {"<script", "<link", "<img", "<iframe", "<object", "<embed", "@import", "http://",
                                "https://", " style=", " onload", "javascript:", "<form", "src="}) {
    CHECK_MESSAGE(!holds(html, forbidden), forbidden);
  }
  // The one URL in the page's own source is a name inside of it.
  CHECK(occurrences(html, "url(") == occurrences(html, "url(#chart-"));
}

TEST_CASE("the policy allows this style sheet and nothing else") {
  const std::string html = html_of(sample_report());
  const std::size_t begin = html.find("<style>") + 7;
  const std::string style = html.substr(begin, html.find("</style>") - begin);
  const ByteView octets(reinterpret_cast<const std::uint8_t*>(style.data()), style.size());
  CHECK(holds(html, "content=\"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" +
                        to_base64(crypto::hash(Digest::sha256, octets)) + "'\">"));
  // Before anything that it has to govern.
  CHECK(html.find("Content-Security-Policy") < html.find("<style>"));
}

TEST_CASE("the figures are in the page") {
  const std::string html = html_of(sample_report());
  for (const char* figure :
       {"1843", "1851", "2026-11-25T09:30:15.250Z", "my-ca", "1f0c6b1d5e7a9b3c", "CKR_KEY_UNEXTRACTABLE (0x6a)",
        "not a validated module", "payments-gateway", "RSA-1024", "Exportable keys (140)", "The first 25 of 140",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "auditor and issuer",
        "1646 keys were not challenged", "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13", "70.8 %",
        "hsm-signer report verify"}) {
    CHECK_MESSAGE(holds(html, figure), figure);
  }
  CHECK(holds(html, "backup-24<"));
  CHECK_FALSE(holds(html, "backup-25<"));
}

TEST_CASE("a verdict is told by its word and its shape") {
  const std::string html = html_of(sample_report());
  const std::regex badge(
      "<span class=\"badge (\\w+)\"><svg class=\"icon\"[^>]*aria-hidden=\"true\">(.*?)</svg>([^<]+)</span>");
  std::map<std::string, std::set<std::string>> shapes;
  std::size_t badges = 0;
  for (auto it = std::sregex_iterator(html.begin(), html.end(), badge); it != std::sregex_iterator(); ++it, ++badges) {
    shapes[(*it)[1].str() + " " + (*it)[3].str()].insert((*it)[2].str());
  }
  CHECK(badges == occurrences(html, "class=\"badge "));
  CHECK(badges >= control_table().size());
  std::set<std::string> all;
  for (const auto& shape : shapes) {
    CHECK_MESSAGE(shape.second.size() == 1, shape.first);
    all.insert(*shape.second.begin());
  }
  CHECK(all.size() == shapes.size());
  CHECK(shapes.contains("fail Fail"));
  CHECK(shapes.contains("attention Attention"));
  CHECK(shapes.contains("pass Pass"));
}

TEST_CASE("colours have a contrast of at least 4.5 to 1") {
  for (const char* verdict : {"pass", "attention", "fail", "none"}) {
    CHECK_MESSAGE(contrast(colour(verdict), colour(std::string(verdict) + "-back")) >= 4.5, verdict);
    CHECK_MESSAGE(contrast(colour(verdict), colour("ground")) >= 4.5, verdict);
  }
  for (const char* text : {"ink", "quiet", "accent"}) {
    CHECK_MESSAGE(contrast(colour(text), colour("ground")) >= 4.5, text);
    CHECK_MESSAGE(contrast(colour(text), colour("band")) >= 4.5, text);
  }
  // Graphical objects: 3 to 1 (1.4.11).
  CHECK(contrast(colour("fail"), colour("ground")) >= 3);
  CHECK(contrast("#777777", "#ffffff") < 4.5);  // the measure can fail
}

TEST_CASE("headings are in order, headers have a scope, pictures have a name") {
  const std::string html = html_of(sample_report());
  int before = 0;
  std::size_t headings = 0;
  const std::regex heading("<h([1-6])");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), heading); it != std::sregex_iterator(); ++it) {
    const int level = std::stoi((*it)[1]);
    CHECK(level <= before + 1);
    before = level;
    ++headings;
  }
  CHECK(headings > 10);
  CHECK(occurrences(html, "<h1") == 1);
  CHECK(occurrences(html, "<html lang=\"en\">") == 1);
  CHECK(occurrences(html, "<th") - occurrences(html, "<thead") == occurrences(html, "<th scope=\""));
  CHECK(occurrences(html, "<table") == occurrences(html, "<caption>"));
  CHECK(occurrences(html, "role=\"img\"") == 3);
  CHECK(occurrences(html, "<svg") ==
        occurrences(html, "aria-hidden=\"true\"") + occurrences(html, "aria-labelledby=\"chart-"));
  std::set<std::string> ids;
  const std::regex id(" id=\"([^\"]+)\"");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), id); it != std::sregex_iterator(); ++it) {
    CHECK_MESSAGE(ids.insert((*it)[1]).second, (*it)[1].str());
  }
  const std::regex label("aria-labelledby=\"([^\"]+)\"");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), label); it != std::sregex_iterator(); ++it) {
    std::istringstream names((*it)[1]);
    for (std::string name; names >> name;) CHECK_MESSAGE(ids.contains(name), name);
  }
}

TEST_CASE("xmllint reads the page, and an empty report's too") {
  if (!program_exists("xmllint")) {
    MESSAGE("test skipped: xmllint is not here");
    return;
  }
  const TemporaryDirectory directory;
  for (const std::string& html : {html_of(sample_report()), html_of(report_of(empty_facts()))}) {
    // As HTML. This parser is older than HTML5: it does not know these elements, and that is all it may say.
    const CommandResult parsed = run_command({"xmllint", "--html", "--noout", "-"}, html);
    std::istringstream lines(parsed.out);
    for (std::string line; std::getline(lines, line);) {
      if (!holds(line, "error")) continue;
      CHECK_MESSAGE(
          std::regex_search(line, std::regex("Tag (svg|title|desc|defs|pattern|rect|line|text|circle|path|header|main|"
                                             "section|figure|figcaption|footer|bdi) invalid")),
          line);
    }
    // Well-formed but for the elements that have no end tag: each start tag has its end tag, in order.
    std::string xml = std::regex_replace(html, std::regex("<(meta|col)( [^>]*)>"), "<$1$2/>");
    xml = std::regex_replace(xml, std::regex("<br>"), "<br/>");
    xml = std::regex_replace(xml, std::regex("<col>"), "<col/>");
    const CommandResult strict = run_command({"xmllint", "--noout", "-"}, xml);
    CHECK_MESSAGE(strict.exit_code == 0, strict.out);
  }
}
