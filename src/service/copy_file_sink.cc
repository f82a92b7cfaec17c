#include "service/copy_file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "audit/event_line.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::service {
namespace {

constexpr std::size_t kBlock = 65536;
// What is looked through for a line's beginning.
constexpr std::uint64_t kLongestLine = audit::kLongestLine + 1;

Error refusal(const std::string& what, const std::string& cause = "") {
  return Error(ErrorKind::invalid_object, {"audit.copy_file: " + what}).with_cause(cause);
}

Error failure(const std::string& what) { return refusal(what, std::strerror(errno)); }

FileDescriptor open_file(const std::string& path) {
  // O_NONBLOCK so that a pipe without a reader does not hold us up; it is refused just below.
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
  FileDescriptor file(::open(path.c_str(), kFlags));
  const bool is_new = !file.is_open() && errno == ENOENT;
  if (is_new) file = FileDescriptor(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0600));
  if (!file.is_open()) throw failure("cannot be opened");
  if (is_new) {
    // The name is to last as well.
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    const FileDescriptor directory(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open() || ::fsync(directory.get()) != 0) throw failure("its directory cannot be synchronised");
  }
  return file;
}

struct stat status_of(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw failure("cannot be examined");
  return status;
}

void require_private(const struct stat& status) {
  if (!S_ISREG(status.st_mode)) throw refusal("is not a regular file");
  if (status.st_uid != ::geteuid()) throw refusal("belongs to another user");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw refusal("is open to group or others").with_help("chmod 600 it.");
  }
}

std::string read_at(const FileDescriptor& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = ::pread(file.get(), text.data() + have, size - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failure("cannot be read");
    if (count == 0) throw refusal("became shorter while it was read");
    have += static_cast<std::size_t>(count);
  }
  return text;
}

// Where the last '\n' below `end` stands; nothing when there is none.
std::optional<std::uint64_t> last_line_feed(const FileDescriptor& file, std::uint64_t end) {
  const std::uint64_t lowest = end > kLongestLine ? end - kLongestLine : 0;
  while (end > lowest) {
    const std::uint64_t begin = std::max(lowest, end > kBlock ? end - kBlock : 0);
    const std::string block = read_at(file, begin, static_cast<std::size_t>(end - begin));
    const std::size_t found = block.rfind('\n');
    if (found != std::string::npos) return begin + found;
    end = begin;
  }
  if (lowest != 0) throw refusal("its last line is longer than any event");
  return std::nullopt;
}

// The event that the line is; the store must hold the very same, unless it was archived.
std::uint64_t sequence_of(const std::string& line, store::JournalStore& journal) {
  const std::optional<audit::ChainedEvent> event = audit::parse_line(line);
  if (!event || event->sequence == 0) throw refusal("its last line is no event of a journal");
  const auto in_store = journal.lines(event->sequence - 1, 1);
  const bool archived =
      in_store.empty() ? event->sequence <= journal.head().sequence : in_store.front().sequence > event->sequence;
  if (archived) return event->sequence;
  if (in_store.empty() || in_store.front().line != line) {
    throw refusal("its last line is an event of another journal")
        .with_help("Move the file away, and a new one is begun; or the journal here is an older one put in its place.");
  }
  return event->sequence;
}

}  // namespace

std::uint64_t CopyFileSink::open(store::JournalStore& journal, Deadline) {
  file_.reset();
  FileDescriptor file = open_file(path_);
  const struct stat status = status_of(file);
  require_private(status);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    throw errno == EWOULDBLOCK ? refusal("another process writes it") : failure("cannot be locked");
  }
  std::uint64_t size = static_cast<std::uint64_t>(status_of(file).st_size);
  std::uint64_t sequence = 0;
  const std::optional<std::uint64_t> line_feed = last_line_feed(file, size);
  const std::uint64_t whole = line_feed ? *line_feed + 1 : 0;
  if (line_feed) {
    const std::optional<std::uint64_t> before = last_line_feed(file, *line_feed);
    const std::uint64_t begin = before ? *before + 1 : 0;
    sequence = sequence_of(read_at(file, begin, static_cast<std::size_t>(*line_feed - begin)), journal);
  }
  if (whole != size) {
    log::warning("an incomplete line was cut off the copy of the journal",
                 {{"octets", static_cast<std::int64_t>(size - whole)}});
    if (::ftruncate(file.get(), static_cast<off_t>(whole)) != 0 || ::fsync(file.get()) != 0) {
      throw failure("its incomplete last line cannot be cut off");
    }
    size = whole;
  }
  file_ = std::move(file);
  size_ = size;
  return sequence;
}

void CopyFileSink::deliver(store::JournalStore&, const std::vector<store::JournalLine>& lines, Deadline) {
  require_unchanged();
  std::string text;
  for (const store::JournalLine& line : lines) text.append(line.line).append(1, '\n');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(file_.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failure("cannot be written");
    done += static_cast<std::size_t>(count);
  }
  if (::fdatasync(file_.get()) != 0) throw failure("cannot be synchronised");
  size_ += text.size();
}

void CopyFileSink::require_unchanged() const {
  const struct stat mine = status_of(file_);
  struct stat named {};
  if (::lstat(path_.c_str(), &named) != 0 || named.st_dev != mine.st_dev || named.st_ino != mine.st_ino) {
    throw refusal("was moved or replaced while the server ran");
  }
  if (static_cast<std::uint64_t>(mine.st_size) != size_) throw refusal("was changed by others while the server ran");
}

}  // namespace hsmsigner::service
