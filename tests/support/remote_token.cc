#include "support/remote_token.h"

#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace test_support {

namespace fs = std::filesystem;

std::string RemoteToken::module_path() {
  for (const char* directory : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    const std::string path = std::string(directory) + "/pkcs11/p11-kit-client.so";
    if (fs::exists(path)) return path;
  }
  return "";
}

std::optional<std::string> RemoteToken::why_not() {
  if (module_path().empty() || !program_exists("p11-kit")) return "p11-kit and p11-kit-modules are not installed";
  return std::nullopt;
}

RemoteToken::RemoteToken(const SoftHsm& behind) : behind_(behind) {
  ::setenv("P11_KIT_SERVER_ADDRESS", ("unix:path=" + directory_.file("token")).c_str(), 1);
  start();
}

void RemoteToken::start() {
  fs::remove(directory_.file("token"));
  // A process group of its own: the server makes a process for each client.
  server_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{"setsid", "p11-kit", "server", "--foreground", "--name", directory_.file("token"),
                               "--provider", SoftHsm::module_path(), "pkcs11:"},
      behind_.environment(), directory_.file("server-" + std::to_string(++starts_)));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!fs::exists(directory_.file("token"))) {
    if (!server_->running() || std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("p11-kit server: " + server_->output());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void RemoteToken::kill() {
  if (!server_->running()) return;
  ::kill(-server_->pid(), SIGKILL);
  server_->wait(std::chrono::seconds(20));
}

}  // namespace test_support
