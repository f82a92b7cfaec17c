// POST /certificates, field by field: its effect in the certificate, its refusal, and the resource that comes back.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <ctime>
#include <functional>
#include <regex>
#include <set>

#include "system/server.h"
#include "system/x509.h"

using namespace system_test;

namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string repeated(const std::string& unit, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += unit;
  return result;
}

std::string oneline_subject(const std::string& pem) {
  return x509(pem, {"-subject", "-nameopt", "compat"}).substr(std::string("subject=").size());
}

std::string utc_date(long long seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

}  // namespace

TEST_CASE("each field has its effect in the certificate") {
  const ServerFixture server;
  const std::string san = "X509v3 Subject Alternative Name";

  struct Row {
    std::string field;
    std::string json;
    std::function<std::string(const std::string& pem)> read;
    std::string expected;
  };
  const auto subject = oneline_subject;
  const auto names = [&](const std::string& pem) { return extension(pem, san); };
  const auto key = [](const std::string& pem) { return public_key(pem); };
  const auto days = [](const std::string& pem) { return std::to_string((not_after(pem) - not_before(pem)) / 86400); };
  const auto signature = [](const std::string& pem) {
    const std::string text = x509_text(pem);
    const std::size_t at = text.find("Signature Algorithm: ") + 21;
    return text.substr(at, text.find('\n', at) - at);
  };
  const auto ext = [](const std::string& name) {
    return [name](const std::string& pem) { return extension(pem, name); };
  };
  const std::string own = "/CN=Test x";
  const Row rows[] = {
      {"algorithm", R"({"rsa_number_of_bits":512})", key, "rsaEncryption 512"},
      {"algorithm", R"({"rsa_number_of_bits":1024})", key, "rsaEncryption 1024"},
      {"algorithm", R"({"rsa_number_of_bits":2048})", key, "rsaEncryption 2048"},
      {"algorithm", R"({"rsa_number_of_bits":2048.0})", key, "rsaEncryption 2048"},
      {"algorithm", R"({"rsa_number_of_bits":3072})", key, "rsaEncryption 3072"},
      {"algorithm", R"({"rsa_number_of_bits":4096})", key, "rsaEncryption 4096"},
      {"algorithm", R"({"ecdsa_number_of_bits":245})", key, "id-ecPublicKey 256"},
      {"algorithm", R"({"ecdsa_number_of_bits":256})", key, "id-ecPublicKey 256"},
      {"algorithm", R"({"ecdsa_number_of_bits":384})", key, "id-ecPublicKey 384"},
      {"algorithm", R"({"ecdsa_number_of_bits":521})", key, "id-ecPublicKey 521"},
      {"common_name", quote("Grüße 証明書"), subject,
       R"(/CN=Gr\xC3\xBC\xC3\x9Fe \xE8\xA8\xBC\xE6\x98\x8E\xE6\x9B\xB8)"},
      {"common_name", quote(repeated("x", 64)), subject, "/CN=" + repeated("x", 64)},
      {"common_name", quote("a"), subject, "/CN=a"},
      {"digest", quote("sha1"), signature, "ecdsa-with-SHA1"},
      {"digest", quote("sha256"), signature, "ecdsa-with-SHA256"},
      {"digest", quote("sha384"), signature, "ecdsa-with-SHA384"},
      {"digest", quote("sha512"), signature, "ecdsa-with-SHA512"},
      {"signed_by", quote(""), subject, own},
      {"is_certificate_authority", "true", ext("X509v3 Basic Constraints"), "critical CA:TRUE"},
      {"is_certificate_authority", "true", ext("X509v3 Key Usage"),
       "critical Digital Signature, Certificate Sign, CRL Sign"},
      {"is_certificate_authority", "true", ext("X509v3 Extended Key Usage"), ""},
      {"is_certificate_authority", "false", ext("X509v3 Basic Constraints"), "critical CA:FALSE"},
      {"is_certificate_authority", "false", ext("X509v3 Key Usage"), "critical Digital Signature"},
      {"algorithm", R"({"rsa_number_of_bits":1024})", ext("X509v3 Key Usage"),
       "critical Digital Signature, Key Encipherment"},
      {"is_certificate_authority", "false", ext("X509v3 Extended Key Usage"),
       "TLS Web Server Authentication, TLS Web Client Authentication"},
      {"day_till_expiration", "1", days, "1"},
      {"day_till_expiration", "30.0", days, "30"},
      {"day_till_expiration", "36500", days, "36500"},
      {"country_code", quote("us"), subject, "/C=US" + own},
      {"country_code", quote("DE"), subject, "/C=DE" + own},
      {"state", quote("Kalifornien"), subject, "/ST=Kalifornien" + own},
      {"state", quote(repeated("s", 32)), subject, "/ST=" + repeated("s", 32) + own},
      {"locality", quote("San José"), subject, R"(/L=San Jos\xC3\xA9)" + own},
      {"locality", quote(repeated("l", 64)), subject, "/L=" + repeated("l", 64) + own},
      {"department", quote_all({"One", "Two", "Three"}), subject, "/OU=One/OU=Two/OU=Three" + own},
      {"department", quote_all({repeated("d", 64)}), subject, "/OU=" + repeated("d", 64) + own},
      {"department", "[]", subject, own},
      {"email", quote("a@example.com"), subject, own + "/emailAddress=a@example.com"},
      {"email", quote("a@example.com"), names, "email:a@example.com"},
      {"alternate_email", quote_all({"b@example.com", "c@example.com"}), names,
       "email:b@example.com, email:c@example.com"},
      {"alternate_email", quote_all({"b@example.com"}), subject, own},
      {"hostname", quote_all({"www.example.com", "*.example.org", "xn--bcher-kva.example"}), names,
       "DNS:www.example.com, DNS:*.example.org, DNS:xn--bcher-kva.example"},
      {"ip", quote_all({"192.0.2.1", "2001:db8::1"}), names, "IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1"},
      {"ip", quote_all({"::ffff:192.0.2.1"}), names, "IP Address:0:0:0:0:0:FFFF:C000:201"},
      {"ocsp_responder_url", quote("http://ocsp.example.com/x"), ext("Authority Information Access"),
       "OCSP - URI:http://ocsp.example.com/x"},
      {"ocsp_responder_url", quote("https://ocsp.example.com"), ext("Authority Information Access"),
       "OCSP - URI:https://ocsp.example.com"},
      // The common name becomes the SAN when it is a host name, an address or a mail address and nothing else is given.
      {"common_name", quote("www.example.com"), names, "DNS:www.example.com"},
      {"common_name", quote("*.example.com"), names, "DNS:*.example.com"},
      {"common_name", quote("192.0.2.7"), names, "IP Address:192.0.2.7"},
      {"common_name", quote("2001:db8::7"), names, "IP Address:2001:DB8:0:0:0:0:0:7"},
      {"common_name", quote("d@example.com"), names, "email:d@example.com"},
      {"common_name", quote("Some Root CA"), names, ""},
      {"id", "5", subject, own},
      {"name", R"({"any":["thing"]})", subject, own},
  };
  int number = 0;
  for (const Row& row : rows) {
    CAPTURE(row.field);
    CAPTURE(row.json);
    Body body = certificate("row " + std::to_string(++number));
    body.text("common_name", "Test x").set(row.field, row.json);
    const Reply reply = server.generate(body);
    REQUIRE_MESSAGE(reply.status == 201, reply.body);
    const std::string pem = reply.json()["public_key"].text();
    CHECK(row.read(pem) == row.expected);
    CHECK(verify(pem, "", pem) == "");
  }
  CHECK(server.keys() == std::size(rows));
  CHECK(server.rows() == std::size(rows));
}

TEST_CASE("fields together") {
  const ServerFixture server;
  Body body = certificate("all");
  body.text("common_name", "www.example.com")
      .text("country_code", "jp")
      .text("state", "Tokyo")
      .text("locality", "Chiyoda")
      .set("department", quote_all({"Web", "Ops"}))
      .text("email", "ops@example.com")
      .set("alternate_email", quote_all({"web@example.com"}))
      .set("hostname", quote_all({"example.com"}))
      .set("ip", quote_all({"192.0.2.1"}));
  const std::string pem = server.must_generate(body)["public_key"].text();

  CHECK(oneline_subject(pem) ==
        "/C=JP/ST=Tokyo/L=Chiyoda/OU=Web/OU=Ops/CN=www.example.com/emailAddress=ops@example.com");
  const std::string names = extension(pem, "X509v3 Subject Alternative Name");
  for (const char* name :
       {"email:ops@example.com", "email:web@example.com", "DNS:example.com", "IP Address:192.0.2.1"}) {
    CHECK_MESSAGE(names.find(name) != std::string::npos, names);
  }
  // A SAN field was given: the common name is no SAN of itself.
  CHECK(names.find("DNS:www.example.com") == std::string::npos);
  // C and emailAddress as their types demand (RFC 5280 appendix A.1), all else UTF8String.
  const std::string types = x509(pem, {"-subject", "-nameopt", "multiline,show_type"});
  const std::regex utf8("UTF8STRING:");
  CHECK(std::distance(std::sregex_iterator(types.begin(), types.end(), utf8), std::sregex_iterator()) == 5);
  CHECK(types.find("PRINTABLESTRING:JP") != std::string::npos);
  CHECK(types.find("IA5STRING:ops@example.com") != std::string::npos);
}

TEST_CASE("the 201 resource says what the certificate and the token say") {
  const ServerFixture server;
  Body root_body = certificate("root");
  root_body.set("algorithm", R"({"rsa_number_of_bits":2048})")
      .text("country_code", "us")
      .set("is_certificate_authority", "true");
  const Json root = server.must_generate(root_body);
  Body leaf_body = certificate("leaf");
  leaf_body.text("common_name", "www.example.com")
      .text("signed_by", "root")
      .text("digest", "sha384")
      .set("is_block_privateKey", "false")
      .set("day_till_expiration", "90");
  const long long before = std::time(nullptr);
  const Reply reply = server.generate(leaf_body);
  const long long after = std::time(nullptr);
  REQUIRE(reply.status == 201);
  const Json leaf = reply.json();
  const std::string pem = leaf["public_key"].text();
  CHECK(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));

  const std::set<std::string> promised = {"id",
                                          "name",
                                          "folder",
                                          "common_name",
                                          "common_name_int",
                                          "algorithm",
                                          "ca",
                                          "subject",
                                          "subject_int",
                                          "issuer",
                                          "subject_hash",
                                          "issuer_hash",
                                          "public_key",
                                          "digest",
                                          "not_valid_before",
                                          "not_valid_after",
                                          "expiry_epoch",
                                          "serial_number",
                                          "status",
                                          "signed_by",
                                          "san",
                                          "warnings",
                                          "key",
                                          "fingerprint_sha256"};
  const std::vector<std::string> names = leaf.names();
  CHECK(std::set<std::string>(names.begin(), names.end()) == promised);

  CHECK(
      std::regex_match(leaf["id"].text(), std::regex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")));
  CHECK(leaf["name"].text() == "leaf");
  CHECK(leaf["folder"].text() == "Shared");
  CHECK(leaf["common_name"].text() == "www.example.com");
  CHECK(leaf["common_name_int"].text() == "www.example.com");
  CHECK(leaf["algorithm"].text() == "EC");
  CHECK(root["algorithm"].text() == "RSA");
  CHECK(leaf["ca"].boolean() == false);
  CHECK(root["ca"].boolean() == true);
  CHECK(leaf["subject"].text() == oneline_subject(pem));
  CHECK(leaf["subject_int"].text() == leaf["subject"].text());
  CHECK(leaf["issuer"].text() == "/C=US/CN=Test root");
  CHECK(leaf["subject_hash"].text() == x509(pem, {"-subject_hash_old"}));
  CHECK(leaf["issuer_hash"].text() == x509(pem, {"-issuer_hash_old"}));
  CHECK(leaf["issuer_hash"].text() == root["subject_hash"].text());

  CHECK(not_before(pem) >= before);
  CHECK(not_before(pem) <= after);
  CHECK(not_after(pem) == not_before(pem) + 90 * 86400);
  CHECK(leaf["not_valid_before"].text() == utc_date(not_before(pem)));
  CHECK(leaf["not_valid_after"].text() == utc_date(not_after(pem)));
  CHECK(leaf["expiry_epoch"].text() == std::to_string(not_after(pem)));

  CHECK(upper(leaf["serial_number"].text()) == x509(pem, {"-serial"}).substr(std::string("serial=").size()));
  CHECK(upper(leaf["fingerprint_sha256"].text()) ==
        x509(pem, {"-fingerprint", "-sha256"}).substr(std::string("sha256 Fingerprint=").size()));
  CHECK(leaf["status"].text() == "valid");
  CHECK(leaf["signed_by"].text() == "root");
  CHECK(leaf["digest"].text() == "sha384");
  CHECK(leaf["san"].texts() == std::vector<std::string>{"DNS:www.example.com"});
  CHECK(leaf["warnings"].texts().empty());

  const Json& key = leaf["key"];
  std::string id = leaf["id"].text();
  std::erase(id, '-');
  CHECK(key["token_label"].text() == server.token().label());
  CHECK(key["token_serial"].text().size() == 16);
  std::string key_id = key["id"].text();
  std::erase(key_id, '-');
  CHECK(key_id == id);
  CHECK(key["type"].text() == "EC");
  CHECK(key["bits"].integer() == 256);
  CHECK(key["sensitive"].boolean() == true);
  CHECK(key["always_sensitive"].boolean() == true);
  CHECK(key["extractable"].boolean() == true);
  CHECK(key["never_extractable"].boolean() == false);
  CHECK(key["local"].boolean() == true);
  CHECK(root["key"]["type"].text() == "RSA");
  CHECK(root["key"]["bits"].integer() == 2048);
  CHECK(root["key"]["extractable"].boolean() == false);
  CHECK(root["key"]["never_extractable"].boolean() == true);

  // The same resource, whenever it is asked for.
  CHECK(server.get("/certificates/" + leaf["id"].text()).body == reply.body);
}

TEST_CASE("what every certificate has") {
  const ServerFixture server;
  std::set<std::string> serials;
  const Json root = server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  const std::string issuer = root["public_key"].text();
  for (int i = 0; i < 20; ++i) {
    const Json leaf = server.must_generate(certificate("leaf " + std::to_string(i)).text("signed_by", "root"));
    const std::string pem = leaf["public_key"].text();
    const std::string serial = x509(pem, {"-serial"}).substr(7);
    CHECK(serial.size() <= 40);
    CHECK(serial.size() >= 32);  // 160 random bits, the first of them 0: shorter once in 2^31
    CHECK(serial[0] != '-');
    // The certificate's own octets: RFC 5280 4.1.2.2 allows 20, so the top bit of the first is clear when 20 are there.
    if (serial.size() == 40) CHECK(std::string("01234567").find(serial[0]) != std::string::npos);
    serials.insert(serial);
    CHECK(x509_text(pem).find("Version: 3 (0x2)") != std::string::npos);
    CHECK_FALSE(extension(pem, "X509v3 Subject Key Identifier").empty());
    CHECK(extension(pem, "X509v3 Authority Key Identifier").find(extension(issuer, "X509v3 Subject Key Identifier")) !=
          std::string::npos);
  }
  CHECK(serials.size() == 20);
}

TEST_CASE("defaults: 365 days, a leaf, the key blocked, self-signed") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("plain"));
  const std::string pem = made["public_key"].text();
  CHECK(not_after(pem) - not_before(pem) == 365 * 86400);
  CHECK(made["ca"].boolean() == false);
  CHECK(made["key"]["extractable"].boolean() == false);
  CHECK(made["key"]["never_extractable"].boolean() == true);
  CHECK(made["signed_by"].text() == "");
  CHECK(made["issuer"].text() == made["subject"].text());
}

TEST_CASE("weak choices are made and said") {
  const ServerFixture server;
  struct Row {
    int bits;
    std::string digest;
    std::size_t least;  // warnings
  };
  for (const Row& row : {Row{512, "md5", 2}, Row{1024, "sha256", 1}, Row{2048, "sha1", 1}, Row{2048, "md5", 1},
                         Row{2048, "sha256", 0}}) {
    CAPTURE(row.bits);
    CAPTURE(row.digest);
    Body body = certificate("w" + std::to_string(row.bits) + row.digest);
    body.set("algorithm", "{\"rsa_number_of_bits\":" + std::to_string(row.bits) + "}").text("digest", row.digest);
    const std::vector<std::string> warnings = server.must_generate(body)["warnings"].texts();
    if (row.least == 0) {
      CHECK(warnings.empty());
    } else {
      CHECK(warnings.size() >= row.least);
    }
  }
}

TEST_CASE("the container: three kinds, in the body or in the query") {
  const ServerFixture server;
  for (const std::string kind : {"folder", "snippet", "device"}) {
    CAPTURE(kind);
    Body body = certificate("in body");
    body.drop("folder").text(kind, "A b.c-d_9");
    CHECK(server.must_generate(body)[kind].text() == "A b.c-d_9");
    body.drop(kind).text("certificate_name", "in query");
    const Reply query = server.post("/certificates?" + kind + "=A%20b.c-d_9", body.json());
    REQUIRE_MESSAGE(query.status == 201, query.body);
    CHECK(query.json()[kind].text() == "A b.c-d_9");
    body.text("certificate_name", "in both").text(kind, "A b.c-d_9");
    CHECK(server.post("/certificates?" + kind + "=A+b.c-d_9", body.json()).status == 201);
    body.text("certificate_name", "unequal");
    CHECK(server.post("/certificates?" + kind + "=Other", body.json()).status == 400);
    CHECK(
        server
            .post("/certificates?" + std::string(kind == "device" ? "folder" : "device") + "=A%20b.c-d_9", body.json())
            .status == 400);
  }
  CHECK(server.rows() == 9);
  CHECK(server.keys() == 9);
}

TEST_CASE("each constraint is refused by the field's name, before a key is made") {
  const ServerFixture server;
  struct Row {
    std::string field;  // "" : the whole body stands in `json`
    std::string json;   // "" : the field is left out
    std::string named;  // the sentence begins with this
  };
  const Row rows[] = {
      {"folder", "", "folder"},
      {"folder", quote(""), "folder"},
      {"folder", quote(repeated("f", 65)), "folder"},
      {"folder", quote("a/b"), "folder"},
      {"folder", quote("ä"), "folder"},
      {"folder", "7", "folder"},
      {"snippet", quote("also"), "snippet"},
      {"algorithm", "", "algorithm"},
      {"algorithm", "{}", "algorithm"},
      {"algorithm", "\"rsa\"", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":2048,"ecdsa_number_of_bits":256})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":2048,"extra":1})", "algorithm"},
      {"algorithm", R"({"dsa_number_of_bits":2048})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":1536})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":256})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":8192})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":-2048})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":2048.5})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":1e400})", ""},
      {"algorithm", R"({"rsa_number_of_bits":"2048"})", "algorithm"},
      {"algorithm", R"({"rsa_number_of_bits":null})", "algorithm"},
      {"algorithm", R"({"ecdsa_number_of_bits":224})", "algorithm"},
      {"algorithm", R"({"ecdsa_number_of_bits":512})", "algorithm"},
      {"algorithm", R"({"ecdsa_number_of_bits":2048})", "algorithm"},
      {"algorithm", R"({"ecdsa_number_of_bits":3072})", "algorithm"},
      {"algorithm", R"({"ecdsa_number_of_bits":4096})", "algorithm"},
      {"certificate_name", "", "certificate_name"},
      {"certificate_name", quote(""), "certificate_name"},
      {"certificate_name", quote(repeated("n", 256)), "certificate_name"},
      {"certificate_name", "[]", "certificate_name"},
      {"common_name", "", "common_name"},
      {"common_name", quote(""), "common_name"},
      {"common_name", quote(repeated("c", 65)), "common_name"},
      {"common_name", "null", "common_name"},
      {"common_name", R"("a\u0000b")", "common_name"},
      {"digest", "", "digest"},
      {"digest", quote("sha224"), "digest"},
      {"digest", quote("SHA256"), "digest"},
      {"digest", quote("md5"), "digest"},  // P-256 signs itself: no ECDSA with MD5
      {"signed_by", quote("nobody"), "signed_by"},
      {"signed_by", quote("00000000-0000-4000-8000-000000000000"), "signed_by"},
      {"signed_by", quote(repeated("s", 65)), "signed_by"},
      {"signed_by", "true", "signed_by"},
      {"is_certificate_authority", quote("true"), "is_certificate_authority"},
      {"is_certificate_authority", "1", "is_certificate_authority"},
      {"is_block_privateKey", quote("false"), "is_block_privateKey"},
      {"is_block_privateKey", "0", "is_block_privateKey"},
      {"day_till_expiration", "0", "day_till_expiration"},
      {"day_till_expiration", "-1", "day_till_expiration"},
      {"day_till_expiration", "36501", "day_till_expiration"},
      {"day_till_expiration", "99999999999999999999", "day_till_expiration"},
      {"day_till_expiration", "1.5", "day_till_expiration"},
      {"day_till_expiration", quote("365"), "day_till_expiration"},
      {"country_code", quote(""), "country_code"},
      {"country_code", quote("U"), "country_code"},
      {"country_code", quote("USA"), "country_code"},
      {"country_code", quote("U1"), "country_code"},
      {"country_code", quote("ÜS"), "country_code"},
      {"state", quote(""), "state"},
      {"state", quote(repeated("s", 33)), "state"},
      {"locality", quote(""), "locality"},
      {"locality", quote(repeated("l", 65)), "locality"},
      {"department", quote("Web"), "department"},
      {"department", quote_all({"Web", ""}), "department"},
      {"department", quote_all({repeated("d", 65)}), "department"},
      {"department", "[1]", "department"},
      {"email", quote("nobody"), "email"},
      {"email", quote("a@"), "email"},
      {"email", quote("@example.com"), "email"},
      {"email", quote("a b@example.com"), "email"},
      {"email", quote("a@example.com\nb"), "email"},
      {"email", quote(repeated("e", 64) + "@" + repeated("a.", 100) + "example"), "email"},
      {"alternate_email", quote_all({"a@example.com", "nobody"}), "alternate_email"},
      {"alternate_email", quote("a@example.com"), "alternate_email"},
      {"hostname", quote_all({""}), "hostname"},
      {"hostname", quote_all({"two words"}), "hostname"},
      {"hostname", quote_all({"a..example.com"}), "hostname"},
      {"hostname", quote_all({"-a.example.com"}), "hostname"},
      {"hostname", quote_all({"a.*.example.com"}), "hostname"},
      {"hostname", quote_all({"*"}), "hostname"},
      {"hostname", quote_all({"bücher.example"}), "hostname"},
      {"hostname", quote_all({repeated("h", 60) + ".com.x"}), "hostname"},
      {"hostname", quote_all({"http://example.com"}), "hostname"},
      {"ip", quote_all({"192.0.2"}), "ip"},
      {"ip", quote_all({"192.0.2.256"}), "ip"},
      {"ip", quote_all({"192.0.2.0/24"}), "ip"},
      {"ip", quote_all({"2001:db8::1::2"}), "ip"},
      {"ip", quote_all({""}), "ip"},
      {"ocsp_responder_url", quote("ftp://example.com/"), "ocsp_responder_url"},
      {"ocsp_responder_url", quote("ocsp.example.com"), "ocsp_responder_url"},
      {"ocsp_responder_url", quote("http://"), "ocsp_responder_url"},
      {"ocsp_responder_url", quote("http://example.com/a b"), "ocsp_responder_url"},
      {"ocsp_responder_url", quote("http://example.com/" + repeated("x", 46)), "ocsp_responder_url"},
      {"organization", quote("x"), "organization"},
      {"is_block_private_key", "true", "is_block_private_key"},
      {"Digest", quote("sha256"), "Digest"},
      {"", "[]", ""},
      {"", "\"text\"", ""},
      {"", "null", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.field);
    CAPTURE(row.json);
    Body body = certificate("refused");
    if (row.json.empty()) {
      body.drop(row.field);
    } else {
      body.set(row.field, row.json);
    }
    const Reply reply = server.post("/certificates", row.field.empty() ? row.json : body.json());
    if (row.named.empty()) {
      CHECK(reply.status == 400);
      continue;
    }
    const std::vector<std::string> sentences = check_invalid_object(reply);
    CHECK_MESSAGE(sentences.size() == 1, reply.body);
    CHECK_MESSAGE(names_field(sentences, row.named), reply.body);
  }
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
}

TEST_CASE("the contract's own example of a refusal, word for word") {
  const ServerFixture server;
  const Reply reply = server.generate(certificate("x").set("day_till_expiration", "0"));
  CHECK(check_invalid_object(reply) == std::vector<std::string>{"day_till_expiration: must be at least 1"});
}

TEST_CASE("a curve of 2048 bits is refused with a sentence that says there is none") {
  const ServerFixture server;
  const Reply reply = server.generate(certificate("x").set("algorithm", R"({"ecdsa_number_of_bits":2048})"));
  const std::vector<std::string> sentences = check_invalid_object(reply);
  REQUIRE(sentences.size() == 1);
  CHECK_MESSAGE(sentences[0].find("curve") != std::string::npos, sentences[0]);
}

TEST_CASE("all faults of a body come at once") {
  const ServerFixture server;
  Body body;
  body.text("folder", "a/b")
      .set("algorithm", R"({"rsa_number_of_bits":1536})")
      .set("certificate_name", "1")
      .text("digest", "sha3")
      .text("signed_by", "nobody")
      .set("day_till_expiration", "0")
      .text("country_code", "USA")
      .text("state", "")
      .set("department", quote_all({"ok", ""}))
      .text("email", "nobody")
      .set("hostname", quote_all({"a b"}))
      .set("ip", quote_all({"1.2.3"}))
      .text("ocsp_responder_url", "x")
      .text("colour", "red");
  const Reply reply = server.generate(body);
  const std::vector<std::string> sentences = check_invalid_object(reply);
  for (const char* field :
       {"folder", "algorithm", "certificate_name", "common_name", "digest", "signed_by", "day_till_expiration",
        "country_code", "state", "department", "email", "hostname", "ip", "ocsp_responder_url", "colour"}) {
    CHECK_MESSAGE(names_field(sentences, field), field);
  }
  CHECK(server.keys() == 0);
}

TEST_CASE("an RSA key too short for its own signature is refused before it is made") {
  const ServerFixture server;
  for (const char* digest : {"sha384", "sha512"}) {
    Body body = certificate("short");
    body.set("algorithm", R"({"rsa_number_of_bits":512})").text("digest", digest);
    const std::vector<std::string> sentences = check_invalid_object(server.generate(body));
    REQUIRE(sentences.size() == 1);
    CHECK_MESSAGE(sentences[0].find("512") != std::string::npos, sentences[0]);
  }
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
}

TEST_CASE("names at their longest, and in two containers") {
  const ServerFixture server;
  const std::string longest = repeated("é", 255);
  const Json first = server.must_generate(certificate("x").text("certificate_name", longest));
  CHECK(first["name"].text() == longest);
  CHECK(server.generate(certificate("x").text("certificate_name", longest).text("folder", "Other")).status == 201);
  check_error(server.generate(certificate("x").text("certificate_name", longest)), 409, "E006", "Name Not Unique");
  // 64 characters, 128 octets: the limits count characters.
  const std::string wide = repeated("ü", 64);
  CHECK(server.must_generate(certificate("wide").text("common_name", wide))["common_name"].text() == wide);
  CHECK(server.keys() == 3);
}

TEST_CASE("three prefixes make certificates in one store") {
  const ServerFixture server;
  int number = 0;
  for (const char* prefix : {"", "/config/identity/v1", "/sse/config/v1"}) {
    const Reply reply =
        server.post(std::string(prefix) + "/certificates", certificate("p" + std::to_string(++number)).json());
    CHECK_MESSAGE(reply.status == 201, reply.body);
  }
  CHECK(server.rows() == 3);
}
