// What a process does to itself before it reads a PIN.
#pragma once

namespace hsmsigner::app {

// No core dumps (RLIMIT_CORE 0), no debugger of the same user and no /proc/<pid>/mem (PR_SET_DUMPABLE 0), files of our
// own for the owner alone (umask 077), and a closed pipe is an error return rather than a death (SIGPIPE ignored).
// Call before other threads start. Throws Error{internal_error} when the system refuses.
void harden_process();

}  // namespace hsmsigner::app
