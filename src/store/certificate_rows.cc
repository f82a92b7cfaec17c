#include "store/certificate_rows.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace hsmsigner::store {
namespace {

// The one list of the table's columns; INSERT and SELECT are made from it.
template <class Row, class Visit>
void for_each_column(Row& row, const Visit& visit) {
  visit("id", row.id);
  visit("container_kind", row.container_kind);
  visit("container_name", row.container_name);
  visit("name", row.name);
  visit("common_name", row.common_name);
  visit("algorithm", row.algorithm);
  visit("certificate_authority", row.certificate_authority);
  visit("subject", row.subject);
  visit("issuer", row.issuer);
  visit("subject_hash", row.subject_hash);
  visit("issuer_hash", row.issuer_hash);
  visit("not_before", row.not_before);
  visit("not_after", row.not_after);
  visit("certificate_pem", row.certificate_pem);
  visit("serial_number", row.serial_number);
  visit("fingerprint_sha256", row.fingerprint_sha256);
  visit("issuer_id", row.issuer_id);
  visit("signed_by", row.signed_by);
  visit("digest", row.digest);
  visit("alternative_names", row.alternative_names);
  visit("warnings", row.warnings);
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
}

// "id, container_kind, …", every name after `prefix`.
std::string column_list(const std::string& prefix) {
  std::string list;
  CertificateRow row;
  for_each_column(row, [&](const char* name, const auto&) { list += (list.empty() ? "" : ", ") + prefix + name; });
  return list;
}

struct BindForUse {
  soci::statement& statement;
  template <class Value>
  void operator()(const char* name, Value& value) const {
    statement.exchange(soci::use(value, name));
  }
  void operator()(const char* name, NullableText& value) const {
    statement.exchange(soci::use(value.text, value.indicator, name));
  }
};

struct BindForRead {
  soci::statement& statement;
  template <class Value>
  void operator()(const char*, Value& value) const {
    statement.exchange(soci::into(value));
  }
  void operator()(const char*, NullableText& value) const {
    statement.exchange(soci::into(value.text, value.indicator));
  }
};

void prepare(soci::statement& statement, const std::string& text) {
  statement.alloc();
  statement.prepare(text);
  statement.define_and_bind();
}

std::string to_lines(const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) {
    const bool control = std::any_of(value.begin(), value.end(), [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return octet < 0x20 || octet == 0x7f;
    });
    if (control) throw Error(ErrorKind::internal_error).with_cause("a control character in a list to be stored");
    lines += value;
    lines += '\n';
  }
  return lines;
}

std::vector<std::string> from_lines(const std::string& lines) {
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    values.push_back(lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

long long to_number(UnixTime time) { return static_cast<long long>(time.time_since_epoch().count()); }
UnixTime to_time(long long seconds) { return UnixTime(std::chrono::seconds(seconds)); }

// What to_row() wrote is always there to read; anything else was put into the file by somebody else.
template <class Value>
Value intact(const std::optional<Value>& value) {
  if (!value) {
    throw Error(ErrorKind::internal_error, {"The certificate database holds a record that cannot be read."});
  }
  return *value;
}

}  // namespace

CertificateRow to_row(const CertificateRecord& record) {
  CertificateRow row;
  row.id = record.id.to_string();
  row.container_kind = to_string(record.container.kind);
  row.container_name = record.container.name;
  row.name = record.name;
  row.common_name = record.common_name;
  row.algorithm = record.algorithm;
  row.certificate_authority = record.certificate_authority ? 1 : 0;
  row.subject = record.subject;
  row.issuer = record.issuer;
  row.subject_hash = record.subject_hash;
  row.issuer_hash = record.issuer_hash;
  row.not_before = to_number(record.not_before);
  row.not_after = to_number(record.not_after);
  row.certificate_pem = record.certificate_pem;
  row.serial_number = record.serial_number;
  row.fingerprint_sha256 = record.fingerprint_sha256;
  if (record.issuer_id) row.issuer_id = {record.issuer_id->to_string(), soci::i_ok};
  row.signed_by = record.signed_by;
  row.digest = record.digest;
  row.alternative_names = to_lines(record.alternative_names);
  row.warnings = to_lines(record.warnings);
  row.key_token_label = record.key.token_label;
  row.key_token_serial = record.key.token_serial;
  row.key_id = record.key.id;
  row.key_type = record.key.type;
  row.key_bits = record.key.bits;
  row.key_sensitive = record.key.sensitive ? 1 : 0;
  row.key_always_sensitive = record.key.always_sensitive ? 1 : 0;
  row.key_extractable = record.key.extractable ? 1 : 0;
  row.key_never_extractable = record.key.never_extractable ? 1 : 0;
  row.key_local = record.key.local ? 1 : 0;
  row.created_at = to_number(record.created_at);
  return row;
}

CertificateRecord to_record(const CertificateRow& row) {
  // Named one by one: a Uuid has no empty state to start from.
  return CertificateRecord{
      .id = intact(Uuid::parse(row.id)),
      .container = {intact(container_kind_from(row.container_kind)), row.container_name},
      .name = row.name,
      .common_name = row.common_name,
      .algorithm = row.algorithm,
      .certificate_authority = row.certificate_authority != 0,
      .subject = row.subject,
      .issuer = row.issuer,
      .subject_hash = row.subject_hash,
      .issuer_hash = row.issuer_hash,
      .not_before = to_time(row.not_before),
      .not_after = to_time(row.not_after),
      .certificate_pem = row.certificate_pem,
      .serial_number = row.serial_number,
      .fingerprint_sha256 = row.fingerprint_sha256,
      .issuer_id = row.issuer_id.indicator == soci::i_null ? std::nullopt
                                                           : std::optional(intact(Uuid::parse(row.issuer_id.text))),
      .signed_by = row.signed_by,
      .digest = row.digest,
      .alternative_names = from_lines(row.alternative_names),
      .warnings = from_lines(row.warnings),
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
      .created_at = to_time(row.created_at),
  };
}

InsertCertificate::InsertCertificate(soci::session& session) : statement_(session) {
  for_each_column(row_, BindForUse{statement_});
  prepare(statement_, "INSERT INTO certificate (" + column_list("") + ") VALUES (" + column_list(":") + ")");
}

void InsertCertificate::operator()(const CertificateRow& row) {
  row_ = row;
  statement_.execute(true);
}

NameTaken::NameTaken(soci::session& session) : statement_(session) {
  statement_.exchange(soci::into(count_));
  statement_.exchange(soci::use(container_kind_, "container_kind"));
  statement_.exchange(soci::use(container_name_, "container_name"));
  statement_.exchange(soci::use(name_, "name"));
  prepare(statement_,
          "SELECT count(*) FROM certificate WHERE container_kind = :container_kind AND "
          "container_name = :container_name AND name = :name");
}

bool NameTaken::operator()(const std::string& container_kind, const std::string& container_name,
                           const std::string& name) {
  container_kind_ = container_kind;
  container_name_ = container_name;
  name_ = name;
  statement_.execute(true);
  const bool taken = count_ > 0;
  while (statement_.fetch()) {
    // To the end: a statement that is not done keeps its read transaction open.
  }
  return taken;
}

SelectCertificates::SelectCertificates(soci::session& session, const std::string& clauses, std::size_t texts,
                                       Paged paged)
    : statement_(session) {
  static constexpr const char* names[] = {"a", "b", "c"};
  for_each_column(row_, BindForRead{statement_});
  for (std::size_t i = 0; i < texts; ++i) statement_.exchange(soci::use(texts_[i], names[i]));
  if (paged == Paged::yes) {
    statement_.exchange(soci::use(limit_, "limit"));
    statement_.exchange(soci::use(offset_, "offset"));
  }
  prepare(statement_, "SELECT " + column_list("") + " FROM certificate " + clauses +
                          (paged == Paged::yes ? " LIMIT :limit OFFSET :offset" : ""));
}

std::vector<CertificateRow> SelectCertificates::operator()(const std::vector<std::string>& texts, std::size_t offset,
                                                           std::size_t limit) {
  constexpr std::size_t largest = std::numeric_limits<long long>::max();
  std::copy(texts.begin(), texts.end(), texts_);
  offset_ = static_cast<long long>(std::min(offset, largest));
  limit_ = static_cast<long long>(std::min(limit, largest));
  std::vector<CertificateRow> rows;
  for (bool more = statement_.execute(true); more; more = statement_.fetch()) rows.push_back(row_);
  return rows;
}

}  // namespace hsmsigner::store
