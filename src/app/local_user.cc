#include "app/local_user.h"

#include <pwd.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace hsmsigner::app {

audit::Origin local_user() {
  const uid_t uid = ::getuid();
  std::vector<char> buffer(4096);
  passwd entry{};
  passwd* found = nullptr;
  const bool known = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return {.account = "local:" + (known ? std::string(entry.pw_name) : std::to_string(uid))};
}

}  // namespace hsmsigner::app
