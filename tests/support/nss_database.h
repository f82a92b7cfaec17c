// A throwaway key database of NSS, whose softokn is a PKCS#11 module: the token of the tests that does not keep its
// keys.
#pragma once

#include <optional>
#include <string>

#include "support/temporary_directory.h"

namespace test_support {

class NssDatabase {
 public:
  // Why there can be none here; nothing when there can.
  static std::optional<std::string> why_not();
  static std::string module_path();

  // With certutil.
  NssDatabase();

  std::string label() const { return "NSS Certificate DB"; }
  std::string pin() const { return "4321-test"; }
  // What softokn wants in C_Initialize.
  std::string module_init() const;

 private:
  TemporaryDirectory directory_;
};

}  // namespace test_support
