// A token behind a socket: p11-kit's server in front of SoftHSM, p11-kit's client as the module. The network HSM of the
// tests: it can be killed and started again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "support/command.h"
#include "support/softhsm.h"
#include "support/temporary_directory.h"

namespace test_support {

class RemoteToken {
 public:
  // Why there can be none here; nothing when there can.
  static std::optional<std::string> why_not();
  static std::string module_path();

  // Starts the server and points this process's client at it. `behind` outlives this object.
  explicit RemoteToken(const SoftHsm& behind);
  ~RemoteToken() { kill(); }
  RemoteToken(const RemoteToken&) = delete;
  RemoteToken& operator=(const RemoteToken&) = delete;

  void start();
  // SIGKILL, to the server and the process it made for each client.
  void kill();

 private:
  const SoftHsm& behind_;
  TemporaryDirectory directory_;
  std::unique_ptr<BackgroundProcess> server_;
  int starts_ = 0;
};

}  // namespace test_support
