#include "store/pool_rows.h"

namespace hsmsigner::store {

PoolKeyRow to_row(const PoolKeyRecord& key, const std::string& owner) {
  PoolKeyRow row;
  row.id = key.id.to_string();
  row.key_class = key.key_class.to_string();
  row.public_key_pem = key.public_key_pem;
  row.key_token_label = key.key.token_label;
  row.key_token_serial = key.key.token_serial;
  row.key_id = key.key.id;
  row.key_type = key.key.type;
  row.key_bits = key.key.bits;
  row.key_sensitive = to_number(key.key.sensitive);
  row.key_always_sensitive = to_number(key.key.always_sensitive);
  row.key_extractable = to_number(key.key.extractable);
  row.key_never_extractable = to_number(key.key.never_extractable);
  row.key_local = to_number(key.key.local);
  row.created_at = to_number(key.created_at);
  row.owner = owner;
  return row;
}

PoolKeyRecord to_record(const PoolKeyRow& row) {
  return PoolKeyRecord{.id = to_uuid(row.id),
                       .key_class = intact(KeyClass::parse(row.key_class)),
                       .public_key_pem = row.public_key_pem,
                       .key = {.token_label = row.key_token_label,
                               .token_serial = row.key_token_serial,
                               .id = row.key_id,
                               .type = row.key_type,
                               .bits = static_cast<unsigned>(row.key_bits),
                               .sensitive = row.key_sensitive != 0,
                               .always_sensitive = row.key_always_sensitive != 0,
                               .extractable = row.key_extractable != 0,
                               .never_extractable = row.key_never_extractable != 0,
                               .local = row.key_local != 0},
                       .created_at = to_time(row.created_at)};
}

}  // namespace hsmsigner::store
