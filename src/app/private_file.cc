#include "app/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iomanip>
#include <sstream>

#include "base/error.h"

namespace hsmsigner::app {

Secret read_file(const std::string& path, const std::string& subject, const FileRules& rules) {
  const auto refuse = [&](const std::string& what, const std::string& cause) {
    return Error(ErrorKind::invalid_object, {subject + " " + what}).with_cause(path + ": " + cause);
  };
  // O_NONBLOCK so that a pipe without a writer does not hold us up; it is refused just below.
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) throw refuse("cannot be opened", std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw refuse("cannot be examined", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw refuse("is not a regular file", "not a regular file");
  if (rules.readable == Readable::by_owner_only) {
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
      throw refuse("belongs to another user", "owned by user id " + std::to_string(status.st_uid))
          .with_help("it must belong to the user who runs hsm-signer, or to root");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      std::ostringstream mode;
      mode << "its mode is " << std::oct << std::setfill('0') << std::setw(4) << (status.st_mode & 07777);
      throw refuse("is open to group or others", mode.str()).with_help("chmod 600 it, and " + rules.advice);
    }
  }
  // One octet more than may be there tells that it is too long, also of a file that grows.
  std::string text(rules.most_octets + 1, '\0');
  std::size_t size = 0;
  ssize_t count = 0;
  do {
    count = ::read(fd.get(), text.data() + size, text.size() - size);
    if (count > 0) size += static_cast<std::size_t>(count);
  } while ((count > 0 && size < text.size()) || (count < 0 && errno == EINTR));
  const int error = errno;
  Secret content{std::string_view(text.data(), size)};
  cleanse(text);
  if (count < 0) throw refuse("cannot be read", std::strerror(error));
  if (size > rules.most_octets) {
    throw refuse("holds more than " + std::to_string(rules.most_octets) + " octets", "too long");
  }
  return content;
}

}  // namespace hsmsigner::app
