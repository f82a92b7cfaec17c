#include "app/process_hardening.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

// LeakSanitizer attaches to its own process, which a process that is not dumpable forbids.
#if defined(__SANITIZE_ADDRESS__)
#define HSM_SIGNER_STAYS_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HSM_SIGNER_STAYS_DUMPABLE 1
#endif
#endif

namespace hsmsigner::app {
namespace {

[[noreturn]] void refuse(const char* what) {
  throw Error(ErrorKind::internal_error, {std::string("the process cannot be protected: ") + what})
      .with_cause(std::strerror(errno));
}

}  // namespace

void harden_process() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) refuse("core dumps cannot be switched off");
#if !defined(HSM_SIGNER_STAYS_DUMPABLE)
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) refuse("its memory cannot be closed to debuggers");
#endif
  ::umask(077);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  if (::sigaction(SIGPIPE, &ignore, nullptr) != 0) refuse("SIGPIPE cannot be ignored");
}

}  // namespace hsmsigner::app
