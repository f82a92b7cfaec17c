#include "service/issuance_history.h"

#include <algorithm>
#include <bit>

#include "audit/event_line.h"
#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/error.h"

namespace hsmsigner::service {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

constexpr std::size_t kLinesAtOnce = 1000;
constexpr unsigned kDays = 90;
constexpr unsigned kMonths = 24;
constexpr unsigned kLeastSerialBits = 64;

// CA/B Forum TLS BR 6.3.2: how long a subscriber's certificate may be valid that is issued on this day.
days tls_limit(UnixTime issued) {
  using namespace std::chrono_literals;
  if (issued >= sys_days(2029y / 3 / 15)) return days(47);
  if (issued >= sys_days(2027y / 3 / 15)) return days(100);
  if (issued >= sys_days(2026y / 3 / 15)) return days(200);
  return days(398);
}

unsigned bits_of_number(const std::string& hexadecimal) {
  const std::optional<Bytes> octets = from_hex(hexadecimal);
  if (!octets) return 0;
  const auto first = std::ranges::find_if(*octets, [](std::uint8_t octet) { return octet != 0; });
  if (first == octets->end()) return 0;
  return static_cast<unsigned>((octets->end() - first) * 8 - std::countl_zero(*first));
}

report::Finding finding(const store::CertificateRecord& record, std::string detail) {
  return {record.id.to_string(), record.name, record.container.to_string(), std::move(detail)};
}

// With a serial number of this service: not what came from elsewhere, nor what was signed elsewhere on request.
bool is_issued_here(const store::CertificateRecord& record) {
  return !record.pending() && record.request_pem.empty() && record.key && record.key->local;
}

}  // namespace

JournalCoverage read_coverage(store::JournalStore& journal, Deadline deadline) {
  JournalCoverage coverage;
  if (const std::uint64_t first = journal.first_sequence(); first > 0) {
    const auto lines = journal.lines(first - 1, 1);
    const auto event = lines.empty() ? std::nullopt : audit::parse_line(lines.front().line);
    if (event) coverage.since = event->time;
  }
  for (const audit::EventKind kind : {audit::EventKind::certificate_issued, audit::EventKind::signing_request_made,
                                      audit::EventKind::certificate_imported}) {
    store::JournalFilter filter;
    filter.kind = kind;
    for (std::uint64_t after = 0;;) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw Error(ErrorKind::session_timeout, {"the journal is longer than could be read in time"});
      }
      const auto lines = journal.find(filter, after, kLinesAtOnce);
      for (const store::JournalLine& line : lines) {
        const auto event = audit::parse_line(line.line);
        if (event && event->event.outcome == audit::Outcome::done) coverage.told_about.insert(event->event.object);
      }
      if (lines.size() < kLinesAtOnce) break;
      after = lines.back().sequence;
    }
  }
  return coverage;
}

IssuanceHistory::IssuanceHistory(JournalCoverage coverage, UnixTime now) : coverage_(std::move(coverage)), now_(now) {
  const sys_days today = std::chrono::floor<days>(now);
  for (unsigned i = kDays; i-- > 0;) issuance_.per_day.push_back({today - days(i), 0});
  std::chrono::year_month month =
      std::chrono::year_month_day(today).year() / std::chrono::year_month_day(today).month();
  for (unsigned i = 0; i < kMonths; ++i, month += std::chrono::months(1)) {
    issuance_.per_month.push_back({static_cast<int>(month.year()), static_cast<unsigned>(month.month()), 0});
  }
}

void IssuanceHistory::add(const store::CertificateRecord& record) {
  if (!seen_.insert(record.id).second) return;
  count_event(record);
  if (record.pending()) return;
  count_expiry(record);
  if (record.key) {
    const bool elliptic = record.key->type != "RSA";
    report::AlgorithmCount& row = algorithms_[{elliptic, record.key->bits}];
    row.algorithm = (elliptic ? "P-" : "RSA-") + std::to_string(record.key->bits);
    ++row.certificates;
    if (record.key->bits < (elliptic ? 224U : 2048U)) ++row.weak;
  }
  if (!is_issued_here(record)) return;
  const auto day = std::chrono::floor<days>(record.created_at);
  if (day >= issuance_.per_day.front().day && day <= issuance_.per_day.back().day) {
    ++issuance_.per_day[static_cast<std::size_t>((day - issuance_.per_day.front().day).count())].certificates;
  }
  count_serial(record);
  if (record.certificate_authority) return;
  ++issuance_.end_entities;
  // The second of notAfter itself is within the validity (RFC 5280 4.1.2.5).
  const seconds validity = record.not_after - record.not_before + seconds(1);
  if (const days limit = tls_limit(record.not_before); validity > limit) {
    issuance_.beyond_tls_limit.add(finding(record, "valid for " + std::to_string((validity.count() + 86399) / 86400) +
                                                       " days; the limit was " + std::to_string(limit.count())));
  }
}

void IssuanceHistory::count_serial(const store::CertificateRecord& record) {
  const unsigned bits = bits_of_number(record.serial_number);
  if (issuance_.issued_here == 0 || bits < issuance_.shortest_serial_bits) issuance_.shortest_serial_bits = bits;
  ++issuance_.issued_here;
  if (bits < kLeastSerialBits) {
    issuance_.short_serials.add(finding(record, "serial number " + record.serial_number));
  }
  if (!serials_.insert(record.issuer + '\n' + record.serial_number).second) {
    issuance_.repeated_serials.add(finding(record, "serial number " + record.serial_number));
  }
}

void IssuanceHistory::count_expiry(const store::CertificateRecord& record) {
  if (record.not_after < now_) {
    ++issuance_.expired;
    return;
  }
  const std::chrono::year_month_day date(std::chrono::floor<days>(record.not_after));
  const report::MonthCount& first = issuance_.per_month.front();
  const long months = (static_cast<int>(date.year()) - first.year) * 12L + static_cast<long>(unsigned(date.month())) -
                      static_cast<long>(first.month);
  if (months < static_cast<long>(kMonths)) {
    ++issuance_.per_month[static_cast<std::size_t>(months)].certificates;
  } else {
    ++issuance_.later;
  }
}

void IssuanceHistory::count_event(const store::CertificateRecord& record) {
  // A record's time is in whole seconds: what was made in the very second of the oldest event may be older than that.
  const bool told = coverage_.told_about.contains(record.id.to_string());
  if (told || (coverage_.since && record.created_at >= std::chrono::ceil<seconds>(*coverage_.since))) {
    ++issuance_.covered_by_journal;
    if (!told) issuance_.without_event.add(finding(record, "made at " + date_time(record.created_at)));
  } else {
    ++issuance_.made_before_journal;
  }
}

report::Issuance IssuanceHistory::finished() {
  for (auto& [key, row] : algorithms_) issuance_.algorithms.push_back(row);
  return std::move(issuance_);
}

}  // namespace hsmsigner::service
