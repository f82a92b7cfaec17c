#include "app/new_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;

std::string directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

NewFile::NewFile(std::string path, std::string subject)
    : path_(std::move(path)), subject_(std::move(subject)), temporary_(directory_of(path_) + "/.hsm-signer-XXXXXX") {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) {
    errno = EEXIST;
    fail("lstat");
  }
  fd_ = FileDescriptor(::mkostemp(temporary_.data(), O_CLOEXEC));  // of mode 0600
  if (!fd_.is_open()) {
    const int error = std::exchange(errno, 0);
    temporary_.clear();
    errno = error;
    fail("mkostemp");
  }
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBuffer) flush();
}

void NewFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("write");
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

void NewFile::finish() {
  flush();
  if (::fsync(fd_.get()) != 0) fail("fsync");
}

void NewFile::publish() {
  // Unlike rename(2), link(2) never replaces.
  if (::link(temporary_.c_str(), path_.c_str()) != 0) fail("link");
  ::unlink(temporary_.c_str());
  temporary_.clear();
  const FileDescriptor directory(::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open() || ::fsync(directory.get()) != 0) fail("fsync of the directory");
}

void NewFile::fail(const char* call) const {
  const int error = errno;
  throw Error(ErrorKind::invalid_object,
              {subject_ + (error == EEXIST ? ": there is a file of that name, which is not replaced"
                                           : ": the file cannot be written")})
      .with_cause(path_ + ": " + call + ": " + std::strerror(error));
}

}  // namespace hsmsigner::app
