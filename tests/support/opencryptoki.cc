#include "support/opencryptoki.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace test_support {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDaemon = "/usr/sbin/pkcsslotd";
constexpr const char* kTokenDirectory = "/var/lib/opencryptoki/swtok";
constexpr const char* kConfiguration = "/etc/opencryptoki/opencryptoki.conf";
constexpr const char* kLockDirectory = "/run/lock/opencryptoki";
constexpr const char* kSocket = "/run/pkcsslotd.socket";

void must(bool done, const std::string& what) {
  if (!done) throw std::runtime_error("openCryptoki: " + what);
}

// A directory that the members of group pkcs11 may write, as the package makes them.
void make_directory(const std::string& path) {
  fs::create_directories(path);
  const group* members = ::getgrnam("pkcs11");
  must(members != nullptr, "there is no group pkcs11");
  must(::chown(path.c_str(), 0, members->gr_gid) == 0 && ::chmod(path.c_str(), 0770) == 0, "cannot own " + path);
}

void cover(const char* path) {
  must(::mount("none", path, "tmpfs", 0, "mode=755") == 0, std::string("cannot cover ") + path);
}

bool enter_namespace() {
  // A child tries first, so that a refusal leaves this process where it was.
  const CommandResult tried = run_command({"unshare", "--mount", "--ipc", "mount", "-t", "tmpfs", "none", "/run"});
  return tried.exit_code == 0 && ::unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0;
}

bool never_initialised() { return !fs::exists(std::string(kTokenDirectory) + "/NVTOK.DAT"); }

void forget_token() {
  for (const char* name : {"NVTOK.DAT", "MK_SO", "MK_USER"}) fs::remove(fs::path(kTokenDirectory) / name);
  for (const auto& entry : fs::directory_iterator(std::string(kTokenDirectory) + "/TOK_OBJ")) fs::remove(entry.path());
}

}  // namespace

std::string OpenCryptoki::module_path() {
  for (const char* directory : {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    const std::string path = std::string(directory) + "/opencryptoki/libopencryptoki.so.0";
    if (fs::exists(path)) return path;
  }
  return "";
}

std::optional<std::string> OpenCryptoki::why_not() {
  if (module_path().empty() || !fs::exists(kDaemon)) return "openCryptoki is not installed";
  if (::geteuid() != 0) return "pkcsslotd must be started by root";
  const bool isolated = run_command({"unshare", "--mount", "--ipc", "true"}).exit_code == 0;
  if (!isolated && (!never_initialised() || fs::exists(kSocket))) {
    return "no namespace of our own is allowed, and this machine's openCryptoki token is somebody's";
  }
  return std::nullopt;
}

OpenCryptoki::OpenCryptoki() {
  in_place_ = !enter_namespace();
  if (in_place_) {
    lock_ = ::open(kTokenDirectory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(lock_ >= 0 && ::flock(lock_, LOCK_EX) == 0,
         "cannot lock the token's directory");  // bounded by CTest's time-out
    must(never_initialised(), "this machine's token is somebody's");
  } else {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "cannot make the mounts private");
    for (const char* path : {"/run", "/dev/shm", kTokenDirectory}) cover(path);
    make_directory(kTokenDirectory);
    make_directory(std::string(kTokenDirectory) + "/TOK_OBJ");
    const std::string configuration = directory_.write("opencryptoki.conf", "slot 0\n{\nstdll = libpkcs11_sw.so\n}\n");
    must(::mount(configuration.c_str(), kConfiguration, nullptr, MS_BIND, nullptr) == 0, "cannot give it its slots");
  }
  make_directory(kLockDirectory);
  make_directory(std::string(kLockDirectory) + "/swtok");
  slot_daemon_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{kDaemon, "-f"}, std::map<std::string, std::string>{}, directory_.file("pkcsslotd"));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!fs::exists(kSocket)) {
    must(slot_daemon_->running() && std::chrono::steady_clock::now() < end, "pkcsslotd: " + slot_daemon_->output());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

OpenCryptoki::~OpenCryptoki() {
  try {
    slot_daemon_->signal(SIGTERM);
    slot_daemon_->wait(std::chrono::seconds(20));
    if (in_place_) forget_token();
  } catch (const std::exception& error) {
    // The daemon is killed with its object; a test's verdict does not hang on its litter.
    std::fprintf(stderr, "openCryptoki: %s\n", error.what());
  }
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace test_support
