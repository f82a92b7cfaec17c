// A token that fails or lies: the fault module in front of SoftHSM, and what its caller is told.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "hsm/token.h"
#include "support/faults.h"
#include "support/softhsm.h"

namespace hsm_faults {

using namespace hsmsigner;
using namespace hsmsigner::hsm;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline Deadline soon() { return deadline_in(seconds(60)); }

class FaultyToken {
 public:
  FaultyToken() { faults.install(); }

  TokenOptions options() const {
    TokenOptions options;
    options.module_path = test_support::Faults::module_path();
    options.selector.label = softhsm.label();
    return options;
  }
  std::unique_ptr<Token> open() const { return Token::open(options(), Secret(softhsm.pin())); }
  static GeneratedKey generate(Token& token, KeyAlgorithm algorithm = KeyAlgorithm::ec_p256, bool block = true) {
    return token.generate({Uuid::random(), algorithm, block}, soon());
  }
  static Bytes sign(const GeneratedKey& key, Deadline deadline = soon()) {
    return key.key()->sign(Digest::sha256, Bytes(32, 7), deadline);
  }
  // Counted by another program.
  std::size_t keys() const { return softhsm.count_objects(); }
  bool comes_to(std::size_t count) const {
    const Deadline end = deadline_in(seconds(20));
    while (keys() != count) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return true;
  }

  const test_support::SoftHsm softhsm;
  const test_support::Faults faults{test_support::SoftHsm::module_path()};
};

struct Told {
  ErrorKind kind;
  std::string text;  // what() : details, cause and help
};

inline Told told_by(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  FAIL("nothing was thrown");
  return {ErrorKind::internal_error, ""};
}

inline bool says(const Told& told, const std::string& part) { return told.text.find(part) != std::string::npos; }

}  // namespace hsm_faults
