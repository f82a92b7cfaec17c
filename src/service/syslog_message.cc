#include "service/syslog_message.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "audit/event_line.h"
#include "base/clock.h"
#include "base/utf8.h"

namespace hsmsigner::service {
namespace {

constexpr int kLogAudit = 13;  // RFC 5424 6.2.1, table 1
constexpr int kCritical = 2;   // table 2
constexpr std::size_t kLongestHostName = 255;
constexpr const char* kByteOrderMark = "\xEF\xBB\xBF";

int severity_of(audit::Outcome outcome) {
  switch (outcome) {
    case audit::Outcome::done: return 6;
    case audit::Outcome::refused: return 4;
    case audit::Outcome::failed: return 3;
  }
  return 3;
}

bool is_visible(char c) { return c >= '!' && c <= '~'; }

}  // namespace

SyslogOrigin syslog_origin() {
  char name[HOST_NAME_MAX + 1] = "";
  std::string host;
  if (::gethostname(name, sizeof name - 1) == 0) host = name;
  if (host.empty() || host.size() > kLongestHostName || !std::all_of(host.begin(), host.end(), is_visible)) host = "-";
  return {host, std::to_string(::getpid())};
}

SyslogMessage syslog_message(const store::JournalLine& line, const SyslogOrigin& origin) {
  const std::optional<audit::ChainedEvent> chained = audit::parse_line(line.line);
  const bool intact = chained && chained->sequence == line.sequence;
  const int severity = intact ? severity_of(chained->event.outcome) : kCritical;
  SyslogMessage message;
  message.header = "<" + std::to_string(kLogAudit * 8 + severity) + ">1 " + (intact ? date_time(chained->time) : "-") +
                   " " + origin.host_name + " hsm-signer " + origin.process_id + " " +
                   (intact ? std::string(audit::info(chained->event.kind).name) : "-") + " [journal@32473 sequence=\"" +
                   std::to_string(line.sequence) + "\" hash=\"" + audit::hash_of(line.line) + "\"]";
  if (!is_ascii(line.line)) message.body = kByteOrderMark;
  message.body += line.line;
  return message;
}

}  // namespace hsmsigner::service
