// A library to preload into the server: counts fsync and fdatasync, those on the store's files apart from all others.
//   HSM_SIGNER_BENCH_SYNC_STORE   path of the database; its -wal and -journal begin with the same
//   HSM_SIGNER_BENCH_SYNC_FILE    holds the two counts (sync_count.h); made by whoever starts the server
// Without those variables it does nothing but pass the calls on.
#include "sync_count.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using hsmsigner::bench::SyncCounts;

struct Counter {
  SyncCounts* counts = nullptr;
  std::string store;

  Counter() {
    const char* path = std::getenv("HSM_SIGNER_BENCH_SYNC_STORE");
    const char* file = std::getenv("HSM_SIGNER_BENCH_SYNC_FILE");
    if (path == nullptr || file == nullptr) return;
    const int descriptor = ::open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void* mapped = ::mmap(nullptr, sizeof(SyncCounts), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    ::close(descriptor);
    if (mapped == MAP_FAILED) return;
    store = path;
    counts = static_cast<SyncCounts*>(mapped);
  }

  void count(int descriptor) {
    if (counts == nullptr) return;
    const int before = errno;
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
    const bool of_store = size > 0 && std::string_view(path.data(), static_cast<std::size_t>(size)).starts_with(store);
    std::atomic_ref(of_store ? counts->store : counts->others).fetch_add(1);
    errno = before;
  }
};

Counter& counter() {
  static Counter the_counter;
  return the_counter;
}

int pass_on(const char* name, int descriptor) {
  using Sync = int (*)(int);
  const auto next = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name));
  counter().count(descriptor);
  return next(descriptor);
}

}  // namespace

extern "C" int fsync(int descriptor) { return pass_on("fsync", descriptor); }
extern "C" int fdatasync(int descriptor) { return pass_on("fdatasync", descriptor); }
