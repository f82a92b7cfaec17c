#include "report/html.h"

#include <algorithm>

#include "base/algorithm.h"
#include "base/base64.h"
#include "crypto/digest.h"
#include "report/controls.h"
#include "report/html_parts.h"
#include "report/style.h"

namespace hsmsigner::report {
namespace {

constexpr Verdict kWorstFirst[] = {Verdict::fail, Verdict::attention, Verdict::pass, Verdict::not_applicable};

std::string title_of(const Facts& facts) {
  const std::size_t more = facts.further_tokens.size();
  return facts.token.label + (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

void add_head(Markup& page, const Facts& facts) {
  // The digest of the style sheet as the policy wants it (CSP Level 3, 2.3.1): nothing else may be applied.
  const ByteView style(reinterpret_cast<const std::uint8_t*>(kStyle.data()), kStyle.size());
  page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
  page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; ");
  page.raw("form-action 'none'; style-src 'sha256-").text(to_base64(crypto::hash(Digest::sha256, style)));
  page.raw("'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
  page.raw("<meta name=\"referrer\" content=\"no-referrer\">\n");
  page.raw("<title>Compliance report · ").text(title_of(facts)).raw(" · ").text(date_time(facts.made_at).substr(0, 10));
  page.raw("</title>\n<style>");
}

void add_summary(Markup& page, const Report& report) {
  const VerdictCounts counts = count(report.controls);
  const Verdict worst = overall(report.controls);
  page.raw("<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n<div class=\"overall ");
  page.text(to_string(worst)).raw("\">");
  add_icon(page, worst);
  page.raw("<p><strong>").text(words(worst)).raw("</strong><br>");
  switch (worst) {
    case Verdict::fail:
      page.number(counts.fail).raw(" of ").number(report.controls.size());
      page.raw(" controls failed; ").number(counts.attention).raw(" need attention.");
      break;
    case Verdict::attention:
      page.raw("No control failed; ").number(counts.attention).raw(" of ").number(report.controls.size());
      page.raw(" need attention.");
      break;
    default: page.number(counts.pass).raw(" of ").number(report.controls.size()).raw(" controls passed.");
  }
  page.raw("</p></div>\n<ul class=\"tiles\">\n");
  for (const Verdict verdict : kWorstFirst) {
    const std::size_t number = verdict == Verdict::pass        ? counts.pass
                               : verdict == Verdict::attention ? counts.attention
                               : verdict == Verdict::fail      ? counts.fail
                                                               : counts.not_applicable;
    page.raw("<li class=\"").text(to_string(verdict)).raw("\"><b>").number(number).raw("</b><span>");
    page.text(words(verdict)).raw("</span></li>\n");
  }
  page.raw("</ul>\n");
  if (counts.fail > 0) {
    page.raw("<h3>Controls that failed</h3>\n<ul class=\"failed\">\n");
    for (const Control& control : report.controls) {
      if (control.verdict != Verdict::fail) continue;
      page.raw("<li><a href=\"#").text(control.id).raw("\">").text(control.id).raw("</a> ").text(control.title);
      page.raw("</li>\n");
    }
    page.raw("</ul>\n");
  }
  page.raw("</section>\n");
}

void add_controls(Markup& page, const Report& report) {
  page.raw("<section aria-labelledby=\"controls\">\n<h2 id=\"controls\">Controls</h2>\n<table class=\"controls\">\n");
  page.raw("<caption>What a standard asks for, what was found, and the verdict</caption>\n");
  page.raw("<colgroup><col class=\"c-id\"><col class=\"c-what\"><col><col class=\"c-verdict\"></colgroup>\n");
  page.raw("<thead><tr><th scope=\"col\">Control</th><th scope=\"col\">What is asked for</th>");
  page.raw("<th scope=\"col\">Evidence</th><th scope=\"col\">Verdict</th></tr></thead>\n<tbody>\n");
  for (const Control& control : report.controls) {
    page.raw("<tr id=\"").text(control.id).raw("\"><th scope=\"row\" class=\"id\">").text(control.id);
    page.raw("</th><td><p class=\"title\">").text(control.title).raw("</p><p class=\"standard\">");
    page.text(control.reference).raw("</p></td><td>");
    for (const std::string& sentence : control.evidence) page.raw("<p>").text(sentence).raw("</p>");
    page.raw("</td><td>");
    add_badge(page, control.verdict);
    page.raw("</td></tr>\n");
  }
  page.raw("</tbody></table>\n</section>\n");
}

void add_limits(Markup& page, const Facts& facts) {
  page.raw("<section aria-labelledby=\"limits\">\n<h2 id=\"limits\">What this report does not tell</h2>\n<ul>\n");
  page.raw("<li>It says what the token was asked and what it answered, not what its hardware is.</li>\n");
  page.raw(
      "<li>A key that signs is in the token’s reach; that no copy of it exists elsewhere, no question to the "
      "token can prove.</li>\n");
  if (!facts.challenges) {
    page.raw("<li>No key was challenged to sign for this report.</li>\n");
  } else if (facts.challenges->challenged < facts.challenges->eligible) {
    page.raw("<li>").number(facts.challenges->eligible - facts.challenges->challenged);
    page.raw(" keys were not challenged to sign.</li>\n");
  }
  if (std::ranges::any_of(all_tokens(facts), [](const ProbedToken& each) { return !each.probe; })) {
    page.raw("<li>").text(facts.further_tokens.empty() ? "The token was not" : "Not every token was");
    page.raw(" probed for this report.</li>\n");
  }
  page.raw(
      "<li>An intact journal shows that nothing was changed after it was written, not that all of it is true.</li>\n");
  page.raw("</ul>\n</section>\n");
  page.raw("<section aria-labelledby=\"check\">\n<h2 id=\"check\">How to check this report</h2>\n");
  page.raw(
      "<p>A file beside it, with the ending .jws, holds a signature over the SHA-256 of these very octets, by a key "
      "in the token that cannot be exported.</p>\n");
  page.raw("<pre>hsm-signer report verify report.html --key audit-key.pem</pre>\n");
  if (facts.audit_key) {
    page.raw("<dl class=\"facts\">\n");
    add_fact(page, "Identifier of that key", facts.audit_key->id, true);
    add_fact(page, "SHA-256 of its public key", facts.audit_key->fingerprint, true);
    page.raw("</dl>\n");
  }
  page.raw("</section>\n");
}

}  // namespace

std::string html_of(const Report& report) {
  const Facts& facts = report.facts;
  Markup head;
  add_head(head, facts);
  Markup page;
  page.raw("</style>\n</head>\n<body>\n<header>\n<p class=\"kicker\">Compliance report</p>\n<h1><bdi>");
  page.text(title_of(facts)).raw("</bdi></h1>\n<dl class=\"facts\">\n");
  add_fact(page, "Made at", date_time(std::chrono::floor<std::chrono::seconds>(facts.made_at)));
  add_fact(page, "By", "hsm-signer " + facts.service_version);
  for (const auto& [token, probe] : all_tokens(facts)) {
    add_fact(page, "Token", token.manufacturer + ", " + token.model + ", " + token.serial);
  }
  add_fact(page, "Certificates", std::to_string(facts.inventory.certificates));
  page.raw("</dl>\n</header>\n<main>\n");
  add_summary(page, report);
  add_controls(page, report);
  add_token(page, facts);
  add_inventory(page, facts);
  add_charts(page, facts);
  add_accounts(page, facts);
  add_journal(page, facts);
  add_limits(page, facts);
  add_findings(page, facts);
  page.raw("</main>\n<footer><p>hsm-signer ").text(facts.service_version).raw(" · ").text(date_time(facts.made_at));
  page.raw(" · each control is explained in docs/COMPLIANCE.md</p></footer>\n</body>\n</html>\n");
  return head.str() + std::string(kStyle) + page.str();
}

}  // namespace hsmsigner::report
