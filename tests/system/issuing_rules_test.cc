// Who may sign what: chains, the search for signed_by, the issuer's own limits, and many at once.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "system/server.h"
#include "system/x509.h"

using namespace system_test;

namespace {

Body authority(const std::string& name) { return certificate(name).set("is_certificate_authority", "true"); }

}  // namespace

TEST_CASE("a chain of depth five, of mixed algorithms") {
  const ServerFixture server;
  const char* algorithms[] = {R"({"rsa_number_of_bits":2048})", R"({"ecdsa_number_of_bits":384})",
                              R"({"rsa_number_of_bits":1024})", R"({"ecdsa_number_of_bits":521})"};
  std::vector<std::string> pems;
  std::string issuer;
  for (int depth = 0; depth < 4; ++depth) {
    const std::string name = "ca " + std::to_string(depth);
    const Json made = server.must_generate(
        authority(name).set("algorithm", algorithms[depth]).text("signed_by", issuer).text("digest", "sha384"));
    CHECK(made["signed_by"].text() == issuer);
    pems.push_back(made["public_key"].text());
    issuer = name;
  }
  const Json leaf =
      server.must_generate(certificate("leaf").text("common_name", "a.example.com").text("signed_by", issuer));
  CHECK(leaf["issuer"].text() == "/CN=Test ca 3");
  CHECK(verify(leaf["public_key"].text(), pems[1] + pems[2] + pems[3], pems[0]) == "");
  // Without one link there is no chain: openssl did look.
  CHECK(verify(leaf["public_key"].text(), pems[1] + pems[3], pems[0]) != "");
}

TEST_CASE("signed_by: by name here, by id, elsewhere if unique, else named as ambiguous") {
  const ServerFixture server;
  const Json here = server.must_generate(authority("ca").text("common_name", "Here"));
  const Json there = server.must_generate(authority("ca").text("common_name", "There").text("folder", "There"));
  server.must_generate(authority("only one").text("folder", "There").text("common_name", "Only"));

  struct Row {
    std::string container;
    std::string signed_by;
    std::string issuer;  // "": refused
    std::string says;
  };
  const Row rows[] = {
      {"Shared", "ca", "/CN=Here", ""},
      {"There", "ca", "/CN=There", ""},
      {"Shared", there["id"].text(), "/CN=There", ""},
      {"There", here["id"].text(), "/CN=Here", ""},
      {"Third", "only one", "/CN=Only", ""},
      {"Shared", "only one", "/CN=Only", ""},
      {"Third", "ca", "", "ca"},  // two of them, neither here
      {"Third", "nobody", "", ""},
  };
  int number = 0;
  std::size_t made = 3;
  for (const Row& row : rows) {
    CAPTURE(row.container);
    CAPTURE(row.signed_by);
    const Reply reply = server.generate(
        certificate("leaf " + std::to_string(++number)).text("folder", row.container).text("signed_by", row.signed_by));
    if (!row.issuer.empty()) {
      REQUIRE_MESSAGE(reply.status == 201, reply.body);
      CHECK(reply.json()["issuer"].text() == row.issuer);
      ++made;
      continue;
    }
    const std::vector<std::string> sentences = check_invalid_object(reply);
    CHECK(names_field(sentences, "signed_by"));
    CHECK(reply.body.find(row.says) != std::string::npos);
  }
  const auto ambiguous =
      check_invalid_object(server.generate(certificate("x").text("folder", "Z").text("signed_by", "ca")));
  const auto unknown =
      check_invalid_object(server.generate(certificate("x").text("folder", "Z").text("signed_by", "no")));
  CHECK(ambiguous != unknown);
  CHECK(server.keys() == made);
}

TEST_CASE("an id means the certificate of that id, not one that was given it for a name") {
  const ServerFixture server;
  const Json root = server.must_generate(authority("root").text("common_name", "Root"));
  const std::string id = root["id"].text();
  server.must_generate(authority(id).text("common_name", "Impostor").text("folder", "Other"));
  server.must_generate(authority(id).text("common_name", "Impostor"));
  for (const char* folder : {"Shared", "Other", "Third"}) {
    CAPTURE(folder);
    const Json made = server.must_generate(certificate("leaf").text("folder", folder).text("signed_by", id));
    CHECK(made["issuer"].text() == "/CN=Root");
  }
}

TEST_CASE("of many namesakes elsewhere a few are told") {
  const ServerFixture server;
  for (int i = 0; i < 8; ++i) server.must_generate(authority("ca").text("folder", "F" + std::to_string(i)));
  const auto sentences = check_invalid_object(server.generate(certificate("x").text("signed_by", "ca")));
  REQUIRE(sentences.size() == 1);
  CHECK(sentences[0].find("folder F0") != std::string::npos);
  CHECK(sentences[0].find("and more") != std::string::npos);
  CHECK(sentences[0].find("folder F7") == std::string::npos);
}

TEST_CASE("only an authority signs") {
  const ServerFixture server;
  server.must_generate(certificate("leaf"));
  const auto sentences = check_invalid_object(server.generate(certificate("x").text("signed_by", "leaf")));
  CHECK(names_field(sentences, "signed_by"));
  CHECK(server.keys() == 1);
  CHECK(server.rows() == 1);
}

TEST_CASE("signed_by external never gives a certificate of its own") {
  const ServerFixture server;
  for (const char* word : {"external", "External", "EXTERNAL"}) {
    const Reply reply = server.generate(certificate(word).text("signed_by", word));
    if (reply.status == 201) {
      CHECK(reply.json()["status"].text() == "pending");
      CHECK_FALSE(reply.json()["public_key"].exists());
    } else {
      CHECK(names_field(check_invalid_object(reply), "signed_by"));
      CHECK(server.keys() == 0);
    }
  }
}

TEST_CASE("no certificate outlives its issuer") {
  const ServerFixture server;
  const Json root = server.must_generate(authority("root").set("day_till_expiration", "10"));
  const long long end = not_after(root["public_key"].text());

  const auto sentences = check_invalid_object(
      server.generate(certificate("x").text("signed_by", "root").set("day_till_expiration", "11")));
  CHECK(names_field(sentences, "day_till_expiration"));
  CHECK(server.keys() == 1);

  const Json shorter =
      server.must_generate(certificate("nine").text("signed_by", "root").set("day_till_expiration", "9"));
  CHECK(not_after(shorter["public_key"].text()) < end);

  // The default is what the issuer has left.
  const Json clipped = server.must_generate(certificate("default").text("signed_by", "root"));
  CHECK(not_after(clipped["public_key"].text()) <= end);
  CHECK(not_after(clipped["public_key"].text()) > end - 86400);
  CHECK(clipped["expiry_epoch"].text() == std::to_string(not_after(clipped["public_key"].text())));
  CHECK(verify(clipped["public_key"].text(), "", root["public_key"].text()) == "");
}

TEST_CASE("an issuer with more than a year left gives the default 365 days") {
  const ServerFixture server;
  server.must_generate(authority("root").set("day_till_expiration", "3650"));
  const std::string pem = server.must_generate(certificate("x").text("signed_by", "root"))["public_key"].text();
  CHECK(not_after(pem) - not_before(pem) == 365 * 86400);
}

TEST_CASE("what the issuer's key cannot sign is refused, whatever the subject's key is") {
  const ServerFixture server;
  server.must_generate(authority("short").set("algorithm", R"({"rsa_number_of_bits":512})"));
  server.must_generate(authority("curve"));
  struct Row {
    const char* issuer;
    const char* digest;
    bool issued;
  };
  int number = 0;
  for (const Row& row : {Row{"short", "sha384", false}, Row{"short", "sha512", false}, Row{"short", "sha256", true},
                         Row{"curve", "md5", false}, Row{"curve", "sha1", true}}) {
    CAPTURE(row.issuer);
    CAPTURE(row.digest);
    const Reply reply = server.generate(certificate("leaf " + std::to_string(++number))
                                            .set("algorithm", R"({"rsa_number_of_bits":1024})")
                                            .text("signed_by", row.issuer)
                                            .text("digest", row.digest));
    if (row.issued) {
      CHECK_MESSAGE(reply.status == 201, reply.body);
    } else {
      check_invalid_object(reply);
    }
  }
  CHECK(server.keys() == 4);
  CHECK(server.rows() == 4);
}

TEST_CASE("sixteen at once for one name: one is made, fifteen are told") {
  const ServerFixture server;
  for (int round = 0; round < 3; ++round) {
    const std::size_t keys = server.keys();
    std::vector<Reply> replies(16);
    {
      std::vector<std::jthread> clients;
      for (Reply& reply : replies) {
        clients.emplace_back([&] { reply = server.generate(certificate("round " + std::to_string(round))); });
      }
    }
    int made = 0;
    for (const Reply& reply : replies) {
      if (reply.status == 201) {
        ++made;
      } else {
        check_error(reply, 409, "E006", "Name Not Unique");
      }
    }
    CHECK(made == 1);
    CHECK(server.keys() == keys + 1);
    CHECK(server.rows() == keys + 1);
  }
}

TEST_CASE("many at once for many names: all are made, each with a key of its own") {
  const ServerFixture server;
  server.must_generate(authority("root"));
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 8; ++client) {
      clients.emplace_back([&, client] {
        for (int i = 0; i < 5; ++i) {
          const std::string name = std::to_string(client) + "-" + std::to_string(i);
          if (server.generate(certificate(name).text("signed_by", "root")).status == 201) ++made;
        }
      });
    }
  }
  CHECK(made == 40);
  CHECK(server.keys() == 41);
  CHECK(server.rows() == 41);
}
