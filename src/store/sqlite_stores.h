// The faces of the store over the same connections. Private to the store.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/account_store.h"
#include "store/answer_store.h"
#include "store/certificate_store.h"
#include "store/connections.h"
#include "store/instance_lock.h"
#include "store/journal_store.h"
#include "store/key_pool_store.h"

namespace hsmsigner::store {

class SqliteCertificateStore final : public CertificateStore {
 public:
  // `connections` outlives this object; likewise below.
  explicit SqliteCertificateStore(Connections& connections) : connections_(connections) {}

  void insert(const CertificateRecord& record, Deadline deadline, const Alongside& with) override;
  void complete(const CertificateRecord& record, Deadline deadline, const Alongside& with) override;
  void mark_deleting(const Uuid& id, UnixTime now, Deadline deadline, const Alongside& with) override;
  void unmark_deleting(const Uuid& id, Deadline deadline, const Alongside& with) override;
  void erase(const Uuid& id, Deadline deadline, const Alongside& with) override;
  std::optional<CertificateRecord> find(const Uuid& id) override;
  std::optional<CertificateRecord> find_by_name(const Container& container, const std::string& name) override;
  bool name_taken(const Container& container, const std::string& name) override;
  std::vector<CertificateRecord> find_authorities(const std::string& subject, std::size_t limit) override;
  std::optional<CertificateRecord> find_by_fingerprint(const Container& container,
                                                       const std::string& fingerprint) override;
  std::vector<CertificateRecord> find_by_name_anywhere(const std::string& name, const ContainerScope& scope,
                                                       std::size_t limit) override;
  Page list(const ContainerScope& scope, const std::optional<Container>& container, std::size_t offset,
            std::size_t limit) override;

 private:
  Connections& connections_;
};

class SqliteAccountStore final : public AccountStore {
 public:
  explicit SqliteAccountStore(Connections& connections) : connections_(connections) {}

  void insert(const AccountRecord& account, Deadline deadline, const Alongside& with) override;
  AccountRecord update(const std::string& client_id, const std::function<void(AccountRecord&)>& change,
                       Deadline deadline, const Alongside& with) override;
  std::optional<AccountRecord> find(const std::string& client_id) override;
  std::optional<AccountRecord> find_by_certificate(const std::string& fingerprint, const std::string& subject) override;
  AccountPage list(std::size_t offset, std::size_t limit) override;
  std::vector<AccessTokenKeyRecord> access_token_keys() override;
  void add_access_token_key(const AccessTokenKeyRecord& key, Deadline deadline, const Alongside& with) override;
  void erase_access_token_key(const Uuid& id, Deadline deadline, const Alongside& with) override;

 private:
  Connections& connections_;
};

class SqliteJournalStore final : public JournalStore {
 public:
  explicit SqliteJournalStore(Connections& connections) : connections_(connections) {}

  std::uint64_t append(const audit::Event& event, Deadline deadline) override;
  JournalHead head() override;
  std::uint64_t first_sequence() override;
  std::vector<JournalLine> lines(std::uint64_t after, std::size_t limit) override;
  std::vector<JournalLine> find(const JournalFilter& filter, std::uint64_t after, std::size_t limit) override;
  std::optional<JournalLine> last_of(audit::EventKind kind) override;
  std::vector<CheckpointRecord> checkpoints(std::uint64_t after, std::size_t limit) override;
  std::optional<CheckpointRecord> last_checkpoint() override;
  void add_checkpoint(const CheckpointRecord& checkpoint, Deadline deadline) override;
  std::vector<AuditKeyRecord> audit_keys() override;
  void add_audit_key(const AuditKeyRecord& key, const audit::Event& event, Deadline deadline) override;
  void remove_archived(std::uint64_t sequence, const audit::Event& event, Deadline deadline) override;
  std::uint64_t copied(const std::string& sink) override;
  void set_copied(const std::string& sink, std::uint64_t sequence, Deadline deadline) override;

 private:
  Connections& connections_;
};

class SqliteKeyPoolStore final : public KeyPoolStore {
 public:
  explicit SqliteKeyPoolStore(Connections& connections) : connections_(connections) {}

  const std::string& owner() override;
  bool renew(UnixTime now, UnixTime until, Deadline deadline) override;
  void release(Deadline deadline) override;
  std::size_t end_leases_of_the_dead(Deadline deadline) override;
  void add(const std::vector<PoolKeyRecord>& keys, Hold hold, const audit::Event& event, Deadline deadline) override;
  std::vector<PoolKeyRecord> take(const std::string& token_serial, const KeyClass& key_class, std::size_t most,
                                  UnixTime now, Deadline deadline) override;
  std::vector<PoolKeyRecord> held(const std::string& token_serial) override;
  std::vector<PoolLevel> levels(const std::string& token_serial, UnixTime now) override;
  std::optional<PoolKeyRecord> find(const Uuid& id) override;
  std::vector<Uuid> ids() override;
  std::vector<std::string> tokens() override;
  bool withdraw(const Uuid& id, Deadline deadline) override;
  std::vector<Uuid> withdrawn(const std::string& token_serial, UnixTime now) override;
  void erase_withdrawn(const Uuid& id, const audit::Event& event, Deadline deadline) override;
  std::size_t forget_all(UnixTime now, const audit::Event& event, Deadline deadline) override;
  void plan(const std::string& token_serial, const std::vector<Uuid>& ids, Deadline deadline) override;
  std::vector<Uuid> take_plans(const std::string& token_serial, UnixTime now, Deadline deadline) override;
  void end_plans(const std::vector<Uuid>& ids, const audit::Event* event, Deadline deadline) override;

 private:
  const InstanceLock& instance();

  Connections& connections_;
  // Made when it is first asked for: most commands hold no keys.
  std::once_flag locked_;
  std::unique_ptr<InstanceLock> lock_;
};

class SqliteAnswerStore final : public AnswerStore {
 public:
  explicit SqliteAnswerStore(Connections& connections) : connections_(connections) {}

  std::optional<AnswerRecord> find(const std::string& client_id, const std::string& key_hash,
                                   UnixTime not_before) override;
  std::size_t erase_before(UnixTime time, std::size_t limit, Deadline deadline) override;

 private:
  Connections& connections_;
};

}  // namespace hsmsigner::store
