// The connections to one database with their prepared statements: one that writes, and those that read. Private to the
// store.
#pragma once

#include <soci/soci.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/account_rows.h"
#include "store/alongside.h"
#include "store/certificate_list_rows.h"
#include "store/certificate_rows.h"
#include "store/database.h"
#include "store/group_writer.h"
#include "store/journal_rows.h"
#include "store/pool_rows.h"
#include "store/reader_pool.h"
#include "store/statements.h"

namespace hsmsigner::store {

// Parameters are two texts: kind and name.
inline constexpr const char* in_container = "WHERE container_kind = :kind AND container_name = :container ";

struct Reader {
  explicit Reader(const std::string& path);

  // Runs `work` in one transaction, so that all it reads is of one moment.
  template <class Work>
  auto at_one_moment(const Work& work) {
    *session << "BEGIN";
    auto result = work();
    *session << "COMMIT";
    return result;
  }

  std::unique_ptr<soci::session> session;

  SelectRows<CertificateRow> certificate_by_id;
  SelectRows<CertificateRow> certificate_by_name;         // kind, container, name
  SelectRows<CertificateRow> certificate_by_fingerprint;  // fingerprint, kind, container
  SelectRows<CertificateRow> certificates_of_name;        // name; paged
  SelectRows<CertificateRow> authorities_of_subject;      // subject; limit
  SelectNumber count_of_name;                             // kind, container, name

  // For certificate_list.cc. A list's scope is kind and name of a container, or '' and '' for everything.
  SelectNumbers section_sizes;                              // scope
  SelectRows<SectionRow> sections;                          // scope; paged
  SelectRows<SectionOfContainerRow> sections_of_container;  // kind, container
  SelectRows<CertificateRow> certificates;                  // from: name, kind, container; paged
  SelectRows<CertificateRow> container_from;                // kind, container, from: name; paged
  SelectRows<CertificateNameRow> container_names;           // likewise
  SelectNumber count_between;                               // kind, container, from, before

  SelectRows<AccountRow> account_by_id;
  SelectRows<AccountRow> account_by_fingerprint;
  SelectRows<AccountRow> account_by_subject;
  SelectRows<AccountRow> all_accounts;  // paged
  SelectNumber count_accounts;
  SelectRows<AccessTokenKeyRow> access_token_keys;

  SelectRows<AnswerRow> answer_by_key;  // client id, key's hash

  SelectRows<EventRow> events;  // after, limit
  SelectRows<EventHeadRow> last_event;
  SelectRows<EventRow> last_event_of_kind;  // kind
  SelectNumber first_event;
  SelectRows<CheckpointRow> checkpoints;  // after, limit
  SelectRows<CheckpointRow> last_checkpoint;
  SelectRows<AuditKeyRow> audit_keys;
  SelectNumber copied;  // sink

  SelectRows<PoolKeyRow> pool_key_by_id;
  SelectRows<PoolKeyRow> pool_keys_of;         // token, owner
  SelectRows<PoolKeyRow> withdrawn_pool_keys;  // token, owner; now
  SelectRows<PoolCountRow> pool_counts;        // token
  SelectRows<PoolLeaseRow> pool_leases;
  SelectRows<PoolIdRow> pool_ids;
  SelectRows<PoolTokenRow> pool_tokens;
};

// The statements of the writer's connection; on the writer's thread only.
struct Writes {
  explicit Writes(soci::session& session);

  InsertRow<CertificateRow> insert_certificate;
  UpdateRow<CertificateRow> update_certificate;
  SelectRows<CertificateRow> certificate_by_id;
  SelectNumber count_of_name;         // kind, container, name
  SelectNumber count_of_certificate;  // fingerprint, kind, container, id: others with this certificate
  SelectNumber deleting;              // id
  SelectNumber unexpired_child;       // id, id; now: 1 when there is any
  Command set_deleting;               // id
  Command clear_deleting;             // id
  Command leave_children;             // id
  Command erase_certificate;          // id

  InsertRow<AccountRow> insert_account;
  UpdateRow<AccountRow> update_account;
  SelectRows<AccountRow> account_by_id;
  SelectNumber count_of_fingerprint;  // fingerprint, client id: the others'
  InsertRow<AccessTokenKeyRow> insert_access_token_key;
  Command retire_access_token_keys;  // time
  Command erase_access_token_key;    // id

  InsertRow<AnswerRow> insert_answer;
  SelectNumber count_of_answer;  // client id, key's hash
  Command erase_old_answer;      // client id, key's hash; time
  Command erase_answers;         // time, limit

  InsertRow<EventRow> insert_event;
  SelectRows<EventHeadRow> last_event;
  Command erase_events;  // up to
  InsertRow<CheckpointRow> insert_checkpoint;
  SelectNumber count_of_checkpoint;  // number
  InsertRow<AuditKeyRow> insert_audit_key;
  Command set_copied;  // sink, sequence

  InsertRow<PoolKeyRow> insert_pool_key;
  SelectRows<PoolKeyRow> free_pool_keys;  // token, class, owner: others'; now, limit
  Command own_pool_key;                   // owner, id
  Command use_pool_key;                   // id, owner
  Command withdraw_pool_key;              // id, owner
  Command erase_withdrawn_pool_key;       // id
  Command set_pool_lease;                 // owner; until
  Command erase_pool_lease;               // owner
  Command erase_old_pool_leases;          // now
  SelectNumber count_of_pool_lease;       // owner
  SelectNumber count_of_key_records;      // id, four times
  InsertRow<PlannedKeyRow> insert_planned_key;
  SelectRows<PlannedKeyRow> left_plans;  // token, owner; now: others'
  Command own_planned_key;               // owner, id
  Command end_planned_key;               // id, owner
  SelectNumber count_of_pool_leases;
  Command erase_pool_keys;
  Command erase_planned_keys;
};

class Connections {
 public:
  // The file has been made, checked and brought forward.
  Connections(const std::string& path, unsigned readers);

  const std::string& path() const noexcept { return path_; }

  // `work` is given a Reader. Throws Error{internal_error} when the database fails.
  template <class Work>
  auto read(const Work& work) {
    try {
      return readers_.use(reader_patience, work);
    } catch (const soci::soci_error& fault) {
      throw database_error(fault, "reading");
    }
  }

  // `work` is given the Writes, on the writer's thread. See GroupWriter::run().
  template <class Work>
  void write(const Work& work, Deadline deadline) {
    writer_.run(
        [&] {
          require_known_schema();
          work(writes_);
        },
        deadline);
  }

  // The writer, for who counts.
  const GroupWriter& writer() const noexcept { return writer_; }

 private:
  // How long a reader is waited for; readers do not wait for the writer (WAL), so this is far more than is needed.
  static constexpr std::chrono::milliseconds reader_patience{5000};

  // On the writer's thread, in each transaction: whether the schema is what it was when the file was opened, or what a
  // migration by another process makes of it. Throws Error{journal_unavailable}.
  void require_known_schema();

  const std::string path_;
  std::unique_ptr<soci::session> session_;  // the writer's
  SelectNumber schema_version_;
  long long known_schema_ = 0;  // the writer's thread alone
  Writes writes_;
  ReaderPool<Reader> readers_;
  GroupWriter writer_;  // last: its thread ends before the statements do
};

// On the writer's thread, within an operation. Throws Error{object_not_unique} when its key has an answer.
void write_answer(Writes& writes, const AnswerRecord& answer);
// Likewise: chains the event to the last one and returns its sequence.
std::uint64_t append_event(Writes& writes, const audit::Event& event);
// Likewise: removes the key from the pool. Throws Error{object_not_present} as in alongside.h.
void use_up(Writes& writes, const PoolClaim& key);
// Likewise: all of them, as far as there are any; an answer without a client id is none.
void write_alongside(Writes& writes, const Alongside& with);

// The record of each row.
template <class Row>
auto records_of(const std::vector<Row>& rows) {
  std::vector<decltype(to_record(rows.front()))> records;
  records.reserve(rows.size());
  for (const Row& row : rows) records.push_back(to_record(row));
  return records;
}

// The record of the first row.
template <class Row>
auto first_of(const std::vector<Row>& rows) {
  return rows.empty() ? std::nullopt : std::optional(to_record(rows.front()));
}

}  // namespace hsmsigner::store
