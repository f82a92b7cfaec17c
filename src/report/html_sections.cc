#include <algorithm>

#include "report/controls.h"
#include "report/html_parts.h"

namespace hsmsigner::report {
namespace {

// Of a list this many are in the page. The JSON has kMostFindings.
constexpr std::size_t kMostRows = 25;

void add_list(Markup& page, std::string_view title, std::string_view meaning, const FindingList& list) {
  if (list.total() == 0) return;
  page.raw("<h3>").text(title).raw(" (").number(list.total()).raw(")</h3>\n<p>").text(meaning).raw("</p>\n");
  const std::size_t rows = std::min(list.shown().size(), kMostRows);
  page.raw("<table class=\"findings\"><caption>");
  if (rows < list.total()) {
    page.raw("The first ").number(rows).raw(" of ").number(list.total());
  } else {
    page.raw("All ").number(list.total());
  }
  page.raw("</caption>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Container</th>");
  page.raw("<th scope=\"col\">Identifier</th><th scope=\"col\">Finding</th></tr></thead>\n<tbody>\n");
  for (std::size_t i = 0; i < rows; ++i) {
    const Finding& finding = list.shown()[i];
    page.raw("<tr><th scope=\"row\"><bdi>").text(finding.name.empty() ? "–" : finding.name).raw("</bdi></th><td><bdi>");
    page.text(finding.container.empty() ? "–" : finding.container).raw("</bdi></td><td class=\"mono\">");
    page.text(finding.id).raw("</td><td>").text(finding.detail).raw("</td></tr>\n");
  }
  page.raw("</tbody></table>\n");
}

void add_count(Markup& page, std::string_view what, std::uint64_t value) {
  page.raw("<tr><th scope=\"row\">").text(what).raw("</th>");
  add_number_cell(page, value);
  page.raw("</tr>\n");
}

}  // namespace

namespace {

void add_one_token(Markup& page, const TokenFacts& token, const std::optional<ProbeFacts>& probe) {
  if (token.is_softhsm) {
    page.raw("<p class=\"fail\"><strong>This token is SoftHSM, a program: not a validated module.</strong></p>\n");
  }
  page.raw("<dl class=\"facts\">\n");
  add_fact(page, "Label", token.label);
  add_fact(page, "Manufacturer", token.manufacturer);
  add_fact(page, "Model", token.model);
  add_fact(page, "Serial number", token.serial);
  add_fact(page, "Firmware", token.firmware);
  add_fact(page, "Module says", token.module_description);
  add_fact(page, "Module", token.module_path, true);
  page.raw("</dl>\n<h3>Attempts to take a key out</h3>\n");
  if (!probe) {
    page.raw("<p>None was made for this report.</p>\n");
    return;
  }
  page.raw("<p>On throwaway keys, made for this and destroyed afterwards, at ").text(date_time(probe->at));
  page.raw(". A token keeps its keys if it refuses each of these.</p>\n<table>");
  page.raw("<caption>What was asked, and what the token answered</caption>\n<thead><tr><th scope=\"col\">Key</th>");
  page.raw("<th scope=\"col\">Attempt</th><th scope=\"col\">Answer</th><th scope=\"col\">Outcome</th></tr></thead>\n");
  page.raw("<tbody>\n");
  for (const ProbeAttempt& attempt : probe->attempts) {
    page.raw("<tr><th scope=\"row\">").text(attempt.algorithm).raw("</th><td>").text(attempt.attempt);
    page.raw("</td><td class=\"mono\">").text(attempt.return_code.empty() ? "–" : attempt.return_code).raw("</td><td>");
    if (attempt.given_away) {
      page.raw("<strong class=\"fail\">").text(attempt.outcome).raw("</strong>");
    } else {
      page.text(attempt.outcome);
    }
    page.raw("</td></tr>\n");
  }
  page.raw("</tbody></table>\n");
}

}  // namespace

void add_token(Markup& page, const Facts& facts) {
  const bool several = !facts.further_tokens.empty();
  page.raw("<section aria-labelledby=\"token\">\n<h2 id=\"token\">");
  page.text(several ? "The tokens" : "The token").raw("</h2>\n");
  page.raw(
      "<p>What the token and its module say of themselves through PKCS#11. It is not proof of what the hardware "
      "is.</p>\n");
  for (const auto& [token, probe] : all_tokens(facts)) {
    if (several) page.raw("<h3>Token <bdi>").text(token.label).raw("</bdi></h3>\n");
    add_one_token(page, token, probe);
  }
  page.raw("</section>\n");
}

void add_inventory(Markup& page, const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  page.raw("<section aria-labelledby=\"inventory\">\n<h2 id=\"inventory\">Keys against certificates</h2>\n");
  page.raw(
      "<p>Every private key in the token was listed and its attributes read; every record was compared with "
      "what was found. The findings stand in the annex.</p>\n");
  page.raw("<table class=\"counts\"><caption>How many there are</caption>\n<thead><tr><th scope=\"col\">What</th>");
  page.raw("<th scope=\"col\" class=\"num\">Number</th></tr></thead>\n<tbody>\n");
  add_count(page, "Certificates", inventory.certificates);
  add_count(page, "of these, certificate authorities", inventory.authorities);
  add_count(page, "of these, without a key here", inventory.without_key);
  add_count(page, "Signing requests that wait for their certificate", inventory.pending);
  add_count(page, "Private keys in the token", inventory.token_private_keys);
  add_count(page, "of these, the service’s own", inventory.service_keys);
  add_count(page, "Keys of certificates that the token reports as not exportable", inventory.non_exportable);
  if (facts.challenges) {
    add_count(page, "Keys challenged to sign for this report", facts.challenges->challenged);
    add_count(page, "Keys not challenged", inventory.with_key - facts.challenges->challenged);
  }
  page.raw("</tbody></table>\n");
  page.raw("</section>\n");
}

void add_findings(Markup& page, const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  const Issuance& issuance = facts.issuance;
  page.raw("<section aria-labelledby=\"findings\">\n<h2 id=\"findings\">Annex: findings one by one</h2>\n");
  page.raw("<p>Of long lists the first ones; the report as JSON has more of them.</p>\n");
  add_list(page, "Missing keys", "The certificate is here; its key is not in the token.", inventory.missing);
  add_list(page, "Shared identifiers", "Several private keys in the token have the same CKA_ID.", inventory.duplicates);
  add_list(page, "Mismatches", "The token says otherwise than the record, or the key is not its certificate’s.",
           inventory.mismatches);
  add_list(page, "Weakened keys", "Meant to stay in the token, and reported as extractable or not sensitive.",
           inventory.weakened);
  add_list(page, "Orphans", "Private keys in the token that belong to nothing here.", inventory.orphans);
  add_list(page, "Weak keys", "Fewer than 112 bits of strength, in a certificate that has not expired.",
           inventory.weak);
  add_list(page, "Keys of unknown strength", "Neither RSA nor of a curve that is known here, and not expired.",
           inventory.unjudged);
  add_list(page, "Weak signatures", "Signed with MD5 or SHA-1, and not expired.", inventory.weak_digests);
  add_list(page, "Exportable keys", "Asked for as such: the token may wrap them.", inventory.exportable);
  add_list(page, "Imported keys", "Not made in the token: copies may exist elsewhere.", inventory.imported);
  add_list(page, "Expiring within 30 days", "To be renewed now.", inventory.expiring_30);
  add_list(page, "Expiring within 31 to 60 days", "To be renewed soon.", inventory.expiring_60);
  add_list(page, "Expiring within 61 to 90 days", "To be planned for.", inventory.expiring_90);
  add_list(page, "Expired", "Still here; their keys can still sign.", inventory.expired);
  add_list(page, "Short serial numbers", "Below 64 bits.", issuance.short_serials);
  add_list(page, "Repeated serial numbers", "Twice from one issuer.", issuance.repeated_serials);
  add_list(page, "Longer than TLS allows", "No fault for certificates that are not for public TLS.",
           issuance.beyond_tls_limit);
  add_list(page, "Certificates without an event",
           "Younger than the oldest event, and the journal does not tell of them.", issuance.without_event);
  page.raw("</section>\n");
}

void add_accounts(Markup& page, const Facts& facts) {
  page.raw("<section aria-labelledby=\"accounts\">\n<h2 id=\"accounts\">Accounts and their roles</h2>\n");
  if (facts.accounts.empty()) {
    page.raw("<p>There is no account.</p>\n</section>\n");
    return;
  }
  page.raw("<table><caption>Every account</caption>\n<thead><tr><th scope=\"col\">Account</th>");
  page.raw("<th scope=\"col\">State</th><th scope=\"col\">Grants</th><th scope=\"col\">Roles in one hand</th></tr>");
  page.raw("</thead>\n<tbody>\n");
  for (const AccountFacts& account : facts.accounts) {
    page.raw("<tr><th scope=\"row\"><bdi>").text(account.client_id).raw("</bdi></th><td>");
    page.text(!account.enabled ? "disabled" : account.expired ? "expired" : "active");
    if (account.active() && account.secret_initial) page.raw(", secret not yet rotated");
    page.raw("</td><td>");
    const char* separator = "";
    for (const std::string& grant : account.grants) {
      page.text(separator).text(grant);
      separator = ", ";
    }
    page.raw("</td><td>");
    const std::vector<Conflict> conflicts = conflicts_of(account);
    if (conflicts.empty()) page.raw("–");
    for (const Conflict& conflict : conflicts) {
      page.raw("<p>");
      add_badge(page, conflict.grave ? Verdict::fail : Verdict::attention);
      page.raw(" ").text(conflict.sentence).raw("</p>");
    }
    page.raw("</td></tr>\n");
  }
  page.raw("</tbody></table>\n</section>\n");
}

void add_journal(Markup& page, const Facts& facts) {
  const JournalFacts& journal = facts.journal;
  page.raw("<section aria-labelledby=\"journal\">\n<h2 id=\"journal\">The journal</h2>\n");
  page.raw(
      "<p>A copy of the line below, kept elsewhere, tells later whether the journal was changed or cut off.</p>\n");
  page.raw("<dl class=\"facts\">\n");
  add_fact(page, "Oldest event here", std::to_string(journal.first));
  add_fact(page, "Last event", std::to_string(journal.sequence));
  add_fact(page, "Checkpoints", std::to_string(journal.checkpoints));
  if (journal.check) {
    add_fact(page, "Verified", std::to_string(journal.check->from) + " to " + std::to_string(journal.check->to));
  } else {
    add_fact(page, "Verified", "no");
  }
  add_fact(page, "Hash of the last event (SHA-256)", journal.head, true);
  if (journal.last_report) {
    const LastReport& last = *journal.last_report;
    add_fact(page, "Report before this one", date_time(last.at) + ", up to event " + std::to_string(last.sequence),
             true);
    add_fact(page, "Hash that it stated", last.head, true);
  }
  page.raw("</dl>\n</section>\n");
}

}  // namespace hsmsigner::report
