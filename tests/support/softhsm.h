// A throwaway SoftHSM token in a directory of its own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/temporary_directory.h"

namespace test_support {

class SoftHsm {
 public:
  // Writes a softhsm2.conf, points SOFTHSM2_CONF of this process at it (so make it before any module is loaded) and
  // initialises one token.
  explicit SoftHsm(const std::string& label = "test-token");

  // Where Debian's or another distribution's package puts the module; throws when it is not installed.
  static std::string module_path();

  const std::string& label() const { return label_; }
  std::string pin() const { return "4321-test"; }
  std::string so_pin() const { return "8765-test"; }
  const std::string& config_file() const { return config_file_; }
  std::map<std::string, std::string> environment() const { return {{"SOFTHSM2_CONF", config_file_}}; }
  const TemporaryDirectory& directory() const { return directory_; }

  // Initialises one more token in the same directory, with the same PINs.
  void add_token(const std::string& label) const;
  // What pkcs11-tool, logged in to the token of this label ("": the directory's first), says to these arguments.
  std::string pkcs11_tool(const std::vector<std::string>& arguments, const std::string& label = "") const;
  // Token objects, counted by it.
  std::size_t count_objects(const std::string& label = "") const;

 private:
  TemporaryDirectory directory_;
  std::string label_;
  std::string config_file_;
};

}  // namespace test_support
