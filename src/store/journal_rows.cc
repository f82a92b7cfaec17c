#include "store/journal_rows.h"

namespace hsmsigner::store {

JournalLine to_record(const EventRow& row) { return {static_cast<std::uint64_t>(row.sequence), row.line}; }

JournalHead to_record(const EventHeadRow& row) { return {static_cast<std::uint64_t>(row.sequence), row.hash}; }

CheckpointRow to_row(const CheckpointRecord& checkpoint) {
  CheckpointRow row;
  row.number = static_cast<long long>(checkpoint.number);
  row.sequence = static_cast<long long>(checkpoint.sequence);
  row.time = to_milliseconds(checkpoint.time);
  row.jws = checkpoint.jws;
  return row;
}

CheckpointRecord to_record(const CheckpointRow& row) {
  return {static_cast<std::uint64_t>(row.number), static_cast<std::uint64_t>(row.sequence),
          UnixMillis(std::chrono::milliseconds(row.time)), row.jws};
}

AuditKeyRow to_row(const AuditKeyRecord& key) {
  AuditKeyRow row;
  row.id = key.id.to_string();
  row.public_key_pem = key.public_key_pem;
  row.created_at = to_number(key.created_at);
  return row;
}

AuditKeyRecord to_record(const AuditKeyRow& row) {
  return {to_uuid(row.id), row.public_key_pem, to_time(row.created_at)};
}

}  // namespace hsmsigner::store
