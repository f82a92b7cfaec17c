// A throwaway software token of openCryptoki: the second token of the contract suite, which has RSA and no EC.
//
// openCryptoki's places are fixed when it is built, so the process moves into a mount and IPC namespace of its own and
// finds empty ones there. Where that is forbidden (a container), it takes the machine's own token, and only if nobody
// has ever initialised that; it is left as it was found.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "support/command.h"
#include "support/temporary_directory.h"

namespace test_support {

class OpenCryptoki {
 public:
  // Why there can be none here; nothing when there can.
  static std::optional<std::string> why_not();
  static std::string module_path();

  // Starts pkcsslotd. The token is not initialised. Before the process has other threads, or loads the module.
  OpenCryptoki();
  ~OpenCryptoki();
  OpenCryptoki(const OpenCryptoki&) = delete;
  OpenCryptoki& operator=(const OpenCryptoki&) = delete;

  std::string label() const { return "contract"; }
  std::string pin() const { return "65432100"; }
  std::string so_pin() const { return "12345600"; }

 private:
  TemporaryDirectory directory_;
  int lock_ = -1;  // of the machine's own token
  bool in_place_ = false;
  std::unique_ptr<BackgroundProcess> slot_daemon_;
};

}  // namespace test_support
