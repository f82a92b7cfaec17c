#include "store/connections.h"

#include <algorithm>

#include "store/migrations.h"

namespace hsmsigner::store {
namespace {

constexpr const char* count_of_name_text =
    "SELECT count(*) FROM certificate WHERE container_kind = :kind AND container_name = :container AND name = :name";
constexpr const char* sections_of_scope =
    "WHERE scope_kind = :kind AND scope_name = :scope ORDER BY name, container_kind, container_name";
constexpr const char* from_name = "AND name >= :name ORDER BY name";
constexpr const char* last_event_clauses = "ORDER BY sequence DESC LIMIT 1";
// Wherever the id of a key in the token can stand.
constexpr const char* count_of_key_records_text =
    "SELECT (SELECT count(*) FROM certificate WHERE id = :a) + (SELECT count(*) FROM access_token_key WHERE id = :b) + "
    "(SELECT count(*) FROM audit_key WHERE id = :c) + (SELECT count(*) FROM pool_key WHERE id = :d)";

}  // namespace

// The indexes that serve these are in migrations.cc; tests/store/migrations_test.cc asks SQLite for its plans.
Reader::Reader(const std::string& path)
    : session(open_connection(path, Access::read_only)),
      certificate_by_id(*session, "WHERE id = :id", 1),
      certificate_by_name(*session, std::string(in_container) + "AND name = :name", 3),
      certificate_by_fingerprint(*session,
                                 "WHERE fingerprint_sha256 = :fingerprint AND fingerprint_sha256 <> '' AND "
                                 "container_kind = :kind AND container_name = :container ORDER BY name LIMIT 1",
                                 3),
      certificates_of_name(
          *session,
          std::string("WHERE name = :name ORDER BY certificate_authority DESC, container_kind, container_name") + paged,
          1, 2),
      authorities_of_subject(*session,
                             "WHERE subject = :subject AND certificate_authority = 1 AND certificate_pem <> '' "
                             "ORDER BY id LIMIT :limit",
                             1, 1),
      count_of_name(*session, count_of_name_text, 3),
      section_sizes(*session, std::string("SELECT certificates FROM certificate_section ") + sections_of_scope, 2),
      sections(*session, std::string(sections_of_scope) + paged, 2, 2),
      sections_of_container(*session, sections_of_scope, 2),
      certificates(*session,
                   std::string("WHERE (name, container_kind, container_name) >= (:name, :kind, :container) "
                               "ORDER BY name, container_kind, container_name, id") +
                       paged,
                   3, 2),
      container_from(*session, std::string(in_container) + from_name + paged, 3, 2),
      container_names(*session, std::string(in_container) + from_name + paged, 3, 2),
      count_between(
          *session,
          std::string("SELECT count(*) FROM certificate ") + in_container + "AND name >= :from AND name < :before", 4),
      account_by_id(*session, "WHERE client_id = :id", 1),
      account_by_fingerprint(*session, "WHERE certificate_fingerprint = :fingerprint AND certificate_fingerprint <> ''",
                             1),
      account_by_subject(*session,
                         "WHERE certificate_subject = :subject AND certificate_subject <> '' "
                         "ORDER BY created_at, client_id LIMIT 1",
                         1),
      all_accounts(*session, std::string("ORDER BY client_id") + paged, 0, 2),
      count_accounts(*session, "SELECT count(*) FROM account", 0),
      access_token_keys(*session, "ORDER BY retired_at IS NULL DESC, created_at DESC, id", 0),
      answer_by_key(*session, "WHERE client_id = :client AND key_hash = :key", 2),
      events(*session, "WHERE sequence > :after ORDER BY sequence LIMIT :limit", 0, 2),
      last_event(*session, last_event_clauses, 0),
      last_event_of_kind(*session, "WHERE kind = :kind ORDER BY sequence DESC LIMIT 1", 1),
      first_event(*session, "SELECT coalesce(min(sequence), 0) FROM event", 0),
      checkpoints(*session, "WHERE number > :after ORDER BY number LIMIT :limit", 0, 2),
      last_checkpoint(*session, "ORDER BY number DESC LIMIT 1", 0),
      audit_keys(*session, "ORDER BY created_at DESC, id", 0),
      copied(*session, "SELECT sequence FROM journal_copy WHERE sink = :sink", 1),
      pool_key_by_id(*session, "WHERE id = :id", 1),
      pool_keys_of(*session, "WHERE key_token_serial = :token AND withdrawn = 0 AND owner = :owner ORDER BY created_at",
                   2),
      withdrawn_pool_keys(*session,
                          "WHERE withdrawn = 1 AND key_token_serial = :token AND (owner = :owner OR owner NOT IN "
                          "(SELECT owner FROM pool_lease WHERE until >= :now))",
                          2, 1),
      pool_counts(*session, "WHERE key_token_serial = :token AND withdrawn = 0 GROUP BY class, owner ORDER BY class",
                  1),
      pool_leases(*session, "", 0),
      pool_ids(*session, "", 0),
      pool_tokens(*session, "GROUP BY key_token_serial ORDER BY key_token_serial", 0) {}

Writes::Writes(soci::session& session)
    : insert_certificate(session),
      update_certificate(session),
      certificate_by_id(session, "WHERE id = :id", 1),
      count_of_name(session, count_of_name_text, 3),
      count_of_certificate(
          session,
          "SELECT count(*) FROM certificate WHERE fingerprint_sha256 = :fingerprint AND "
          "fingerprint_sha256 <> '' AND container_kind = :kind AND container_name = :name AND id <> :id",
          4),
      deleting(session, "SELECT deleting FROM certificate WHERE id = :id", 1),
      unexpired_child(session,
                      "SELECT 1 FROM certificate WHERE issuer_id = :id AND id <> :self AND "
                      "certificate_pem <> '' AND not_after >= :now LIMIT 1",
                      2, 1),
      set_deleting(session, "UPDATE certificate SET deleting = 1 WHERE id = :id", 1, 0),
      clear_deleting(session, "UPDATE certificate SET deleting = 0 WHERE id = :id", 1, 0),
      leave_children(session, "UPDATE certificate SET issuer_id = NULL WHERE issuer_id = :id", 1, 0),
      erase_certificate(session, "DELETE FROM certificate WHERE id = :id", 1, 0),
      insert_account(session),
      update_account(session),
      account_by_id(session, "WHERE client_id = :id", 1),
      count_of_fingerprint(session,
                           "SELECT count(*) FROM account WHERE certificate_fingerprint = :fingerprint AND "
                           "certificate_fingerprint <> '' AND client_id <> :id",
                           2),
      insert_access_token_key(session),
      retire_access_token_keys(session, "UPDATE access_token_key SET retired_at = :time WHERE retired_at IS NULL", 0,
                               1),
      erase_access_token_key(session, "DELETE FROM access_token_key WHERE id = :id", 1, 0),
      insert_answer(session),
      count_of_answer(session, "SELECT count(*) FROM answer WHERE client_id = :client AND key_hash = :key", 2),
      erase_old_answer(session,
                       "DELETE FROM answer WHERE client_id = :client AND key_hash = :key AND created_at < :time", 2, 1),
      erase_answers(session,
                    "DELETE FROM answer WHERE (client_id, key_hash) IN (SELECT client_id, key_hash FROM answer "
                    "WHERE created_at < :time ORDER BY created_at LIMIT :limit)",
                    0, 2),
      insert_event(session),
      last_event(session, last_event_clauses, 0),
      erase_events(session, "DELETE FROM event WHERE sequence <= :sequence", 0, 1),
      insert_checkpoint(session),
      count_of_checkpoint(session, "SELECT count(*) FROM checkpoint WHERE number = :number", 0, 1),
      insert_audit_key(session),
      set_copied(session, "INSERT OR REPLACE INTO journal_copy (sink, sequence) VALUES (:sink, :sequence)", 1, 1),
      insert_pool_key(session),
      free_pool_keys(
          session,
          "WHERE key_token_serial = :token AND withdrawn = 0 AND class = :class AND owner <> :owner AND owner NOT IN "
          "(SELECT owner FROM pool_lease WHERE until >= :now) ORDER BY created_at, id LIMIT :limit",
          3, 2),
      own_pool_key(session, "UPDATE pool_key SET owner = :owner WHERE id = :id", 2, 0),
      use_pool_key(session, "DELETE FROM pool_key WHERE id = :id AND owner = :owner AND withdrawn = 0", 2, 0),
      withdraw_pool_key(session,
                        "UPDATE pool_key SET withdrawn = 1 WHERE id = :id AND owner = :owner AND withdrawn = 0", 2, 0),
      erase_withdrawn_pool_key(session, "DELETE FROM pool_key WHERE id = :id AND withdrawn = 1", 1, 0),
      set_pool_lease(session, "INSERT OR REPLACE INTO pool_lease (owner, until) VALUES (:owner, :until)", 1, 1),
      erase_pool_lease(session, "DELETE FROM pool_lease WHERE owner = :owner", 1, 0),
      erase_old_pool_leases(session, "DELETE FROM pool_lease WHERE until < :now", 0, 1),
      count_of_pool_lease(session, "SELECT count(*) FROM pool_lease WHERE owner = :owner", 1),
      count_of_key_records(session, count_of_key_records_text, 4),
      insert_planned_key(session),
      left_plans(session,
                 "WHERE token_serial = :token AND owner <> :owner AND owner NOT IN "
                 "(SELECT owner FROM pool_lease WHERE until >= :now)",
                 2, 1),
      own_planned_key(session, "UPDATE planned_key SET owner = :owner WHERE id = :id", 2, 0),
      end_planned_key(session, "DELETE FROM planned_key WHERE id = :id AND owner = :owner", 2, 0),
      count_of_pool_leases(session, "SELECT count(*) FROM pool_lease", 0),
      erase_pool_keys(session, "DELETE FROM pool_key", 0, 0),
      erase_planned_keys(session, "DELETE FROM planned_key", 0, 0) {}

Connections::Connections(const std::string& path, unsigned readers)
    : path_(path),
      session_(open_connection(path, Access::read_write)),
      schema_version_(*session_, "PRAGMA schema_version", 0),
      known_schema_(schema_version_({}).value_or(0)),
      writes_(*session_),
      readers_(std::max(readers, 1U), [path] { return std::make_unique<Reader>(path); }),
      writer_(*session_) {}

void Connections::require_known_schema() {
  const long long version = schema_version_({}).value_or(0);
  if (version == known_schema_) return;
  try {
    check_schema(*session_);
  } catch (const Error& error) {
    throw Error(ErrorKind::journal_unavailable, {"The database's schema was changed, so nothing is written to it."})
        .with_cause(error.what());
  }
  known_schema_ = version;
}

void write_answer(Writes& writes, const AnswerRecord& answer) {
  writes.erase_old_answer({answer.client_id, answer.key_hash}, {to_number(answer.replaces_before)});
  if (writes.count_of_answer({answer.client_id, answer.key_hash}) != 0) {
    throw Error(ErrorKind::object_not_unique, {"Idempotency-Key: another request with this key has been answered"})
        .with_help("Send the same request again to have its answer once more, or take a new key.");
  }
  writes.insert_answer(to_row(answer));
}

}  // namespace hsmsigner::store
