#include "api/certificate_json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <chrono>
#include <cstdio>
#include <string_view>
#include <vector>

#include "service/catalogue.h"

namespace hsmsigner::api {
namespace {

class Json {
 public:
  void open_object() { writer_.StartObject(); }
  void close_object() { writer_.EndObject(); }
  void open_array() { writer_.StartArray(); }
  void close_array() { writer_.EndArray(); }
  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void text(std::string_view value) { writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size())); }
  void field(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void number(std::string_view name, std::size_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void texts(std::string_view name, const std::vector<std::string>& values) {
    key(name);
    open_array();
    for (const std::string& value : values) text(value);
    close_array();
  }
  std::string finished() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

// YYYY-MM-DD, UTC.
std::string date_of(UnixTime time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

void write_key(Json& json, const store::KeyRecord& key) {
  json.key("key");
  json.open_object();
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
void write_members(Json& json, const store::CertificateRecord& record, UnixTime now) {
  json.field("id", record.id.to_string());
  json.field("name", record.name);
  json.field(store::to_string(record.container.kind), record.container.name);
  json.field("common_name", record.common_name);
  json.field("common_name_int", record.common_name);
  json.field("algorithm", record.algorithm);
  json.flag("ca", record.certificate_authority);
  json.field("subject", record.subject);
  json.field("subject_int", record.subject);
  json.field("subject_hash", record.subject_hash);
  json.field("issuer", record.issuer);
  json.field("issuer_hash", record.issuer_hash);
  json.field("not_valid_before", date_of(record.not_before));
  json.field("not_valid_after", date_of(record.not_after));
  json.field("expiry_epoch", std::to_string(record.not_after.time_since_epoch().count()));
  json.field("public_key", record.certificate_pem);
  json.field("serial_number", record.serial_number);
  json.field("fingerprint_sha256", record.fingerprint_sha256);
  json.field("status", service::status_of(record, now));
  json.field("signed_by", record.signed_by);
  json.field("digest", record.digest);
  json.texts("san", record.alternative_names);
  json.texts("warnings", record.warnings);
  write_key(json, record.key);
}

void write_resource(Json& json, const store::CertificateRecord& record, UnixTime now) {
  json.open_object();
  write_members(json, record, now);
  json.close_object();
}

void write_envelope(Json& json, const std::vector<const store::CertificateRecord*>& records, std::size_t offset,
                    std::size_t total, std::size_t limit, UnixTime now) {
  json.key("data");
  json.open_array();
  for (const store::CertificateRecord* record : records) write_resource(json, *record, now);
  json.close_array();
  json.number("offset", offset);
  json.number("total", total);
  json.number("limit", limit);
}

}  // namespace

std::string certificate_json(const store::CertificateRecord& record, UnixTime now) {
  Json json;
  write_resource(json, record, now);
  return json.finished();
}

std::string certificate_list_json(const store::Page& page, std::size_t offset, std::size_t limit, UnixTime now) {
  std::vector<const store::CertificateRecord*> records;
  for (const store::CertificateRecord& record : page.records) records.push_back(&record);
  Json json;
  json.open_object();
  write_envelope(json, records, offset, page.total, limit, now);
  json.close_object();
  return json.finished();
}

std::string certificate_hybrid_json(const store::CertificateRecord& record, std::size_t offset, std::size_t limit,
                                    UnixTime now) {
  Json json;
  json.open_object();
  write_members(json, record, now);
  write_envelope(json, {&record}, offset, 1, limit, now);
  json.close_object();
  return json.finished();
}

}  // namespace hsmsigner::api
