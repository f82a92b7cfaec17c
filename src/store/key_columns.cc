#include "store/key_columns.h"

#include "store/columns.h"

namespace hsmsigner::store {

KeyColumns to_columns(const KeyRecord& key) {
  KeyColumns columns;
  columns.key_token_label = key.token_label;
  columns.key_token_serial = key.token_serial;
  columns.key_id = key.id;
  columns.key_type = key.type;
  columns.key_bits = key.bits;
  columns.key_sensitive = to_number(key.sensitive);
  columns.key_always_sensitive = to_number(key.always_sensitive);
  columns.key_extractable = to_number(key.extractable);
  columns.key_never_extractable = to_number(key.never_extractable);
  columns.key_local = to_number(key.local);
  return columns;
}

KeyRecord to_key(const KeyColumns& columns) {
  return KeyRecord{.token_label = columns.key_token_label,
                   .token_serial = columns.key_token_serial,
                   .id = columns.key_id,
                   .type = columns.key_type,
                   .bits = static_cast<unsigned>(columns.key_bits),
                   .sensitive = columns.key_sensitive != 0,
                   .always_sensitive = columns.key_always_sensitive != 0,
                   .extractable = columns.key_extractable != 0,
                   .never_extractable = columns.key_never_extractable != 0,
                   .local = columns.key_local != 0};
}

}  // namespace hsmsigner::store
