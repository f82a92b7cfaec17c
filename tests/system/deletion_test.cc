// DELETE /certificates/{id}: the key goes, then the record; what still hangs on it keeps it.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "system/files.h"
#include "system/x509.h"

using namespace system_test;

namespace {

std::string path_of(const Json& made) { return "/certificates/" + made["id"].text(); }

Reply remove(const ServerFixture& server, const Json& made, const std::string& query = "",
             const std::string& body = "") {
  Request request{"DELETE", path_of(made) + query, {}, body};
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  return server.send(request);
}

Body authority(const std::string& name) { return certificate(name).set("is_certificate_authority", "true"); }

bool not_there(const Reply& reply) {
  check_error(reply, 404, "E005", "Object Not Present");
  return reply.status == 404;
}

}  // namespace

TEST_CASE("deletion answers the resource as it was, then key, record and name are gone") {
  const ServerFixture server;
  const Json stays = server.must_generate(certificate("stays"));
  for (const std::string algorithm : {R"({"ecdsa_number_of_bits":256})", R"({"rsa_number_of_bits":2048})"}) {
    const Json made = server.must_generate(certificate("x").set("algorithm", algorithm));
    const std::string before = server.get(path_of(made)).body;
    CHECK(keys_of(server, made) == 1);
    const Reply reply = remove(server, made);
    CHECK(reply.status == 200);
    CHECK(reply.header("content-type").starts_with("application/json"));
    CHECK(reply.body == before);
    CHECK(keys_of(server, made) == 0);
    CHECK(server.keys() == 1);
    CHECK(server.rows() == 1);
    not_there(server.get(path_of(made)));
    not_there(remove(server, made));
    not_there(export_as(server, made, "pem"));
    not_there(server.get("/certificates?folder=Shared&name=x"));
  }
  CHECK(server.generate(certificate("x")).status == 201);
  CHECK(server.get(path_of(stays)).status == 200);
}

TEST_CASE("an imported certificate, with its key and without") {
  const ServerFixture server;
  const std::string key = new_key("RSA:2048");
  const std::string pem = self_signed(key, "Imported", true);
  const Json with_key = must_import(server, import_body("with", "pem", pem, key));
  const Json without = must_import(server, import_body("without", "pem", pem).text("folder", "Other"));
  CHECK(server.keys() == 1);
  CHECK(remove(server, without).status == 200);
  CHECK(server.keys() == 1);
  CHECK(why_not_usable(server, with_key, "leaf") == "");
  const Json leaf = server.get("/certificates?folder=Shared&name=leaf").json();
  check_error(remove(server, with_key), 409, "E009", "Reference Not Zero");
  CHECK(remove(server, leaf).status == 200);
  CHECK(remove(server, with_key).status == 200);
  CHECK(server.keys() == 0);
  // It may come again, since it is gone.
  CHECK(import(server, import_body("with", "pem", pem, key)).status == 201);
}

TEST_CASE("an authority stays while an unexpired certificate signed by it exists") {
  const ServerFixture server;
  const Json root = server.must_generate(authority("root"));
  const Json sub = server.must_generate(authority("sub").text("signed_by", "root"));
  const Json leaf = server.must_generate(certificate("leaf").text("signed_by", "sub").text("folder", "Other"));
  for (const Json& made : {root, sub}) {
    check_error(remove(server, made), 409, "E009", "Reference Not Zero");
    CHECK(server.get(path_of(made)).status == 200);
  }
  CHECK(server.keys() == 3);
  // A refused deletion does not stop it from issuing.
  const Json second = server.must_generate(certificate("second").text("signed_by", "sub"));
  CHECK(remove(server, second).status == 200);

  CHECK(remove(server, leaf).status == 200);
  CHECK(remove(server, sub).status == 200);
  CHECK(remove(server, root).status == 200);
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
  const Reply late = server.generate(certificate("late").text("signed_by", root["id"].text()));
  CHECK(names_field(check_invalid_object(late), "signed_by"));
}

TEST_CASE("the container in query or body is heeded: another one's certificate is not there") {
  const ServerFixture server;
  const auto make = [&](const std::string& name) { return server.must_generate(certificate(name)); };
  const Json made = make("x");
  not_there(remove(server, made, "?folder=Other"));
  not_there(remove(server, made, "?snippet=Shared"));
  not_there(remove(server, made, "", R"({"folder":"Other"})"));
  not_there(remove(server, made, "?folder=Other", R"({"folder":"Other"})"));
  CHECK(names_field(check_invalid_object(remove(server, made, "?folder=Shared", R"({"folder":"Other"})")), "folder"));
  check_error(remove(server, made, "?foldr=Shared"), 400, "E003", "Invalid Query Parameter: foldr=Shared");
  check_error(remove(server, made, "", "{"), 400, "E003", "Malformed Command");
  CHECK(server.keys() == 1);
  CHECK(remove(server, made, "?folder=Shared").status == 200);
  CHECK(remove(server, make("y"), "", R"({"folder":"Shared"})").status == 200);
  // As the older client sends it: the object itself.
  const Json z = make("z");
  CHECK(remove(server, z, "?folder=Shared",
               Body().text("id", z["id"].text()).text("name", "z").text("folder", "Shared").json())
            .status == 200);
  CHECK(remove(server, make("v"), "", "{}").status == 200);
  CHECK(server.keys() == 0);
}

TEST_CASE("paths and ids that name none") {
  const ServerFixture server;
  not_there(server.send({"DELETE", "/certificates/00000000-0000-4000-8000-000000000000", {}, ""}));
  check_error(server.send({"DELETE", "/certificates/x", {}, ""}), 400, "E013", "Bad XPath");
  check_error(server.send({"DELETE", "/certificates", {}, ""}), 501, "E012", "Method Not Supported");
}

TEST_CASE("deletion needs the role of an issuer in that container") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const auto as = [&](const std::string& client_id, const std::vector<std::string>& grants) {
    const std::string bearer = "Bearer " + server.access_token(server.create_account(client_id, grants));
    return server.send({"DELETE", path_of(made), {{"Authorization", bearer}}, ""});
  };
  check_error(as("reader", {"reader=*"}), 403, "E007", "Unauthorized");
  check_error(as("exporter", {"exporter=*", "signer=*", "auditor=*"}), 403, "E007", "Unauthorized");
  check_error(as("reads-here", {"reader=folder:Shared", "issuer=folder:Other"}), 403, "E007", "Unauthorized");
  not_there(as("other", {"issuer=folder:Other"}));
  CHECK(server.keys() == 1);
  CHECK(as("issuer", {"issuer=folder:Shared"}).status == 200);
}

TEST_CASE("a token that does not destroy the key: nothing is deleted, and the authority still issues") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  const Json root = server.must_generate(authority("root"));
  const std::string before = server.get(path_of(root)).body;
  int number = 0;
  for (const std::string plan : {"C_DestroyObject rv=CKR_DEVICE_ERROR", "C_DestroyObject rv=CKR_FUNCTION_FAILED",
                                 "C_DestroyObject rv=CKR_ACTION_PROHIBITED"}) {
    CAPTURE(plan);
    server.plan(plan + "\n");
    const Reply reply = remove(server, root);
    CAPTURE(reply.body);
    CHECK((reply.status == 500 || reply.status == 503 || reply.status == 504));
    CHECK(reply.json()["_errors"].at(0)["code"].exists());
    CHECK(reply.body.find("CKR_") == std::string::npos);
    server.plan("");
    CHECK(server.get(path_of(root)).body == before);
    CHECK(keys_of(server, root) == 1);
    std::string problem = "not tried";
    for (int i = 0; i < 50 && !problem.empty(); ++i) {  // a token that failed is left alone for a moment
      problem = why_not_usable(server, root, "leaf " + std::to_string(++number));
      if (!problem.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    CHECK(problem == "");
    const Json leaf = server.get("/certificates?folder=Shared&name=leaf%20" + std::to_string(number)).json();
    CHECK(remove(server, leaf).status == 200);
  }
  CHECK(server.rows() == 1);
  CHECK(remove(server, root).status == 200);
  CHECK(server.keys() == 0);
}

TEST_CASE("a token that says no and has destroyed the key all the same: the deletion can be finished") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  const Json made = server.must_generate(certificate("x"));
  server.plan("C_DestroyObject rv=CKR_DEVICE_ERROR after times=1\n");
  const Reply reply = remove(server, made);
  CAPTURE(reply.body);
  server.plan("");
  CHECK((reply.status == 200 || reply.status >= 500));
  if (reply.status != 200) {
    Reply again = remove(server, made);
    for (int i = 0; i < 50 && again.status == 503; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      again = remove(server, made);
    }
    CHECK_MESSAGE(again.status == 200, again.body);
  }
  not_there(server.get(path_of(made)));
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
}

TEST_CASE("killed in the middle of a deletion: after the restart it is there whole, or can be deleted") {
  ServerOptions options;
  options.faults = true;
  ServerFixture server(options);
  const Json made = server.must_generate(certificate("x"));
  server.plan("C_DestroyObject delay_ms=3000\n");
  {
    const std::jthread client([&] { remove(server, made); });
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    server.kill();
  }
  server.plan("");
  server.start();
  CHECK(server.get(path_of(made)).status == 200);
  CHECK(remove(server, made).status == 200);
  CHECK(server.keys() == 0);
  CHECK(server.rows() == 0);
}

TEST_CASE("of eight deletions at once exactly one is answered 200") {
  const ServerFixture server;
  for (int round = 0; round < 5; ++round) {
    const Json made = server.must_generate(certificate("x"));
    std::vector<Reply> replies(8);
    {
      std::vector<std::jthread> threads;
      for (Reply& reply : replies) threads.emplace_back([&] { reply = remove(server, made); });
    }
    int done = 0;
    for (const Reply& reply : replies) {
      CAPTURE(reply.body);
      CHECK((reply.status == 200 || reply.status == 404));
      done += reply.status == 200 ? 1 : 0;
    }
    CHECK(done == 1);
    CHECK(server.keys() == 0);
    CHECK(server.rows() == 0);
  }
}

TEST_CASE("an authority deleted while eight clients issue under it: no certificate is left without its issuer") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  int deleted = 0;
  int kept = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    const std::string folder = "round-" + std::to_string(round);
    const Json root = server.must_generate(authority("root").text("folder", folder));
    // First while all of them are waiting for their keys, then at any moment, then with one answered.
    server.plan(round < 3 ? "C_GenerateKeyPair delay_ms=600\n" : "");
    const bool after_the_first = round >= 9;
    std::vector<Reply> issued(8);
    std::atomic<bool> one_is_there = false;
    Reply removed;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < issued.size(); ++i) {
        threads.emplace_back([&, i] {
          issued[i] = server.generate(
              certificate("leaf " + std::to_string(i)).text("folder", folder).text("signed_by", root["id"].text()));
          if (issued[i].status == 201) one_is_there = true;
        });
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(round < 3 ? 200 : 10 * round));
      for (int i = 0; i < 600 && after_the_first && !one_is_there; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      removed = remove(server, root);
    }
    CAPTURE(removed.body);
    REQUIRE((removed.status == 200 || removed.status == 409));
    const bool gone = removed.status == 200;
    (gone ? deleted : kept) += 1;
    if (after_the_first) CHECK_FALSE(gone);
    std::set<std::string> names;
    for (const Reply& reply : issued) {
      CAPTURE(reply.body);
      if (reply.status == 201) {
        CHECK_FALSE(gone);
        names.insert(reply.json()["name"].text());
      } else {
        CHECK(gone);
        // Refused by name; and 503 where its key went while it was about to sign.
        CHECK((reply.status == 400 || reply.status == 503));
        if (reply.status == 400) CHECK(names_field(check_invalid_object(reply), "signed_by"));
      }
    }
    const Json list = server.get("/certificates?folder=" + folder).json();
    CHECK(static_cast<std::size_t>(list["total"].integer()) == names.size() + (gone ? 0U : 1U));
    for (const Json& made : list["data"].items()) {
      if (made["name"].text() == "root") continue;
      CHECK(names.contains(made["name"].text()));
      CHECK(verify(made["public_key"].text(), "", root["public_key"].text()) == "");
    }
    CHECK(server.get(path_of(root)).status == (gone ? 404 : 200));
    server.plan("");
    CHECK(server.keys() == server.rows());
  }
  MESSAGE("deleted " << deleted << ", kept " << kept);
  CHECK(deleted > 0);
  CHECK(kept > 0);
}
