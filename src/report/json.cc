#include "report/json.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <set>

#include "report/controls.h"
#include "report/markup.h"

namespace hsmsigner::report {
namespace {

class Json {
 public:
  Json() : writer_(buffer_) { writer_.SetIndent(' ', 2); }

  void name(std::string_view name) { writer_.Key(name.data(), size_of(name)); }
  void value(std::string_view text) {
    const std::string shown = visible(text);
    writer_.String(shown.data(), size_of(shown));
  }
  void member(std::string_view key, std::string_view text) { name(key), value(text); }
  void member(std::string_view key, const char* text) { name(key), value(text); }
  void member(std::string_view key, const std::string& text) { name(key), value(text); }
  void member(std::string_view key, bool flag) { name(key), writer_.Bool(flag); }
  void member(std::string_view key, std::uint64_t number) { name(key), writer_.Uint64(number); }
  void null(std::string_view key) { name(key), writer_.Null(); }

  template <typename Members>
  void object(Members members) {
    writer_.StartObject();
    members();
    writer_.EndObject();
  }
  template <typename Members>
  void object(std::string_view key, Members members) {
    name(key);
    object(members);
  }
  template <typename Range, typename Element>
  void array(std::string_view key, const Range& range, Element element) {
    name(key);
    writer_.StartArray();
    for (const auto& each : range) element(each);
    writer_.EndArray();
  }

  std::string finished() const { return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n"; }

 private:
  static rapidjson::SizeType size_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_;
};

std::string month_name(const MonthCount& month) {
  return std::to_string(month.year) + (month.month < 10 ? "-0" : "-") + std::to_string(month.month);
}

void write_token(Json& json, const TokenFacts& token, const std::optional<ProbeFacts>& probe) {
  json.object("token", [&] {
    json.member("label", token.label);
    json.member("manufacturer", token.manufacturer);
    json.member("model", token.model);
    json.member("serial", token.serial);
    json.member("firmware", token.firmware);
    json.member("module", token.module_path);
    json.member("module_description", token.module_description);
    json.member("is_softhsm", token.is_softhsm);
  });
  if (!probe) return json.null("probe");
  json.object("probe", [&] {
    json.member("at", date_time(probe->at));
    json.member("outcome", to_string(probe->outcome));
    json.array("algorithms", probe->algorithms, [&](const std::string& algorithm) { json.value(algorithm); });
    json.array("reasons", probe->reasons, [&](const std::string& reason) { json.value(reason); });
    json.array("attempts", probe->attempts, [&](const ProbeAttempt& attempt) {
      json.object([&] {
        json.member("algorithm", attempt.algorithm);
        json.member("attempt", attempt.attempt);
        json.member("return_code", attempt.return_code);
        json.member("outcome", attempt.outcome);
        json.member("given_away", attempt.given_away);
      });
    });
  });
}

void write_list(Json& json, std::string_view name, const FindingList& list) {
  json.object(name, [&] {
    json.member("total", std::uint64_t{list.total()});
    json.array("shown", list.shown(), [&](const Finding& finding) {
      json.object([&] {
        json.member("id", finding.id);
        json.member("name", finding.name);
        json.member("container", finding.container);
        json.member("detail", finding.detail);
      });
    });
  });
}

void write_inventory(Json& json, const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  std::set<std::string> algorithms;
  for (const ProbedToken& each : all_tokens(facts)) {
    algorithms.insert(each.token.key_algorithms.begin(), each.token.key_algorithms.end());
  }
  json.object("inventory", [&] {
    json.member("certificates", std::uint64_t{inventory.certificates});
    json.member("pending", std::uint64_t{inventory.pending});
    json.member("authorities", std::uint64_t{inventory.authorities});
    json.member("with_key", std::uint64_t{inventory.with_key});
    json.member("without_key", std::uint64_t{inventory.without_key});
    json.member("token_private_keys", std::uint64_t{inventory.token_private_keys});
    json.member("service_keys", std::uint64_t{inventory.service_keys});
    json.member("non_exportable", std::uint64_t{inventory.non_exportable});
    json.array("key_algorithms", algorithms, [&](const std::string& algorithm) { json.value(algorithm); });
    write_list(json, "orphans", inventory.orphans);
    write_list(json, "missing", inventory.missing);
    write_list(json, "duplicates", inventory.duplicates);
    write_list(json, "mismatches", inventory.mismatches);
    write_list(json, "weakened", inventory.weakened);
    write_list(json, "weak", inventory.weak);
    write_list(json, "unjudged", inventory.unjudged);
    write_list(json, "exportable", inventory.exportable);
    write_list(json, "imported", inventory.imported);
    write_list(json, "expired", inventory.expired);
    write_list(json, "expiring_30", inventory.expiring_30);
    write_list(json, "expiring_60", inventory.expiring_60);
    write_list(json, "expiring_90", inventory.expiring_90);
    write_list(json, "weak_digests", inventory.weak_digests);
  });
}

void write_challenges(Json& json, const std::optional<Challenges>& challenges) {
  if (!challenges) return json.null("challenges");
  json.object("challenges", [&] {
    json.member("sampled", challenges->sampled);
    json.member("eligible", std::uint64_t{challenges->eligible});
    json.member("challenged", std::uint64_t{challenges->challenged});
    json.member("answered", std::uint64_t{challenges->answered});
    json.member("compared", std::uint64_t{challenges->compared});
    json.object("not_eligible", [&] {
      json.member("pending", std::uint64_t{challenges->pending});
      json.member("missing", std::uint64_t{challenges->missing});
      json.member("ambiguous", std::uint64_t{challenges->ambiguous});
      json.member("mismatching", std::uint64_t{challenges->mismatching});
      json.member("gone", std::uint64_t{challenges->gone});
    });
  });
}

void write_issuance(Json& json, const Issuance& issuance) {
  json.object("issuance", [&] {
    json.member("issued_here", std::uint64_t{issuance.issued_here});
    json.member("shortest_serial_bits", std::uint64_t{issuance.shortest_serial_bits});
    write_list(json, "short_serials", issuance.short_serials);
    write_list(json, "repeated_serials", issuance.repeated_serials);
    json.member("end_entities", std::uint64_t{issuance.end_entities});
    write_list(json, "beyond_tls_limit", issuance.beyond_tls_limit);
    json.member("covered_by_journal", std::uint64_t{issuance.covered_by_journal});
    write_list(json, "without_event", issuance.without_event);
    json.member("made_before_journal", std::uint64_t{issuance.made_before_journal});
    json.array("per_day", issuance.per_day, [&](const DayCount& day) {
      json.object([&] {
        json.member("day", date_time(UnixTime(day.day)).substr(0, 10));
        json.member("certificates", std::uint64_t{day.certificates});
      });
    });
    json.member("expired", std::uint64_t{issuance.expired});
    json.array("expiry_per_month", issuance.per_month, [&](const MonthCount& month) {
      json.object([&] {
        json.member("month", month_name(month));
        json.member("certificates", std::uint64_t{month.certificates});
      });
    });
    json.member("expiring_later", std::uint64_t{issuance.later});
    json.array("algorithms", issuance.algorithms, [&](const AlgorithmCount& row) {
      json.object([&] {
        json.member("algorithm", row.algorithm);
        json.member("certificates", std::uint64_t{row.certificates});
        json.member("weak", std::uint64_t{row.weak});
      });
    });
  });
}

void write_accounts(Json& json, const std::vector<AccountFacts>& accounts) {
  json.array("accounts", accounts, [&](const AccountFacts& account) {
    json.object([&] {
      json.member("client_id", account.client_id);
      json.member("enabled", account.enabled);
      json.member("expired", account.expired);
      json.member("secret_initial", account.secret_initial);
      json.array("grants", account.grants, [&](const std::string& grant) { json.value(grant); });
      json.array("conflicts", conflicts_of(account), [&](const Conflict& conflict) { json.value(conflict.sentence); });
    });
  });
}

void write_journal(Json& json, const JournalFacts& journal) {
  json.object("journal", [&] {
    json.member("first", journal.first);
    json.member("sequence", journal.sequence);
    json.member("head", journal.head);
    json.member("checkpoints", journal.checkpoints);
    if (!journal.last_checkpoint) {
      json.null("last_checkpoint");
    } else {
      json.object("last_checkpoint", [&] {
        json.member("number", journal.last_checkpoint->number);
        json.member("sequence", journal.last_checkpoint->sequence);
        json.member("at", date_time(journal.last_checkpoint->at));
      });
    }
    json.array("keys", journal.keys, [&](const CheckpointKey& key) {
      json.object([&] {
        json.member("id", key.id);
        json.member("sha256", key.fingerprint);
        json.member("checkpoints", key.checkpoints);
        json.member("covers", key.covers);
        json.member("answer", to_string(key.answer));
        json.member("signs_now", key.signs_now);
      });
    });
    if (!journal.check) {
      json.null("verified");
    } else {
      json.object("verified", [&] {
        json.member("intact", journal.check->intact);
        json.member("from", journal.check->from);
        json.member("to", journal.check->to);
        json.member("finding", journal.check->finding);
      });
    }
    if (!journal.last_report) return json.null("last_report");
    json.object("last_report", [&] {
      const LastReport& last = *journal.last_report;
      json.member("event", last.event);
      json.member("at", date_time(last.at));
      json.member("sequence", last.sequence);
      json.member("head", last.head);
      if (last.is_archived) {
        json.null("head_is_unchanged");
      } else {
        json.member("head_is_unchanged", last.head_is_unchanged);
      }
    });
  });
}

void write_controls(Json& json, const std::vector<Control>& controls) {
  json.array("controls", controls, [&](const Control& control) {
    json.object([&] {
      json.member("id", control.id);
      json.member("title", control.title);
      json.member("reference", control.reference);
      json.member("verdict", to_string(control.verdict));
      json.array("evidence", control.evidence, [&](const std::string& sentence) { json.value(sentence); });
      json.object("figures", [&] {
        for (const Figure& figure : control.figures) json.member(figure.name, figure.value);
      });
    });
  });
}

}  // namespace

std::string json_of(const Report& report) {
  const Facts& facts = report.facts;
  Json json;
  json.object([&] {
    json.member("report", "hsm-signer compliance");
    json.member("version", std::uint64_t{1});
    json.member("made_at", date_time(facts.made_at));
    json.member("service_version", facts.service_version);
    json.member("verdict", to_string(overall(report.controls)));
    write_controls(json, report.controls);
    write_token(json, facts.token, facts.probe);
    json.array("further_tokens", facts.further_tokens,
               [&](const ProbedToken& each) { json.object([&] { write_token(json, each.token, each.probe); }); });
    write_inventory(json, facts);
    write_challenges(json, facts.challenges);
    write_issuance(json, facts.issuance);
    write_accounts(json, facts.accounts);
    write_journal(json, facts.journal);
    if (!facts.audit_key) return json.null("audit_key");
    json.object("audit_key", [&] {
      json.member("id", facts.audit_key->id);
      json.member("sha256", facts.audit_key->fingerprint);
    });
  });
  return json.finished();
}

}  // namespace hsmsigner::report
