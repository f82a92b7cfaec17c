#include "api/account_json.h"

#include <string_view>

#include "api/form.h"
#include "api/json_writer.h"
#include "base/clock.h"
#include "base/error.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxGrants = 64;

void write_time(JsonWriter& json, std::string_view name, const std::optional<UnixTime>& time) {
  if (time) {
    json.field(name, date_time(*time));
  } else {
    json.null(name);
  }
}

void write_grants(JsonWriter& json, const store::AccountRecord& account) {
  json.open_array("grants");
  for (const std::string& text : account.grants) {
    const auth::Grant grant = auth::Grant::parse(text);
    json.open_object();
    json.field("role", auth::to_string(grant.role));
    json.field("container", grant.container ? grant.container->to_string() : "*");
    json.close_object();
  }
  json.close_array();
}

void write_members(JsonWriter& json, const store::AccountRecord& account) {
  json.field("client_id", account.client_id);
  json.field("description", account.description);
  json.field("state", account.enabled ? "enabled" : "disabled");
  write_grants(json, account);
  json.flag("secret_initial", account.secret_initial);
  write_time(json, "expires_at", account.expires_at);
  json.field("certificate_fingerprint", account.certificate_fingerprint);
  json.field("certificate_subject", account.certificate_subject);
  json.field("created_at", date_time(account.created_at));
  json.field("changed_at", date_time(account.changed_at));
}

// {"role":"issuer","container":"folder:Payments"}
void read_grant(Form& form, const std::string& path, const JsonValue& value, std::vector<auth::Grant>& grants) {
  if (!value.IsObject()) return form.faults().add(path, "must be an object with role and container");
  Form inner(value);
  const auto role = inner.text("role", 1, 32, Need::required);
  const auto container = inner.text("container", 1, 80, Need::required);
  const std::vector<std::string> faults = inner.finish();
  for (const std::string& fault : faults) {
    const std::size_t colon = fault.find(": ");
    form.faults().add(path + "." + fault.substr(0, colon), fault.substr(colon + 2));
  }
  if (!role || !container || !faults.empty()) return;
  try {
    grants.push_back(auth::Grant::parse(*role + "=" + *container));
  } catch (const Error& error) {
    form.faults().add(path, error.details().empty() ? "is no grant" : error.details().front());
  }
}

}  // namespace

service::NewAccount read_account_body(const JsonValue& body) {
  Form form(body);
  service::NewAccount account;
  account.client_id = form.text("client_id", 1, 64).value_or("");
  account.description = form.text("description", 0, 255).value_or("");
  if (const auto days = form.integer("expires_in_days", 1, 36500)) account.expires_in_days = static_cast<int>(*days);
  account.certificate_fingerprint = form.text("certificate_fingerprint", 1, 95).value_or("");
  account.certificate_subject = form.text("certificate_subject", 1, 1024).value_or("");
  if (const JsonValue* const grants = form.member("grants", Need::required)) {
    if (!grants->IsArray() || grants->Empty() || grants->Size() > kMaxGrants) {
      form.faults().add("grants", "must be an array of 1 to " + std::to_string(kMaxGrants) + " grants");
    } else {
      for (rapidjson::SizeType i = 0; i < grants->Size(); ++i) {
        read_grant(form, "grants[" + std::to_string(i) + "]", (*grants)[i], account.grants);
      }
    }
  }
  account.faults = form.finish();
  return account;
}

std::string account_json(const store::AccountRecord& account) {
  JsonWriter json;
  json.open_object();
  write_members(json, account);
  json.close_object();
  return json.finished();
}

std::string account_json(const service::AccountWithSecret& made) {
  JsonWriter json;
  json.open_object();
  write_members(json, made.account);
  json.field("client_secret", made.secret.view());
  json.close_object();
  return json.finished();
}

std::string account_list_json(const store::AccountPage& page, std::size_t offset, std::size_t limit) {
  JsonWriter json;
  json.open_object();
  json.open_array("data");
  for (const store::AccountRecord& account : page.records) {
    json.open_object();
    write_members(json, account);
    json.close_object();
  }
  json.close_array();
  json.number("offset", offset);
  json.number("total", page.total);
  json.number("limit", limit);
  json.close_object();
  return json.finished();
}

std::string rotation_json(const service::AccountWithSecret& made) {
  JsonWriter json;
  json.open_object();
  json.field("client_id", made.account.client_id);
  json.field("client_secret", made.secret.view());
  json.flag("secret_initial", made.account.secret_initial);
  write_time(json, "previous_secret_valid_until",
             made.account.previous_secret ? std::optional(made.account.previous_secret_end) : std::nullopt);
  json.close_object();
  return json.finished();
}

}  // namespace hsmsigner::api
