// What the tests of accounts and access tokens share: calls by an account of the test's choice, and looks behind the
// service by other programs.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "system/server.h"

namespace system_test {

inline Request request_with(const std::string& bearer_token, const std::string& method, const std::string& target,
                            const std::string& body = "") {
  Request request{method, target, {{"Authorization", "Bearer " + bearer_token}}, body};
  if (!body.empty()) request.headers.emplace("Content-Type", "application/json");
  return request;
}

inline Reply call(const ServerFixture& server, const std::string& bearer_token, const std::string& method,
                  const std::string& target, const std::string& body = "") {
  return server.send(request_with(bearer_token, method, target, body));
}

// A statement on the store's file, beside the running server.
inline std::string sqlite(const ServerFixture& server, const std::string& statement) {
  std::string out = test_support::must_run(
      {"sqlite3", "-cmd", ".timeout 10000", server.state().file("hsm-signer.sqlite"), statement});
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

inline std::string octets_of_file(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

// Everything that the store has on disk.
inline std::string store_on_disk(const ServerFixture& server) {
  const std::string path = server.state().file("hsm-signer.sqlite");
  return octets_of_file(path) + octets_of_file(path + "-wal");
}

inline bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace system_test
