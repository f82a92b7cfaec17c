#include "store/account_rows.h"

namespace hsmsigner::store {

AccountRow to_row(const AccountRecord& account) {
  AccountRow row;
  row.client_id = account.client_id;
  row.description = account.description;
  row.enabled = to_number(account.enabled);
  row.grants = to_lines(account.grants);
  row.secret_salt = to_hex(account.secret.salt);
  row.secret_hash = to_hex(account.secret.hash);
  row.secret_initial = to_number(account.secret_initial);
  if (account.previous_secret) {
    row.previous_salt = to_hex(account.previous_secret->salt);
    row.previous_hash = to_hex(account.previous_secret->hash);
  }
  row.previous_secret_end = to_number(account.previous_secret_end);
  row.expires_at = to_nullable(account.expires_at);
  row.generation = static_cast<long long>(account.generation);
  row.certificate_fingerprint = account.certificate_fingerprint;
  row.certificate_subject = account.certificate_subject;
  row.created_at = to_number(account.created_at);
  row.changed_at = to_number(account.changed_at);
  return row;
}

AccountRecord to_record(const AccountRow& row) {
  AccountRecord account;
  account.client_id = row.client_id;
  account.description = row.description;
  account.enabled = row.enabled != 0;
  account.grants = from_lines(row.grants);
  account.secret = {to_bytes(row.secret_salt), to_bytes(row.secret_hash)};
  account.secret_initial = row.secret_initial != 0;
  if (!row.previous_hash.empty()) account.previous_secret = {to_bytes(row.previous_salt), to_bytes(row.previous_hash)};
  account.previous_secret_end = to_time(row.previous_secret_end);
  account.expires_at = to_time(row.expires_at);
  account.generation = static_cast<std::uint64_t>(row.generation);
  account.certificate_fingerprint = row.certificate_fingerprint;
  account.certificate_subject = row.certificate_subject;
  account.created_at = to_time(row.created_at);
  account.changed_at = to_time(row.changed_at);
  return account;
}

AccessTokenKeyRow to_row(const AccessTokenKeyRecord& key) {
  return {key.id.to_string(), to_hex(key.modulus), to_hex(key.exponent), to_number(key.created_at),
          to_nullable(key.retired_at)};
}

AccessTokenKeyRecord to_record(const AccessTokenKeyRow& row) {
  return {to_uuid(row.id), to_bytes(row.modulus), to_bytes(row.exponent), to_time(row.created_at),
          to_time(row.retired_at)};
}

AnswerRow to_row(const AnswerRecord& answer) {
  return {answer.client_id, answer.key_hash, answer.request_hash, answer.sealed, to_number(answer.created_at)};
}

AnswerRecord to_record(const AnswerRow& row) {
  return {row.client_id, row.key_hash, row.request_hash, row.sealed, to_time(row.created_at)};
}

}  // namespace hsmsigner::store
