#include "api/api_document.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "api/errors.h"
#include "api/generate_body.h"

using namespace hsmsigner;
using api::ApiDocument;
using api::parse_json;

namespace {

const ApiDocument& document() { return ApiDocument::built_in(); }

// "" when the body is as the schema wants it.
std::string fault(const std::string& schema, const std::string& body) {
  return document().fault_of_body(schema, parse_json(body)).value_or("");
}

std::string text(std::size_t length) { return "\"" + std::string(length, 'x') + "\""; }
// Characters of two octets each.
std::string wide(std::size_t length) {
  std::string all = "\"";
  for (std::size_t i = 0; i < length; ++i) all += "\xc3\xa4";
  return all + "\"";
}
std::string array(const std::string& item, std::size_t count) {
  std::string all = "[";
  for (std::size_t i = 0; i < count; ++i) all += (i == 0 ? "" : ",") + item;
  return all + "]";
}

using Fields = std::map<std::string, std::string>;

std::string json(const Fields& fields) {
  std::string all = "{";
  for (const auto& [name, value] : fields) all += (all.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  return all + "}";
}

// The least body of a schema with one field in its place, or without it when `value` is empty.
std::string body_with(Fields fields, const std::string& name, const std::string& value) {
  if (value.empty()) {
    fields.erase(name);
  } else {
    fields[name] = value;
  }
  return json(fields);
}

const Fields kGenerate = {{"folder", "\"Payments\""},
                          {"algorithm", R"({"ecdsa_number_of_bits":256})"},
                          {"certificate_name", "\"a\""},
                          {"common_name", "\"b\""},
                          {"digest", "\"sha256\""}};
const Fields kImport = {{"name", "\"a\""}, {"certificate_file", "\"AAAA\""}, {"format", "\"der\""}};
const Fields kExport = {{"format", "\"pem\""}};
const Fields kAccount = {{"grants", R"([{"role":"issuer","container":"*"}])"}};

struct Row {
  std::string field;
  std::string value;  // "": the field is left out
  std::string fault;  // "": none
};

void check(const std::string& schema, const Fields& least, const std::vector<Row>& rows) {
  REQUIRE(fault(schema, json(least)) == "");
  for (const Row& row : rows) {
    CAPTURE(row.field);
    CAPTURE(row.value.substr(0, 80));
    CHECK(fault(schema, body_with(least, row.field, row.value)) == row.fault);
  }
}

const std::string kOneAlgorithm = "algorithm: must have exactly one of rsa_number_of_bits and ecdsa_number_of_bits";
const std::string kOneContainer = "body: only one of folder, snippet and device may be given";

std::vector<Row> generate_rows() {
  std::vector<Row> rows = {
      {"folder", "", ""},  // the query may have it
      {"folder", text(64), ""},
      {"folder", "\"A-z_0. 9\"", ""},
      {"folder", text(65), "folder: must have 1 to 64 characters"},
      {"folder", "\"\"", "folder: must have 1 to 64 characters"},
      {"folder", "\"a/b\"", "folder: must hold only letters, digits, '-', '_', '.' and spaces"},
      {"folder", "\"a\\nb\"", "folder: must hold only letters, digits, '-', '_', '.' and spaces"},
      {"folder", "null", "folder: must be a string"},
      {"snippet", "\"x\"", kOneContainer},
      {"device", "\"x\"", kOneContainer},
      {"algorithm", "", "algorithm: is required"},
      {"algorithm", "{}", kOneAlgorithm},
      {"algorithm", "[]", "algorithm: must be an object"},
      {"algorithm", R"({"rsa_number_of_bits":2048,"ecdsa_number_of_bits":256})", kOneAlgorithm},
      {"algorithm", R"({"bits":2048})", "algorithm.bits: unknown field"},
      {"algorithm", R"({"rsa_number_of_bits":"2048"})", "algorithm.rsa_number_of_bits: must be a whole number"},
      {"algorithm", R"({"rsa_number_of_bits":2048.5})", "algorithm.rsa_number_of_bits: must be a whole number"},
      {"algorithm", R"({"rsa_number_of_bits":1000})",
       "algorithm.rsa_number_of_bits: must be one of 512, 1024, 2048, 3072, 4096"},
      {"algorithm", R"({"rsa_number_of_bits":511})", "algorithm.rsa_number_of_bits: must be at least 512"},
      {"algorithm", R"({"rsa_number_of_bits":1e300})", "algorithm.rsa_number_of_bits: must be at most 4096"},
      {"algorithm", R"({"rsa_number_of_bits":-2048})", "algorithm.rsa_number_of_bits: must be at least 512"},
      {"algorithm", R"({"ecdsa_number_of_bits":512})",
       "algorithm.ecdsa_number_of_bits: must be one of 245, 256, 384, 521, 2048, 3072, 4096"},
      {"certificate_name", "", "certificate_name: is required"},
      {"certificate_name", text(255), ""},
      {"certificate_name", wide(255), ""},
      {"certificate_name", wide(256), "certificate_name: must have 1 to 255 characters"},
      {"certificate_name", "\"\"", "certificate_name: must have 1 to 255 characters"},
      {"common_name", "", "common_name: is required"},
      {"common_name", text(64), ""},
      {"common_name", text(65), "common_name: must have 1 to 64 characters"},
      {"common_name", "7", "common_name: must be a string"},
      {"digest", "", "digest: is required"},
      {"digest", "\"SHA256\"", "digest: must be one of sha1, sha256, sha384, sha512, md5"},
      {"signed_by", "\"\"", ""},
      {"signed_by", text(64), ""},
      {"signed_by", text(65), "signed_by: must have at most 64 characters"},
      {"is_certificate_authority", "true", ""},
      {"is_certificate_authority", "\"true\"", "is_certificate_authority: must be true or false"},
      {"is_block_privateKey", "false", ""},
      {"is_block_privateKey", "0", "is_block_privateKey: must be true or false"},
      {"day_till_expiration", "1", ""},
      {"day_till_expiration", "36500.0", ""},
      {"day_till_expiration", "3.65e2", ""},
      {"day_till_expiration", "0", "day_till_expiration: must be at least 1"},
      {"day_till_expiration", "-1", "day_till_expiration: must be at least 1"},
      {"day_till_expiration", "36501", "day_till_expiration: must be at most 36500"},
      {"day_till_expiration", "18446744073709551615", "day_till_expiration: must be at most 36500"},
      {"day_till_expiration", "1.5", "day_till_expiration: must be a whole number"},
      {"day_till_expiration", "\"1\"", "day_till_expiration: must be a whole number"},
      {"country_code", "\"ch\"", ""},
      {"country_code", "\"CHE\"", "country_code: must have exactly 2 characters"},
      {"country_code", "\"C\"", "country_code: must have exactly 2 characters"},
      {"country_code", "\"C1\"", "country_code: must be a country code of ISO 3166-1 alpha-2"},
      {"state", text(32), ""},
      {"state", text(33), "state: must have 1 to 32 characters"},
      {"locality", text(64), ""},
      {"locality", text(65), "locality: must have 1 to 64 characters"},
      {"email", "\"\"", "email: must have 1 to 255 characters"},
      {"email", text(256), "email: must have 1 to 255 characters"},
      {"ocsp_responder_url", "\"http://a.example\"", ""},
      {"ocsp_responder_url", text(65), "ocsp_responder_url: must have 1 to 64 characters"},
      {"id", "{\"anything\":[1,null]}", ""},
      {"id", "null", ""},
      {"name", "7", ""},
      {"bogus", "1", "bogus: unknown field"},
      {"Folder", "\"x\"", "Folder: unknown field"},
      {"a~b/c", "1", "a~b/c: unknown field"},
  };
  struct Array {
    std::string name;
    std::string good;
    std::size_t most;
  };
  for (const Array& of : {Array{"department", "\"x\"", 64}, Array{"alternate_email", "\"a@b.example\"", 255},
                          Array{"hostname", "\"a.example\"", 64}, Array{"ip", "\"192.0.2.1\"", 64}}) {
    const std::string length = "must have 1 to " + std::to_string(of.most) + " characters";
    rows.push_back({of.name, "[]", ""});
    rows.push_back({of.name, array(of.good, 100), ""});
    rows.push_back({of.name, array(of.good, 101), of.name + ": must have at most 100 items"});
    rows.push_back({of.name, of.good, of.name + ": must be an array of strings"});
    rows.push_back({of.name, "[" + of.good + ",\"\"]", of.name + "[1]: " + length});
    rows.push_back({of.name, "[" + text(of.most + 1) + "]", of.name + "[0]: " + length});
    rows.push_back({of.name, "[" + of.good + "," + of.good + ",null]", of.name + "[2]: must be a string"});
  }
  for (const char* bits : {"512", "1024", "2048", "2048.0", "3072", "4096"}) {
    rows.push_back({"algorithm", std::string(R"({"rsa_number_of_bits":)") + bits + "}", ""});
  }
  for (const char* bits : {"245", "256", "256.0", "384", "521"}) {
    rows.push_back({"algorithm", std::string(R"({"ecdsa_number_of_bits":)") + bits + "}", ""});
  }
  for (const char* digest : {"sha1", "sha256", "sha384", "sha512", "md5"}) {
    rows.push_back({"digest", "\"" + std::string(digest) + "\"", ""});
  }
  return rows;
}

// The document as JSON, and one member after the other.
const api::JsonValue& at(const api::JsonValue& value, const std::string& name) {
  const auto found = value.FindMember(name.c_str());
  if (found == value.MemberEnd()) throw std::runtime_error("the document has no " + name);
  return found->value;
}

std::string without_operation_ids(const api::JsonValue& value) {
  if (value.IsString()) return "\"" + std::string(api::text_of(value)) + "\"";
  std::string all;
  if (value.IsArray()) {
    for (const auto& item : value.GetArray()) all += without_operation_ids(item) + ",";
  } else if (value.IsObject()) {
    for (const auto& field : value.GetObject()) {
      const std::string name(api::text_of(field.name));
      if (name != "operationId" && name != "tags") all += name + ":" + without_operation_ids(field.value) + ",";
    }
  }
  return "{" + all + "}";
}

}  // namespace

TEST_CASE("the document that is built in is the file, octet for octet") {
  std::ifstream file(API_DOCUMENT_FILE, std::ios::binary);
  REQUIRE(file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(text.size() > 10000);
  CHECK(document().text() == text);
}

TEST_CASE("the schema of a body to generate from: every field's limits") {
  check("GenerateCertificate", kGenerate, generate_rows());
}

TEST_CASE("the schema and the reader of a body to generate from agree") {
  // The schema cannot tell that there must be a container in one of two places, and that no curve has 2048 bits.
  for (const Row& row : generate_rows()) {
    if (row.field == "folder" && row.value.empty()) continue;
    // Valid names are only the reader's business.
    if (row.fault.empty() && (row.field == "email" || row.field == "ocsp_responder_url")) continue;
    const std::string body = body_with(kGenerate, row.field, row.value);
    CAPTURE(body.substr(0, 300));
    const auto faults = api::read_generate_body(parse_json(body), std::nullopt).faults;
    CHECK(faults.empty() == row.fault.empty());
    if (row.fault.empty() || faults.empty()) continue;
    // They name the same field.
    const std::string path = row.fault.substr(0, row.fault.find(':'));
    if (path == "body") continue;
    CHECK(std::any_of(faults.begin(), faults.end(),
                      [&](const std::string& sentence) { return sentence.starts_with(path + ": "); }));
  }
}

TEST_CASE("the schema of a body to import") {
  check("ImportCertificate", kImport,
        {{"name", "", "name: is required"},
         {"name", text(256), "name: must have 1 to 255 characters"},
         {"certificate_file", "", "certificate_file: is required"},
         {"certificate_file", text(700000), ""},
         {"certificate_file", text(700001), "certificate_file: must have 1 to 700000 characters"},
         {"format", "", "format: is required"},
         {"format", "\"pkcs12\"", ""},
         {"format", "\"pkcs10\"", "format: must be one of pem, der, pkcs12"},
         {"key_file", "\"AAAA\"", ""},
         {"key_file", "{}", "key_file: must be a string"},
         {"passphrase", "\"\"", ""},
         {"passphrase", text(1024), ""},
         {"passphrase", text(1025), "passphrase: must have at most 1024 characters"},
         {"is_block_privateKey", "false", ""},
         {"is_block_privateKey", "null", "is_block_privateKey: must be true or false"},
         {"snippet", "\"s\"", ""},
         {"certificate_name", "\"a\"", "certificate_name: unknown field"}});
  Fields two = kImport;
  two["folder"] = two["device"] = "\"a\"";
  CHECK(fault("ImportCertificate", json(two)) == kOneContainer);
}

TEST_CASE("the schema of a body to export") {
  check("ExportCertificate", kExport,
        {{"format", "", "format: is required"},
         {"format", "\"pkcs10\"", ""},
         {"format", "\"jks\"", "format: must be one of pem, der, pkcs12, pkcs10"},
         {"format", "[\"pem\"]", "format: must be a string"},
         {"passphrase", "\"abcdef\"", ""},
         {"passphrase", text(1025), "passphrase: must have at most 1024 characters"},
         {"folder", "\"a\"", ""},
         {"key_file", "\"\"", "key_file: unknown field"}});
  CHECK(fault("NoFields", "{}") == "");
  CHECK(fault("NoFields", R"({"a":1})") == "a: unknown field");
}

TEST_CASE("the schema of a new account") {
  const std::string octets = [] {
    std::string all = "AA";
    for (int i = 1; i < 32; ++i) all += ":0F";
    return all;
  }();
  const std::string id_rule =
      "client_id: must begin with a letter or digit, hold only letters, digits, '.', '_', '@' and '-', and not be self";
  const std::string container = "must be * or folder:NAME, snippet:NAME or device:NAME";
  const auto grant = [](const std::string& role, const std::string& where) {
    return R"([{"role":"reader","container":"*"},{"role":")" + role + R"(","container":")" + where + "\"}]";
  };
  check("CreateAccount", kAccount,
        {{"client_id", "\"a\"", ""},
         {"client_id", "\"0a.B_c@d-e\"", ""},
         {"client_id", "\"selfish\"", ""},
         {"client_id", "\"self\"", id_rule},
         {"client_id", "\".a\"", id_rule},
         {"client_id", "\"a b\"", id_rule},
         {"client_id", "\"a:b\"", id_rule},
         {"client_id", text(64), ""},
         {"client_id", text(65), "client_id: must have 1 to 64 characters"},
         {"description", "\"\"", ""},
         {"description", text(256), "description: must have at most 255 characters"},
         {"grants", "", "grants: is required"},
         {"grants", "[]", "grants: must have at least 1 items"},
         {"grants", array(R"({"role":"issuer","container":"*"})", 64), ""},
         {"grants", array(R"({"role":"issuer","container":"*"})", 65), "grants: must have at most 64 items"},
         {"grants", "[1]", "grants[0]: must be an object"},
         {"grants", R"([{"role":"issuer"}])", "grants[0].container: is required"},
         {"grants", R"([{"role":"issuer","container":"*","x":1}])", "grants[0].x: unknown field"},
         {"grants", grant("signer", "folder:Pay ments_1.-"), ""},
         {"grants", grant("signer", "snippet:" + std::string(64, 'x')), ""},
         {"grants", grant("signer", "device:" + std::string(65, 'x')), "grants[1].container: " + container},
         {"grants", grant("signer", "folder:"), "grants[1].container: " + container},
         {"grants", grant("signer", "room:x"), "grants[1].container: " + container},
         {"grants", grant("signer", "**"), "grants[1].container: " + container},
         {"grants", grant("root", "*"),
          "grants[1].role: must be one of administrator, issuer, exporter, signer, auditor, reader, monitor"},
         {"expires_in_days", "36500", ""},
         {"expires_in_days", "1.0", ""},
         {"expires_in_days", "0", "expires_in_days: must be at least 1"},
         {"expires_in_days", "1.25", "expires_in_days: must be a whole number"},
         {"certificate_fingerprint", "\"" + octets + "\"", ""},
         {"certificate_fingerprint", "\"" + octets.substr(3) + "\"",
          "certificate_fingerprint: must have exactly 95 characters"},
         {"certificate_fingerprint", "\"" + octets.substr(0, 94) + "g\"",
          "certificate_fingerprint: must be 32 octets in hexadecimal with colons between them"},
         {"certificate_subject", text(1024), ""},
         {"certificate_subject", text(1025), "certificate_subject: must have 1 to 1024 characters"},
         {"secret", "\"x\"", "secret: unknown field"}});
}

TEST_CASE("a body that is no object, and a schema that is not there") {
  for (const char* body : {"[]", "1", "\"x\"", "null", "true"}) {
    CAPTURE(body);
    CHECK(fault("GenerateCertificate", body) == "body: must be an object");
  }
  CHECK_THROWS_AS(fault("Bogus", "{}"), std::out_of_range);
}

TEST_CASE("many threads check bodies at once") {
  const std::string good = json(kGenerate);
  const std::string bad = body_with(kGenerate, "folder", "\"a/b\"");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        wrong[t] += fault("GenerateCertificate", good).empty() ? 0 : 1;
        wrong[t] += fault("GenerateCertificate", bad).empty() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("the document has each operation once, and the certificates alike under every prefix") {
  const auto operations = document().operations();
  const std::set<std::pair<std::string, std::string>> once(operations.begin(), operations.end());
  CHECK(once.size() == operations.size());
  for (const char* path : {"/certificates", "/certificates:import", "/certificates/{id}:export", "/accounts",
                           "/accounts/self:rotate", "/accounts/{client_id}:rotate", "/am/oauth2/access_token"}) {
    CAPTURE(path);
    CHECK(once.count({"POST", path}) == 1);
  }
  CHECK(once.count({"DELETE", "/certificates/{id}"}) == 1);
  CHECK(once.count({"GET", "/openapi.json"}) == 1);

  const api::JsonDocument json = parse_json(document().text());
  const api::JsonValue& paths = at(json, "paths");
  std::size_t compared = 0;
  for (const auto& path : paths.GetObject()) {
    const std::string name(api::text_of(path.name));
    if (!name.starts_with("/certificates")) continue;
    for (const char* prefix : {"/config/identity/v1", "/sse/config/v1"}) {
      CAPTURE(prefix + name);
      CHECK(without_operation_ids(at(paths, prefix + name)) == without_operation_ids(path.value));
      ++compared;
    }
  }
  CHECK(compared == 10);
}

TEST_CASE("the document has an example of every row of the error table") {
  const api::JsonDocument json = parse_json(document().text());
  const api::JsonValue& components = at(json, "components");
  for (const api::ErrorRow& row : api::error_table()) {
    const std::string name(to_string(row.kind));
    CAPTURE(name);
    const api::JsonValue& value = at(at(at(components, "examples"), name), "value");
    const api::JsonValue& error = at(value, "_errors")[0];
    CHECK(api::text_of(at(error, "code")) == row.code);
    CHECK(api::text_of(at(at(error, "details"), "errorType")) == row.type);
    CHECK(api::text_of(at(error, "message")).starts_with(row.type));
    // Some response of its status shows it.
    const std::string reference = "#/components/examples/" + name;
    bool shown = false;
    for (const auto& response : at(components, "responses").GetObject()) {
      const api::JsonValue& content = at(response.value, "content");
      if (!content.HasMember("application/json")) continue;  // no error is anything else
      const api::JsonValue& examples = at(at(content, "application/json"), "examples");
      const auto found = examples.FindMember(name.c_str());
      if (found == examples.MemberEnd()) continue;
      CHECK(api::text_of(at(found->value, "$ref")) == reference);
      shown = true;
      CHECK(at(response.value, "headers").HasMember("Retry-After") == (row.retry_after_seconds > 0));
      for (const auto& path : at(json, "paths").GetObject()) {
        for (const auto& operation : path.value.GetObject()) {
          if (!operation.value.IsObject()) continue;
          for (const auto& answer : at(operation.value, "responses").GetObject()) {
            if (api::text_of(at(answer.value, "$ref")) !=
                "#/components/responses/" + std::string(api::text_of(response.name))) {
              continue;
            }
            CHECK(api::text_of(answer.name) == std::to_string(row.status));
          }
        }
      }
    }
    CHECK(shown);
  }
}

TEST_CASE("a document that leads nowhere is refused") {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"paths":{},"components":{}})",
        R"({"paths":{},"components":{"schemas":{"A":{"$ref":"#/components/schemas/B"}}}})",
        R"({"paths":{},"components":{"schemas":{"A":{"$ref":"https://a.example/b"}}}})",
        R"({"paths":{},"components":{"schemas":{"A":{"not":{"$ref":"#/components/schemas/A"}}}}})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(ApiDocument{text}, std::invalid_argument);
  }
}
