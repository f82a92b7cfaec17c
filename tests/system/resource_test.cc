// GET /certificates and GET /certificates/{id}: the GET rows of section 4, and section 1.
#include <doctest/doctest.h>

#include "system/server.h"

using namespace system_test;

namespace {

std::vector<std::string> names_of(const Reply& reply) {
  std::vector<std::string> names;
  const Json json = reply.json();
  for (const Json& item : json["data"].items()) names.push_back(item["name"].text());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("an empty store lists nothing") {
  const ServerFixture server;
  const Reply reply = server.get("/certificates");
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type").starts_with("application/json"));
  const Json json = reply.json();
  CHECK(json["data"].kind() == Json::Kind::array);
  CHECK(json["data"].items().empty());
  CHECK(json["offset"].integer() == 0);
  CHECK(json["total"].integer() == 0);
  CHECK(json["limit"].integer() == 200);
  CHECK(json.members().size() == 4);
}

TEST_CASE("the list: order, pages, totals, containers") {
  const ServerFixture server;
  for (const char* name : {"d", "b", "e", "a", "c"}) server.must_generate(certificate(name));
  server.must_generate(certificate("bb").drop("folder").text("snippet", "Shared"));
  server.must_generate(certificate("dd").text("folder", "Other"));
  server.must_generate(certificate("ee").drop("folder").text("device", "fw-1"));

  struct Row {
    std::string query;
    Names names;
    int total;
    int offset;
    int limit;
  };
  const Row rows[] = {
      {"", {"a", "b", "bb", "c", "d", "dd", "e", "ee"}, 8, 0, 200},
      {"?folder=Shared", {"a", "b", "c", "d", "e"}, 5, 0, 200},
      {"?snippet=Shared", {"bb"}, 1, 0, 200},
      {"?folder=Other", {"dd"}, 1, 0, 200},
      {"?device=fw-1", {"ee"}, 1, 0, 200},
      {"?folder=None", {}, 0, 0, 200},
      {"?limit=3", {"a", "b", "bb"}, 8, 0, 3},
      {"?limit=3&offset=3", {"c", "d", "dd"}, 8, 3, 3},
      {"?limit=3&offset=6", {"e", "ee"}, 8, 6, 3},
      {"?limit=3&offset=8", {}, 8, 8, 3},
      {"?offset=100", {}, 8, 100, 200},
      {"?folder=Shared&limit=2&offset=1", {"b", "c"}, 5, 1, 2},
      {"?limit=5000", {"a", "b", "bb", "c", "d", "dd", "e", "ee"}, 8, 0, 5000},
      {"?limit=1", {"a"}, 8, 0, 1},
  };
  for (const Row& row : rows) {
    CAPTURE(row.query);
    const Reply reply = server.get("/certificates" + row.query);
    REQUIRE_MESSAGE(reply.status == 200, reply.body);
    const Json json = reply.json();
    CHECK(names_of(reply) == row.names);
    CHECK(json["total"].integer() == row.total);
    CHECK(json["offset"].integer() == row.offset);
    CHECK(json["limit"].integer() == row.limit);
  }
}

TEST_CASE("a listed certificate is the resource itself") {
  const ServerFixture server;
  const Reply made = server.generate(certificate("one"));
  REQUIRE(made.status == 201);
  const Reply list = server.get("/certificates");
  CHECK(list.body.find(made.body) != std::string::npos);
  CHECK(server.get("/certificates/" + made.json()["id"].text()).body == made.body);
}

TEST_CASE("by name and container: the object's fields and the envelope's, in one object") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("a b&c"));
  server.must_generate(certificate("a b&c").text("folder", "Other"));
  const Reply reply = server.get("/certificates?folder=Shared&name=a%20b%26c");
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  const Json json = reply.json();
  for (const std::string& name : made.names()) {
    CAPTURE(name);
    CHECK(json[name].exists());
  }
  CHECK(json.members().size() == made.members().size() + 4);
  CHECK(json["id"].text() == made["id"].text());
  CHECK(json["folder"].text() == "Shared");
  CHECK(names_of(reply) == Names{"a b&c"});
  CHECK(json["data"].at(0)["id"].text() == made["id"].text());
  CHECK(json["total"].integer() == 1);
  CHECK(json["offset"].integer() == 0);
  CHECK(json["limit"].integer() == 200);

  check_error(server.get("/certificates?folder=Shared&name=nobody"), 404, "E005", "Object Not Present");
  check_error(server.get("/certificates?snippet=Shared&name=a%20b%26c"), 404, "E005", "Object Not Present");
  check_error(server.get("/certificates?name=a"), 400, "E003", "Missing Query Parameter: folder");
}

TEST_CASE("unknown and bad query parameters are refused as they were written") {
  const ServerFixture server;
  for (const char* parameter :
       {"location=invalid", "limit=0", "limit=5001", "limit=-1", "limit=abc", "limit=1.5", "limit=", "offset=-1",
        "offset=x", "limit=99999999999999999999", "Folder=x", "position=pre"}) {
    CAPTURE(parameter);
    check_error(server.get("/certificates?" + std::string(parameter)), 400, "E003",
                "Invalid Query Parameter: " + std::string(parameter));
  }
  CHECK(server.get("/certificates?folder=a&snippet=b").status == 400);
  CHECK(server.get("/certificates?folder=a&folder=b").status == 400);
  CHECK(server.get("/certificates?limit=1&limit=2").status == 400);
}

TEST_CASE("by id") {
  const ServerFixture server;
  const std::string id = server.must_generate(certificate("x"))["id"].text();
  CHECK(server.get("/certificates/" + id).status == 200);
  check_error(server.get("/certificates/00000000-0000-4000-8000-000000000000"), 404, "E005", "Object Not Present");
  for (const char* no_uuid :
       {"x", "123", "00000000-0000-4000-8000-00000000000", "00000000-0000-4000-8000-0000000000000",
        "0000000000004000-8000-000000000000-", "..%2f..%2fetc", "%27%20OR%201%3D1"}) {
    CAPTURE(no_uuid);
    check_error(server.get("/certificates/" + std::string(no_uuid)), 400, "E013", "Bad XPath");
  }
}

TEST_CASE("three prefixes are one API, other versions are said to be none") {
  const ServerFixture server;
  const std::string id = server.must_generate(certificate("x"))["id"].text();
  const std::string body = server.get("/certificates/" + id).body;
  for (const char* prefix : {"", "/config/identity/v1", "/sse/config/v1"}) {
    CAPTURE(prefix);
    CHECK(server.get(std::string(prefix) + "/certificates/" + id).body == body);
    CHECK(names_of(server.get(std::string(prefix) + "/certificates?limit=1")) == Names{"x"});
  }
  for (const char* path :
       {"/config/identity/v2/certificates", "/sse/config/v9/certificates", "/config/identity/v10/certificates"}) {
    CAPTURE(path);
    check_error(server.get(path), 501, "E012", "Version Not Supported");
    check_error(server.post(path, certificate("y").json()), 501, "E012", "Version Not Supported");
  }
  for (const char* path : {"/", "/certificate", "/config/identity/certificates", "/config/v1/certificates", "/v1",
                           "/certificates/x/y", "/CERTIFICATES"}) {
    CAPTURE(path);
    check_error(server.get(path), 400, "E013", "Bad XPath");
  }
}
