// The journal, its checkpoints and its keys as rows. Private to the store.
#pragma once

#include <string>

#include "store/columns.h"
#include "store/journal_store.h"

namespace hsmsigner::store {

// `line` says it all; the columns before it repeat of it what is looked for.
struct EventRow {
  long long sequence = 0, time = 0;
  std::string kind, account, object, line, hash;

  static constexpr const char* table = "event";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("sequence", row.sequence);
    visit("time", row.time);
    visit("kind", row.kind);
    visit("account", row.account);
    visit("object", row.object);
    visit("line", row.line);
    visit("hash", row.hash);
  }
};

// Of an event what the next one is chained to.
struct EventHeadRow {
  long long sequence = 0;
  std::string hash;

  static constexpr const char* table = EventRow::table;
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("sequence", row.sequence);
    visit("hash", row.hash);
  }
};

struct CheckpointRow {
  long long number = 0, sequence = 0, time = 0;
  std::string jws;

  static constexpr const char* table = "checkpoint";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("number", row.number);
    visit("sequence", row.sequence);
    visit("time", row.time);
    visit("jws", row.jws);
  }
};

struct AuditKeyRow {
  std::string id, public_key_pem;
  long long created_at = 0;

  static constexpr const char* table = "audit_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
    visit("public_key_pem", row.public_key_pem);
    visit("created_at", row.created_at);
  }
};

JournalLine to_record(const EventRow& row);
JournalHead to_record(const EventHeadRow& row);
CheckpointRow to_row(const CheckpointRecord& checkpoint);
CheckpointRecord to_record(const CheckpointRow& row);
AuditKeyRow to_row(const AuditKeyRecord& key);
AuditKeyRecord to_record(const AuditKeyRow& row);

}  // namespace hsmsigner::store
