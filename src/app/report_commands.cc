#include "app/report_commands.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <vector>

#include "app/interrupt_watch.h"
#include "app/local_user.h"
#include "app/new_file.h"
#include "app/open_tokens.h"
#include "app/private_file.h"
#include "app/wiring.h"
#include "base/algorithm.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"
#include "hsm/token.h"
#include "service/audit_key.h"
#include "service/compliance_reports.h"
#include "store/journal_reader.h"

namespace hsmsigner::app {
namespace {

// Tens of thousands of keys that all sign, on a token that takes its time.
constexpr std::chrono::hours kLongestReport{4};
constexpr std::size_t kMostReportOctets = 64 * 1024 * 1024;
constexpr std::size_t kMostSignatureOctets = 16 * 1024;
constexpr std::string_view kSignatureEnding = ".jws";

// A line for each step; of long ones, how far it is, in place on a terminal and every tenth elsewhere.
class Progress {
 public:
  explicit Progress(std::ostream& out) : out_(out), in_place_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() { end_line(); }

  void operator()(const std::string& step, std::size_t done, std::size_t all) {
    if (step != step_) {
      end_line();
      step_ = step;
      tenth_ = 0;
      out_ << step << " ..." << (in_place_ ? "" : "\n") << std::flush;
      open_line_ = in_place_;
    }
    if (all == 0) return;
    const std::size_t tenth = done * 10 / all;
    if (in_place_) {
      if (done % 50 != 0 && done != all) return;
      out_ << '\r' << step << " ... " << done << " of " << all << std::flush;
    } else if (tenth > tenth_) {
      out_ << step << ": " << done << " of " << all << std::endl;
    }
    tenth_ = tenth;
  }

 private:
  void end_line() {
    if (open_line_) out_ << std::endl;
    open_line_ = false;
  }

  std::ostream& out_;
  const bool in_place_;
  bool open_line_ = false;
  std::string step_;
  std::size_t tenth_ = 0;
};

std::string content_of(const std::string& path, const std::string& subject, std::size_t most) {
  return std::string(read_file(path, subject, {Readable::by_anyone, most, ""}).view());
}

PublicKey key_in(const std::string& path) {
  const std::string pem = content_of(path, "--key: the file", kMostSignatureOctets);
  try {
    return crypto::public_key_from_pem(pem);
  } catch (const Error& error) {
    throw Error(error.kind(), {"--key: " + (error.details().empty() ? "is no key" : error.details().front())})
        .with_cause(path);
  }
}

std::vector<KeyAlgorithm> all_algorithms(const service::TokenSet& tokens) {
  std::vector<KeyAlgorithm> algorithms;
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    const auto makes = [&](const service::ServiceToken& each) { return each.token.can_generate(row.algorithm); };
    if (std::ranges::any_of(tokens.all(), makes)) algorithms.push_back(row.algorithm);
  }
  return algorithms;
}

int bad(std::ostream& out, const std::string& why) {
  out << "bad: " << why << '\n';
  return kExitReportBad;
}

}  // namespace

int make_report(const Settings& settings, std::vector<Secret> pins, const ReportOptions& options, std::ostream& out,
                std::ostream& progress_out) {
  const InterruptWatch watch;
  // Both files first: what cannot be kept is not made, as the journal would tell of it.
  NewFile text(options.output, "--output");
  NewFile signature(options.output + std::string(kSignatureEnding), "--output, its signature");
  OpenTokens tokens(settings, std::move(pins));
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::AuditKey audit_key(tokens.set().for_service(), store->journal(), store->certificates(), system_now);
  const Deadline deadline = deadline_in(kLongestReport);
  audit_key.ensure(deadline);
  service::Compliance compliance(
      {tokens.set(), store->certificates(), store->accounts(), store->journal(), &store->key_pool()},
      [&] { return store::open_journal(settings.store.path); }, HSM_SIGNER_VERSION, system_now_millis,
      settings.audit.checkpoints);
  service::ComplianceReports reports(compliance, audit_key, store->journal());

  Progress progress(progress_out);
  service::ComplianceOptions asked;
  asked.challenge = options.challenge;
  if (options.probe) asked.probe = all_algorithms(tokens.set());
  asked.stop = watch.stop_token();
  asked.progress = [&](const std::string& step, std::size_t done, std::size_t all) {
    if (watch.requested()) throw Error(ErrorKind::session_timeout, {"interrupted"});
    progress(step, done, all);
  };
  const auth::Caller itself = auth::Caller::service();
  service::SignedReport made;
  try {
    made = reports.make(service::Actor(itself, local_user()), options.format, asked, deadline);
  } catch (const Error&) {
    if (!watch.requested()) throw;
    progress_out << "\ninterrupted; no report is made" << std::endl;
    return watch.exit_code();
  }
  text.write(made.text);
  text.finish();
  signature.write(made.signature + "\n");
  signature.finish();
  signature.publish();
  text.publish();
  out << "report " << options.output << ", its signature " << options.output << kSignatureEnding << "\nverdict "
      << to_string(made.verdict) << '\n';
  return 0;
}

int verify_report(const ReportVerifyOptions& options, std::ostream& out) {
  const std::string text = content_of(options.file, "the report", kMostReportOctets);
  const std::string signature_path =
      options.signature.empty() ? options.file + std::string(kSignatureEnding) : options.signature;
  std::string jws = content_of(signature_path, "the signature", kMostSignatureOctets);
  while (jws.ends_with('\n') || jws.ends_with('\r')) jws.pop_back();
  const PublicKey key = key_in(options.key);

  if (!crypto::verifies_jws(jws, key)) return bad(out, "the signature is not one by this key");
  const crypto::Jws read = crypto::read_jws(jws);
  if (read.type != report::kReportType) return bad(out, "what is signed is no report");
  const auto statement = report::parse_statement(read.payload);
  if (!statement) return bad(out, "what is signed is no statement on a report");
  if (crypto::sha256_hex(text) != statement->sha256) return bad(out, "the report is not the one that was signed");
  out << "good\nmade at      " << date_time(statement->made_at) << "\nformat       " << to_string(statement->format)
      << "\nsha256       " << statement->sha256 << "\njournal      up to event " << statement->journal_sequence
      << "\nits hash     " << statement->journal_head << "\nkey          " << read.key_id << ", SHA-256 "
      << crypto::public_key_fingerprint(key) << '\n';
  return kExitReportGood;
}

}  // namespace hsmsigner::app
