// Keys of the pool as rows. Private to the store.
#pragma once

#include <string>
#include <vector>

#include "store/columns.h"
#include "store/pool_key_record.h"

namespace hsmsigner::store {

struct PoolKeyRow {
  std::string id, key_class, public_key_pem;
  std::string key_token_label, key_token_serial, key_id, key_type;
  long long key_bits = 0, key_sensitive = 0, key_always_sensitive = 0, key_extractable = 0, key_never_extractable = 0,
            key_local = 0, created_at = 0;
  std::string owner;
  long long withdrawn = 0;

  static constexpr const char* table = "pool_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
    visit("class", row.key_class);
    visit("public_key_pem", row.public_key_pem);
    visit("key_token_label", row.key_token_label);
    visit("key_token_serial", row.key_token_serial);
    visit("key_id", row.key_id);
    visit("key_type", row.key_type);
    visit("key_bits", row.key_bits);
    visit("key_sensitive", row.key_sensitive);
    visit("key_always_sensitive", row.key_always_sensitive);
    visit("key_extractable", row.key_extractable);
    visit("key_never_extractable", row.key_never_extractable);
    visit("key_local", row.key_local);
    visit("created_at", row.created_at);
    visit("owner", row.owner);
    visit("withdrawn", row.withdrawn);
  }
};

struct PoolLeaseRow {
  std::string owner;
  long long until = 0;

  static constexpr const char* table = "pool_lease";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("owner", row.owner);
    visit("until", row.until);
  }
};

// How many each owner has of a class.
struct PoolCountRow {
  std::string key_class, owner;
  long long count = 0;

  static constexpr const char* table = "pool_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("class", row.key_class);
    visit("owner", row.owner);
    visit("count(*)", row.count);
  }
};

struct PoolIdRow {
  std::string id;

  static constexpr const char* table = "pool_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
  }
};

struct PoolTokenRow {
  std::string token_serial;

  static constexpr const char* table = "pool_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("key_token_serial", row.token_serial);
  }
};

struct PlannedKeyRow {
  std::string id, token_serial, owner;

  static constexpr const char* table = "planned_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
    visit("token_serial", row.token_serial);
    visit("owner", row.owner);
  }
};

PoolKeyRow to_row(const PoolKeyRecord& key, const std::string& owner);
PoolKeyRecord to_record(const PoolKeyRow& row);

}  // namespace hsmsigner::store
