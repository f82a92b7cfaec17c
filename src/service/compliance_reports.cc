#include "service/compliance_reports.h"

#include "base/error.h"
#include "crypto/digest.h"
#include "report/controls.h"
#include "report/html.h"
#include "report/json.h"
#include "service/journal_facts.h"

namespace hsmsigner::service {
namespace {

audit::Event report_event(const Actor& actor, const report::Statement& statement, report::Verdict verdict) {
  audit::Event event{.kind = audit::EventKind::report_made, .origin = actor.origin, .object = {}, .container = {}};
  event.details = {{"format", std::string(to_string(statement.format))},
                   {"sha256", statement.sha256},
                   {"verdict", std::string(to_string(verdict))},
                   {kReportedSequence, std::to_string(statement.journal_sequence)},
                   {kReportedHead, statement.journal_head}};
  return event;
}

}  // namespace

// Over a journal that was changed none is made: that is for the report to tell.
std::string ComplianceReports::cover_journal(Deadline deadline) {
  const std::uint64_t head = journal_.head().sequence;
  try {
    // A journal that is far ahead takes several. What comes meanwhile is for the next one.
    while (const auto made = checkpoints_.make(deadline)) {
      if (made->sequence >= head) break;
    }
  } catch (const Error& error) {
    // object_not_unique: others make them.
    if (error.kind() == ErrorKind::internal_error) {
      return error.details().empty() ? "the journal could not be read" : error.details().front();
    }
    if (error.kind() != ErrorKind::object_not_unique) throw;
  }
  return "";
}

SignedReport ComplianceReports::make(const Actor& actor, report::Format format, const ComplianceOptions& options,
                                     Deadline deadline) {
  // It reads every key and every record: a crowd that asks for it must not keep others from their certificates.
  const std::unique_lock alone(one_at_a_time_, std::try_to_lock);
  if (!alone) throw Error(ErrorKind::too_many_requests, {"another report is being made"});
  const report::Report report =
      compliance_.make(options, {audit_key_.current(), [&] { return cover_journal(deadline); }}, deadline);
  SignedReport made;
  made.text = format == report::Format::html ? report::html_of(report) : report::json_of(report);
  made.verdict = report::overall(report.controls);
  report::Statement statement;
  statement.format = format;
  statement.sha256 = crypto::sha256_hex(made.text);
  statement.made_at = report.facts.made_at;
  statement.journal_sequence = report.facts.journal.sequence;
  statement.journal_head = report.facts.journal.head;
  made.signature = audit_key_.sign(report::kReportType, report::payload_of(statement), deadline);
  journal_.append(report_event(actor, statement, made.verdict), deadline);
  return made;
}

}  // namespace hsmsigner::service
