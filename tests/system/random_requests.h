// Requests that nobody in their right mind sends: valid ones, broken in one place or several, from a seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "system/server.h"

namespace system_test {

// The same numbers from the same seed with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
  bool one_in(std::size_t times) { return below(times) == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  char octet() { return static_cast<char>(below(256)); }

 private:
  std::mt19937_64 engine_;
};

// What valid requests are made of.
struct Materials {
  std::string authorization;                 // the header's value
  Account client;                            // asks for tokens; nothing else of the test needs it
  std::vector<std::string> victims;          // client ids of accounts that may be changed
  std::vector<std::string> import_bodies;    // JSON, the name without its last character
  std::vector<std::string> authority_names;  // of folder Shared
};

// A request as it goes out.
struct Wire {
  std::string octets;
  std::string method;
  std::string target;
  bool misframed = false;  // what follows on the connection would be read as something else
};

class RandomRequests {
 public:
  RandomRequests(std::uint64_t seed, const Materials& materials) : random_(seed), materials_(materials) {}
  // `ids`: certificates that exist.
  Wire next(const std::vector<std::string>& ids);

 private:
  struct Draft;
  Draft valid(const std::vector<std::string>& ids);
  std::string generate_body();
  std::string account_body();
  void break_json(std::string& body);
  void break_octets(std::string& text);
  void break_target(std::string& target);
  void break_headers(Draft& draft);
  std::string odd_text();
  std::string odd_value();
  Wire written(const Draft& draft);

  Random random_;
  const Materials& materials_;
};

// One connection, kept alive as long as the server keeps it.
class KeptConnection {
 public:
  explicit KeptConnection(int port) : port_(port) {}
  ~KeptConnection() { close(); }
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;

  // status 0 and a reason for a body when there is no whole answer within the time.
  Reply exchange(const Wire& wire, std::chrono::seconds limit);
  void close();

 private:
  bool connect();
  bool send(const std::string& octets);
  Reply receive(bool without_body, std::chrono::steady_clock::time_point deadline);

  int port_;
  int fd_ = -1;
  std::string received_;
};

// "" when the answer is one that the contract knows; else what is wrong with it.
std::string why_not_in_contract(const Wire& wire, const Reply& reply);

}  // namespace system_test
