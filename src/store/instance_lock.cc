#include "store/instance_lock.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "base/uuid.h"

namespace hsmsigner::store {
namespace {

constexpr std::size_t kOctets = 8;

Error unusable(const char* call) {
  return Error(ErrorKind::internal_error, {"The lock file beside the database cannot be used."})
      .with_cause(std::string(call) + ": " + std::strerror(errno));
}

std::string random_name() {
  Bytes octets(kOctets);
  const Uuid random = Uuid::random();  // version and variant stand in the middle; its ends are random
  for (std::size_t i = 0; i < kOctets; ++i) octets[i] = random.bytes()[i < 4 ? i : i + 8];
  octets.front() &= 0x7f;  // an offset in a file has a sign
  return to_hex(octets);
}

// Nothing for what is no instance's name.
std::optional<off_t> offset_of(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (fault != std::errc() || end != name.data() + name.size() || number > INT64_MAX - 1) return std::nullopt;
  return static_cast<off_t>(number);
}

// One octet. Where a file has its end is of no matter to locks.
struct flock lock_at(off_t offset) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset;
  lock.l_len = 1;
  return lock;
}

}  // namespace

InstanceLock::InstanceLock(const std::string& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)), name_(random_name()) {
  if (!file_.is_open()) throw unusable("open");
  struct flock lock = lock_at(offset_of(name_).value());
  if (::fcntl(file_.get(), F_OFD_SETLK, &lock) != 0) throw unusable("fcntl");
}

bool InstanceLock::runs(const std::string& name) const {
  if (name == name_) return true;  // one's own lock stands in nobody's way
  const std::optional<off_t> offset = offset_of(name);
  if (!offset) return true;
  struct flock lock = lock_at(*offset);
  if (::fcntl(file_.get(), F_OFD_GETLK, &lock) != 0) return true;
  return lock.l_type != F_UNLCK;
}

}  // namespace hsmsigner::store
