// A file that is there whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/file_descriptor.h"

namespace hsmsigner::app {

// Written under another name in the same directory, mode 0600; gone with the object unless publish() was called. All
// throw Error{invalid_object} with a sentence that begins with `subject` ("--output"). The path is in the cause only.
class NewFile {
 public:
  NewFile(std::string path, std::string subject);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(std::string_view text);
  // Makes what was written durable; no more is written then.
  void finish();
  // Where it is until publish().
  const std::string& temporary_path() const noexcept { return temporary_; }
  // After finish(): gives it its name, durably. Refuses to replace a file that is there.
  void publish();

 private:
  void flush();
  [[noreturn]] void fail(const char* call) const;

  const std::string path_, subject_;
  std::string temporary_;
  FileDescriptor fd_{-1};
  std::string buffer_;
};

}  // namespace hsmsigner::app
