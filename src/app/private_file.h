// Files that the configuration names, read with care: what is in them may be a secret.
#pragma once

#include <cstddef>
#include <string>

#include "base/file_descriptor.h"
#include "base/secret.h"

namespace hsmsigner::app {

enum class Readable { by_owner_only, by_anyone };

struct FileRules {
  Readable readable;
  std::size_t most_octets;
  std::string advice;  // by_owner_only: what else to do when others could read it
};

// The whole of a regular file. Throws Error{invalid_object} with a sentence that begins with `subject` ("the PIN
// file"): not there, not a regular file, too long; by_owner_only also of another user, or open to group or others. The
// path is in the cause only.
Secret read_file(const std::string& path, const std::string& subject, const FileRules& rules);

}  // namespace hsmsigner::app
