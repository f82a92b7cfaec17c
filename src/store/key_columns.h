// A key as columns: the part that rows of certificates and of the pool have in common. Private to the store.
#pragma once

#include <string>

#include "store/certificate_record.h"

namespace hsmsigner::store {

struct KeyColumns {
  std::string key_token_label, key_token_serial, key_id, key_type;
  long long key_bits = 0, key_sensitive = 0, key_always_sensitive = 0, key_extractable = 0, key_never_extractable = 0,
            key_local = 0;

  template <class Columns, class Visit>
  static void for_each_key_column(Columns& columns, const Visit& visit) {
    visit("key_token_label", columns.key_token_label);
    visit("key_token_serial", columns.key_token_serial);
    visit("key_id", columns.key_id);
    visit("key_type", columns.key_type);
    visit("key_bits", columns.key_bits);
    visit("key_sensitive", columns.key_sensitive);
    visit("key_always_sensitive", columns.key_always_sensitive);
    visit("key_extractable", columns.key_extractable);
    visit("key_never_extractable", columns.key_never_extractable);
    visit("key_local", columns.key_local);
  }
};

KeyColumns to_columns(const KeyRecord& key);
KeyRecord to_key(const KeyColumns& columns);

}  // namespace hsmsigner::store
