#include "support/faults.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace test_support {

Faults::Faults(std::string real_module) : real_module_(std::move(real_module)) {
  directory_.write("calls", "");
  plan("");
}

std::string Faults::module_path() { return FAULT_PKCS11_MODULE_PATH; }

std::map<std::string, std::string> Faults::environment() const {
  return {{"FAULT_PKCS11_MODULE", real_module_},
          {"FAULT_PKCS11_PLAN_FILE", directory_.file("plan")},
          {"FAULT_PKCS11_CALLS_FILE", directory_.file("calls")}};
}

void Faults::install() const {
  for (const auto& [name, value] : environment()) ::setenv(name.c_str(), value.c_str(), 1);
}

void Faults::plan(const std::string& lines) const {
  // The number makes each plan another text, and the rename makes it whole: the module reads it at any moment.
  const std::string fresh = directory_.write("plan.new", "# plan " + std::to_string(++plans_) + "\n" + lines + "\n");
  std::filesystem::rename(fresh, directory_.file("plan"));
}

std::size_t Faults::calls(const std::string& function) const {
  std::istringstream lines(read_file(directory_.file("calls")));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line == function ? 1U : 0U;
  return count;
}

}  // namespace test_support
