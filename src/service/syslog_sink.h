// The live copy as syslog messages (syslog_message.h) to one receiver.
#pragma once

#include <string_view>

#include "base/file_descriptor.h"
#include "service/journal_sink.h"
#include "service/syslog_message.h"
#include "service/syslog_target.h"

namespace hsmsigner::service {

// Every event at least once, as far as syslog can tell, which has no answers: an event counts as handed over once the
// kernel took the datagram, or over TCP once the receiver's kernel has acknowledged the whole batch. How far it came is
// in the store, so a restart sends again what was not yet noted there.
class SyslogSink : public JournalSink {
 public:
  SyslogSink(SyslogTarget target, SyslogOrigin origin) : target_(std::move(target)), origin_(std::move(origin)) {}

  std::string name() const override { return "syslog"; }
  // Throws Error: session_timeout past the deadline; internal_error, "audit.syslog: …", for everything else.
  std::uint64_t open(store::JournalStore& journal, Deadline deadline) override;
  // Likewise. A message that no datagram can hold goes out without its MSG, and the log says so.
  void deliver(store::JournalStore& journal, const std::vector<store::JournalLine>& lines, Deadline deadline) override;

 private:
  bool is_stream() const noexcept { return target_.transport == SyslogTransport::tcp; }
  void connect(Deadline deadline);
  void send_datagram(const SyslogMessage& message, std::uint64_t sequence, Deadline deadline);
  bool try_datagram(std::string_view datagram, Deadline deadline);
  void send_stream(std::string_view octets, Deadline deadline);
  // Until the receiver's kernel has all of it.
  void wait_acknowledged(Deadline deadline);
  // Throws when the other side has closed or reset the connection, or refused a datagram.
  void require_alive();

  const SyslogTarget target_;
  const SyslogOrigin origin_;
  FileDescriptor socket_{-1};
};

}  // namespace hsmsigner::service
