#include "app/audit_commands.h"

#include <algorithm>
#include <memory>
#include <ostream>

#include "app/new_file.h"
#include "app/wiring.h"
#include "audit/journal_file.h"
#include "base/error.h"
#include "crypto/public_key_info.h"
#include "store/journal_reader.h"

namespace hsmsigner::app {

void export_journal(const Settings& settings, const std::string& output, std::optional<std::uint64_t> after,
                    std::ostream& out) {
  const std::unique_ptr<audit::JournalSource> journal = store::open_journal(settings.store.path, {after, std::nullopt});
  if (output.empty()) {
    while (const auto item = journal->next()) {
      if (!(out << audit::journal_file_line(*item))) {
        throw Error(ErrorKind::invalid_object, {"standard output could not be written"});
      }
    }
    return;
  }
  NewFile file(output, "--output");
  while (const auto item = journal->next()) file.write(audit::journal_file_line(*item));
  file.finish();
  file.publish();
}

void show_last_checkpoint(const Settings& settings, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  const std::optional<store::CheckpointRecord> last = store->journal().last_checkpoint();
  if (!last) throw Error(ErrorKind::invalid_object, {"there is no checkpoint yet: the server makes them"});
  out << last->jws << '\n';
}

void show_audit_key(const Settings& settings, const std::string& kid, std::ostream& out, std::ostream& notes) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  const std::vector<store::AuditKeyRecord> keys = store->journal().audit_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const store::AuditKeyRecord& key) {
    return kid.empty() || key.id.to_string() == kid;
  });
  if (found == keys.end()) {
    throw Error(ErrorKind::invalid_object,
                {kid.empty() ? "there is no audit key yet: the server makes it at its first start"
                             : "--kid: there is no audit key of this id"});
  }
  const std::string fingerprint = crypto::public_key_fingerprint(crypto::public_key_from_pem(found->public_key_pem));
  notes << "key " << found->id.to_string() << ", SHA-256 " << fingerprint
        << "\nThis is the database's word; the token was not asked. Compare the SHA-256 with what was noted when the "
           "service was set up, or with the compliance report's.\n"
        << std::flush;
  out << found->public_key_pem;
}

}  // namespace hsmsigner::app
