#include "service/deletion.h"

#include "base/error.h"
#include "base/log.h"
#include "service/access_rules.h"
#include "service/certificate_event.h"

namespace hsmsigner::service {
namespace {

void destroy_key(hsm::Token& token, const Uuid& id, Deadline deadline) {
  try {
    token.destroy(id, deadline);
  } catch (const Error& error) {
    // Gone already: by an earlier deletion that was interrupted, or by other hands.
    if (error.kind() != ErrorKind::object_not_present) throw;
    log::warning("the key of a deleted certificate was not in the token", {{"id", id.to_string()}});
  }
}

// Seen in the token just now.
bool has_key(hsm::Token& token, const Uuid& id) {
  try {
    token.attributes(id, deadline_in(std::chrono::seconds(5)));
    return true;
  } catch (const Error& error) {
    log::warning("nobody knows whether the key of a deleted certificate is gone",
                 {{"id", id.to_string()}, {"cause", error.what()}});
    return false;
  }
}

}  // namespace

store::CertificateRecord Deletion::remove(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                                          Deadline deadline) {
  store::CertificateRecord record = catalogue_.get(actor.caller, id, container);
  require(actor.caller, auth::Operation::delete_certificate, record.container);

  if (protected_.contains(id)) {
    throw Error(ErrorKind::reference_not_zero, {"id: this server uses the certificate for its own TLS"})
        .with_help("Change the setting tls.certificate first.");
  }
  hsm::Token* const token = record.key ? &tokens_.holding(*record.key) : nullptr;
  // One at a time for each certificate; who comes second finds it gone, or tries again what failed.
  struct Entry {
    Deletion& owner;
    const Uuid& id;
    ~Entry() {
      const std::lock_guard lock(owner.mutex_);
      owner.under_way_.erase(id);
    }
  };
  {
    const std::lock_guard lock(mutex_);
    if (!under_way_.insert(id).second) {
      throw Error(ErrorKind::object_not_present, {"id: this certificate is being deleted by another request"});
    }
  }
  const Entry entry{*this, id};

  const audit::Event begun = certificate_event(audit::EventKind::deletion_begun, actor, record);
  store_.mark_deleting(id, catalogue_.now(), deadline, {.event = &begun});
  try {
    if (token != nullptr) destroy_key(*token, id, deadline);
  } catch (const Error& error) {
    // The token may still be at it, or have done it and said otherwise: what may have no key any more must not be used,
    // and it is not told that the key is there unless it was seen.
    if (error.kind() == ErrorKind::session_timeout || !has_key(*token, id)) throw;
    try {
      audit::Event abandoned = certificate_event(audit::EventKind::deletion_abandoned, actor, record);
      abandoned.outcome = audit::Outcome::failed;
      store_.unmark_deleting(id, deadline_in(std::chrono::seconds(10)), {.event = &abandoned});
    } catch (const Error& second) {
      // A certificate authority stays marked, and issues no more, until it is deleted or the mark is taken off.
      log::warning("a failed deletion left its mark", {{"id", id.to_string()}, {"cause", second.what()}});
    }
    throw;
  }
  const audit::Event deleted = certificate_event(audit::EventKind::certificate_deleted, actor, record);
  // The key is gone: no turning back.
  store_.erase(id, deadline_in(std::chrono::seconds(30)), {.event = &deleted});
  log::info("certificate deleted", {{"id", id.to_string()},
                                    {"name", record.name},
                                    {"container", record.container.to_string()},
                                    {"client_id", actor.caller.client_id()}});
  return record;
}

}  // namespace hsmsigner::service
