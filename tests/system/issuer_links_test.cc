// Who signed whom, where a certificate comes by import: its authority stays, and nobody has it twice.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "system/server.h"

using namespace system_test;

namespace {

Body import_of(const std::string& name, const std::string& pem) {
  return Body().text("folder", "Shared").text("name", name).text("format", "pem").text("certificate_file", pem);
}

Reply remove(const ServerFixture& server, const Json& certificate_json) {
  return server.send({"DELETE", "/certificates/" + certificate_json["id"].text(), {}, ""});
}

}  // namespace

TEST_CASE("an authority stays while an unexpired certificate that it signed is here, by import or otherwise") {
  const ServerFixture server;
  const Json root = server.must_generate(certificate("root").set("is_certificate_authority", "true"));
  const Json leaf = server.must_generate(certificate("leaf").text("signed_by", "root"));
  CHECK(remove(server, leaf).status == 200);
  const Reply imported = server.post("/certificates:import", import_of("again", leaf["public_key"].text()).json());
  REQUIRE_MESSAGE(imported.status == 201, imported.body);
  check_error(remove(server, root), 409, "E009", "Reference Not Zero");
  CHECK(remove(server, imported.json()).status == 200);
  CHECK(remove(server, root).status == 200);
  CHECK(server.keys() == 0);
}

TEST_CASE("of several imports of one certificate at one time, one succeeds") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("made"));
  CHECK(remove(server, made).status == 200);
  std::atomic<int> done = 0;
  std::atomic<int> refused = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&, i] {
        const Reply reply = server.post("/certificates:import",
                                        import_of("copy " + std::to_string(i), made["public_key"].text()).json());
        done += reply.status == 201 ? 1 : 0;
        refused += reply.status == 409 ? 1 : 0;
      });
    }
  }
  CHECK(done == 1);
  CHECK(refused == 7);
  CHECK(server.rows() == 1);
}
