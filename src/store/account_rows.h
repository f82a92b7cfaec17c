// Accounts, the keys of their access tokens, and kept answers as rows. Private to the store.
#pragma once

#include <string>

#include "store/account_record.h"
#include "store/answer_record.h"
#include "store/columns.h"

namespace hsmsigner::store {

struct AccountRow {
  std::string client_id, description;
  long long enabled = 0;
  std::string grants, secret_salt, secret_hash;
  long long secret_initial = 0;
  std::string previous_salt, previous_hash;  // "" both when there is none
  long long previous_secret_end = 0;
  Nullable<long long> expires_at;
  long long generation = 0;
  std::string certificate_fingerprint, certificate_subject;
  long long created_at = 0, changed_at = 0;

  static constexpr const char* table = "account";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("client_id", row.client_id);
    visit("description", row.description);
    visit("enabled", row.enabled);
    visit("grants", row.grants);
    visit("secret_salt", row.secret_salt);
    visit("secret_hash", row.secret_hash);
    visit("secret_initial", row.secret_initial);
    visit("previous_salt", row.previous_salt);
    visit("previous_hash", row.previous_hash);
    visit("previous_secret_end", row.previous_secret_end);
    visit("expires_at", row.expires_at);
    visit("generation", row.generation);
    visit("certificate_fingerprint", row.certificate_fingerprint);
    visit("certificate_subject", row.certificate_subject);
    visit("created_at", row.created_at);
    visit("changed_at", row.changed_at);
  }
};

struct AccessTokenKeyRow {
  std::string id, modulus, exponent;
  long long created_at = 0;
  Nullable<long long> retired_at;

  static constexpr const char* table = "access_token_key";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("id", row.id);
    visit("modulus", row.modulus);
    visit("exponent", row.exponent);
    visit("created_at", row.created_at);
    visit("retired_at", row.retired_at);
  }
};

struct AnswerRow {
  std::string client_id, key_hash, request_hash, sealed;
  long long created_at = 0;

  static constexpr const char* table = "answer";
  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("client_id", row.client_id);
    visit("key_hash", row.key_hash);
    visit("request_hash", row.request_hash);
    visit("sealed", row.sealed);
    visit("created_at", row.created_at);
  }
};

// to_row() throws Error{internal_error} when a list's element holds a control character; to_record() when the row was
// not written by to_row().
AccountRow to_row(const AccountRecord& account);
AccountRecord to_record(const AccountRow& row);
AccessTokenKeyRow to_row(const AccessTokenKeyRecord& key);
AccessTokenKeyRecord to_record(const AccessTokenKeyRow& row);
AnswerRow to_row(const AnswerRecord& answer);
AnswerRecord to_record(const AnswerRow& row);

}  // namespace hsmsigner::store
