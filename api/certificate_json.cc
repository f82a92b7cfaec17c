#include "api/certificate_json.h"

#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "api/json_writer.h"
#include "service/catalogue.h"

namespace hsmsigner::api {
namespace {

// YYYY-MM-DD, UTC.
std::string date_of(UnixTime time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

void write_key(JsonWriter& json, const store::KeyRecord& key) {
  json.open_object("key");
  json.field("token_label", key.token_label);
  json.field("token_serial", key.token_serial);
  json.field("id", key.id);
  json.field("type", key.type);
  json.number("bits", key.bits);
  json.flag("sensitive", key.sensitive);
  json.flag("always_sensitive", key.always_sensitive);
  json.flag("extractable", key.extractable);
  json.flag("never_extractable", key.never_extractable);
  json.flag("local", key.local);
  json.close_object();
}

// The members of the resource, without its braces.
void write_members(JsonWriter& json, const store::CertificateRecord& record, UnixTime now) {
  json.field("id", record.id.to_string());
  json.field("name", record.name);
  json.field(to_string(record.container.kind), record.container.name);
  json.field("common_name", record.common_name);
  json.field("common_name_int", record.common_name);
  json.field("algorithm", record.algorithm);
  json.flag("ca", record.certificate_authority);
  json.field("subject", record.subject);
  json.field("subject_int", record.subject);
  json.field("subject_hash", record.subject_hash);
  // What only a certificate tells, and a signing request does not yet.
  if (!record.pending()) {
    json.field("issuer", record.issuer);
    json.field("issuer_hash", record.issuer_hash);
    json.field("not_valid_before", date_of(record.not_before));
    json.field("not_valid_after", date_of(record.not_after));
    json.field("expiry_epoch", std::to_string(record.not_after.time_since_epoch().count()));
    json.field("public_key", record.certificate_pem);
    json.field("serial_number", record.serial_number);
    json.field("fingerprint_sha256", record.fingerprint_sha256);
  }
  json.field("status", service::status_of(record, now));
  json.field("signed_by", record.signed_by);
  json.field("digest", record.digest);
  json.texts("san", record.alternative_names);
  json.texts("warnings", record.warnings);
  if (record.key) write_key(json, *record.key);
}

// About as long as it becomes, and rather too long: a certificate's lines end in two octets each.
std::size_t expected_size(const store::CertificateRecord& record) {
  return 2048 + record.certificate_pem.size() + record.certificate_pem.size() / 32;
}

void write_resource(JsonWriter& json, const store::CertificateRecord& record, UnixTime now) {
  json.open_object();
  write_members(json, record, now);
  json.close_object();
}

void write_envelope(JsonWriter& json, const std::vector<const store::CertificateRecord*>& records, std::size_t offset,
                    std::size_t total, std::size_t limit, UnixTime now) {
  json.open_array("data");
  for (const store::CertificateRecord* record : records) write_resource(json, *record, now);
  json.close_array();
  json.number("offset", offset);
  json.number("total", total);
  json.number("limit", limit);
}

}  // namespace

std::string certificate_json(const store::CertificateRecord& record, UnixTime now) {
  JsonWriter json(expected_size(record));
  write_resource(json, record, now);
  return json.finished();
}

std::string certificate_list_json(const store::Page& page, std::size_t offset, std::size_t limit, UnixTime now) {
  std::vector<const store::CertificateRecord*> records;
  std::size_t expected = 1024;
  for (const store::CertificateRecord& record : page.records) {
    records.push_back(&record);
    expected += expected_size(record);
  }
  JsonWriter json(expected);
  json.open_object();
  write_envelope(json, records, offset, page.total, limit, now);
  json.close_object();
  return json.finished();
}

std::string certificate_hybrid_json(const store::CertificateRecord& record, std::size_t offset, std::size_t limit,
                                    UnixTime now) {
  JsonWriter json;
  json.open_object();
  write_members(json, record, now);
  write_envelope(json, {&record}, offset, 1, limit, now);
  json.close_object();
  return json.finished();
}

}  // namespace hsmsigner::api
