// Which instances still run: each holds a lock on one octet of a file beside the database, which the system undoes when
// its process ends, however it ends. Private to the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/file_descriptor.h"

namespace hsmsigner::store {

// Thread safe. The locks are those of an open file description (fcntl(2), F_OFD_SETLK): two instances in one process
// have one each. The database is on a local file system, as SQLite's WAL mode wants it.
class InstanceLock {
 public:
  // Makes the file when there is none (mode 0600). Throws Error{internal_error} when it cannot be made or locked.
  explicit InstanceLock(const std::string& path);

  // 16 hexadecimal digits, another one for each instance.
  const std::string& name() const noexcept { return name_; }
  // Whether that instance holds its lock; true also where nobody can tell.
  bool runs(const std::string& name) const;

 private:
  FileDescriptor file_;
  std::string name_;
};

}  // namespace hsmsigner::store
