// Makes a token fail or lie: the fault module (fault_module/) in front of a real one, and the plan it follows.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "support/temporary_directory.h"

namespace test_support {

class Faults {
 public:
  explicit Faults(std::string real_module);

  static std::string module_path();
  // For a process that is to load the fault module.
  std::map<std::string, std::string> environment() const;
  // The same for this process. Before it loads the module.
  void install() const;

  // Lines of fault_module/plan.h; "" for no faults. Each plan starts its counting anew.
  void plan(const std::string& lines) const;
  // Calls of this Cryptoki function so far.
  std::size_t calls(const std::string& function) const;

 private:
  TemporaryDirectory directory_;
  std::string real_module_;
  mutable int plans_ = 0;
};

}  // namespace test_support
