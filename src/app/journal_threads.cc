#include "app/journal_threads.h"

#include "service/copy_file_sink.h"
#include "service/syslog_sink.h"

namespace hsmsigner::app {

JournalThreads::JournalThreads(store::JournalStore& journal, service::AuditKey& key, service::FailureJournal& failures,
                               const AuditSettings& settings)
    : checkpoints_(journal, key),
      checkpointer_(checkpoints_, journal, settings.checkpoints,
                    [&failures] { failures.tell_counted(deadline_in(kOneTry)); }, {.one_try = kOneTry}) {
  const auto copy_to = [&](std::unique_ptr<service::JournalSink> sink) {
    copies_.push_back(
        std::make_unique<service::JournalCopy>(journal, std::move(sink), service::CopyPace{.one_try = kOneTry}));
  };
  if (!settings.copy_file.empty()) copy_to(std::make_unique<service::CopyFileSink>(settings.copy_file));
  if (const auto target = service::parse_syslog_target(settings.syslog)) {
    copy_to(std::make_unique<service::SyslogSink>(*target, service::syslog_origin()));
  }
}

void JournalThreads::finish(Deadline deadline) {
  // The token first: a receiver that is away must not cost the checkpoint.
  checkpointer_.finish(deadline);
  for (const auto& copy : copies_) copy->finish(deadline);
}

}  // namespace hsmsigner::app
