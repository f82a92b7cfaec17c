#include "store/pool_rows.h"

namespace hsmsigner::store {

PoolKeyRow to_row(const PoolKeyRecord& key, const std::string& owner) {
  PoolKeyRow row;
  row.id = key.id.to_string();
  row.key_class = key.key_class.to_string();
  row.public_key_pem = key.public_key_pem;
  static_cast<KeyColumns&>(row) = to_columns(key.key);
  row.created_at = to_number(key.created_at);
  row.owner = owner;
  return row;
}

PoolKeyRecord to_record(const PoolKeyRow& row) {
  return PoolKeyRecord{.id = to_uuid(row.id),
                       .key_class = intact(KeyClass::parse(row.key_class)),
                       .public_key_pem = row.public_key_pem,
                       .key = to_key(row),
                       .created_at = to_time(row.created_at)};
}

}  // namespace hsmsigner::store
