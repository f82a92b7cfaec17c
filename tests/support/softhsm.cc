#include "support/softhsm.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "support/command.h"

namespace test_support {

std::string SoftHsm::module_path() {
  for (const char* path : {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                           "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  throw std::runtime_error("SoftHSM2 is not installed: run scripts/install-deps");
}

SoftHsm::SoftHsm(const std::string& label) : label_(label) {
  std::filesystem::create_directory(directory_.path() / "tokens");
  config_file_ = directory_.write("softhsm2.conf", "directories.tokendir = " + directory_.file("tokens") +
                                                       "\nobjectstore.backend = file\nlog.level = ERROR\n");
  ::setenv("SOFTHSM2_CONF", config_file_.c_str(), 1);
  add_token(label);
}

void SoftHsm::add_token(const std::string& label) const {
  must_run({"softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin(), "--so-pin", so_pin()}, "",
           environment());
}

std::string SoftHsm::pkcs11_tool(const std::vector<std::string>& arguments, const std::string& label) const {
  // Line by line: it warns of objects that a killed process left half-written, in the middle of what it lists.
  std::vector<std::string> command = {"stdbuf",
                                      "--output=L",
                                      "pkcs11-tool",
                                      "--module",
                                      module_path(),
                                      "--token-label",
                                      label.empty() ? label_ : label,
                                      "--login",
                                      "--pin",
                                      pin()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return must_run(command, "", environment());
}

std::size_t SoftHsm::count_objects(const std::string& label) const {
  const std::string listing = pkcs11_tool({"--list-objects"}, label);
  std::size_t count = 0;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) count += line.find(" Object") != std::string::npos ? 1U : 0U;
  return count;
}

}  // namespace test_support
