#include "support/nss_database.h"

#include <filesystem>
#include <stdexcept>

#include "support/command.h"

namespace test_support {
namespace {

constexpr const char* kModules[] = {
    "/usr/lib/x86_64-linux-gnu/libsoftokn3.so",
    "/usr/lib/aarch64-linux-gnu/libsoftokn3.so",
    "/usr/lib64/libsoftokn3.so",
    "/usr/lib/libsoftokn3.so",
};

std::optional<std::string> installed_module() {
  for (const char* path : kModules) {
    if (std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> NssDatabase::why_not() {
  if (!installed_module()) return "libsoftokn3.so is not installed";
  if (!program_exists("certutil")) return "certutil is not installed";
  return std::nullopt;
}

std::string NssDatabase::module_path() {
  const auto path = installed_module();
  if (!path) throw std::runtime_error("libsoftokn3.so is not installed");
  return *path;
}

NssDatabase::NssDatabase() {
  const std::string password_file = directory_.write("password", pin() + "\n");
  must_run({"certutil", "-N", "-d", "sql:" + directory_.path().string(), "-f", password_file});
}

std::string NssDatabase::module_init() const {
  return "configdir='sql:" + directory_.path().string() + "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=";
}

}  // namespace test_support
