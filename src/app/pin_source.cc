#include "app/pin_source.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kLongestPin = 256;
constexpr std::chrono::minutes kPromptTimeout{5};

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const noexcept { return number_; }

 private:
  int number_;
};

// Room for a PIN, its line end ("\r\n"), and one octet more that tells that it is too long.
class PinBuffer {
 public:
  PinBuffer() = default;
  ~PinBuffer() { cleanse(data_.data(), data_.size()); }
  PinBuffer(const PinBuffer&) = delete;
  PinBuffer& operator=(const PinBuffer&) = delete;

  // What read(2) returns: 0 at the end of the file or when the buffer is full, below 0 for an error.
  ssize_t fill(int fd) {
    if (size_ == data_.size()) return 0;
    const ssize_t count = ::read(fd, data_.data() + size_, data_.size() - size_);
    if (count > 0) size_ += static_cast<std::size_t>(count);
    return count;
  }
  bool ends_a_line() const { return size_ > 0 && data_[size_ - 1] == '\n'; }
  std::string_view line() const {
    std::string_view text(data_.data(), size_);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

 private:
  std::array<char, kLongestPin + 3> data_{};
  std::size_t size_ = 0;
};

// `source` begins a sentence: "the PIN file".
Secret checked(std::string_view pin, const std::string& source) {
  const auto refuse = [&](const std::string& what) { return Error(ErrorKind::invalid_object, {source + " " + what}); };
  if (pin.empty()) throw refuse("is empty");
  if (pin.size() > kLongestPin) throw refuse("holds more than " + std::to_string(kLongestPin) + " octets");
  if (pin.find('\n') != std::string_view::npos) throw refuse("holds more than one line");
  if (pin.find('\0') != std::string_view::npos) throw refuse("holds a NUL octet");
  return Secret(pin);
}

Secret read_from_file(const std::string& file) {
  const auto refuse = [&](const std::string& what, const std::string& cause) {
    return Error(ErrorKind::invalid_object, {"the PIN file " + what}).with_cause(file + ": " + cause);
  };
  // O_NONBLOCK so that a pipe without a writer does not hold us up; it is refused just below.
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (fd.get() < 0) throw refuse("cannot be opened", std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw refuse("cannot be examined", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw refuse("is not a regular file", "not a regular file");
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw refuse("belongs to another user", "owned by user id " + std::to_string(status.st_uid))
        .with_help("it must belong to the user who runs hsm-signer, or to root");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    std::ostringstream mode;
    mode << "its mode is " << std::oct << std::setfill('0') << std::setw(4) << (status.st_mode & 07777);
    throw refuse("is open to group or others", mode.str())
        .with_help("chmod 600 the PIN file, and change the PIN if others may have read it");
  }
  PinBuffer buffer;
  ssize_t count = 0;
  do {
    count = buffer.fill(fd.get());
  } while (count > 0 || (count < 0 && errno == EINTR));
  if (count < 0) throw refuse("cannot be read", std::strerror(errno));
  return checked(buffer.line(), "the PIN file");
}

Secret take_from_environment(const std::string& name, char* value) {
  const std::size_t size = std::strlen(value);
  // A copy without checks first, so that the variable is gone whatever is wrong with it.
  const Secret copy{std::string_view(value, size)};
  cleanse(value, size);
  ::unsetenv(name.c_str());
  return checked(copy.view(), "the environment variable " + name);
}

// Echo off while it lives. Signals that would end or stop the process wait until the terminal is as it was.
class SilentTerminal {
 public:
  explicit SilentTerminal(int fd) : fd_(fd) {
    sigemptyset(&held_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&held_, number);
    if (::tcgetattr(fd_, &before_) != 0) {
      throw Error(ErrorKind::invalid_object, {"the terminal cannot be read"}).with_cause(std::strerror(errno));
    }
    ::pthread_sigmask(SIG_BLOCK, &held_, &mask_before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= static_cast<tcflag_t>(ECHONL | ICANON | ISIG);
    if (::tcsetattr(fd_, TCSAFLUSH, &silent) != 0) {
      ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
      throw Error(ErrorKind::invalid_object, {"the terminal cannot be kept from echoing"})
          .with_cause(std::strerror(errno));
    }
  }
  ~SilentTerminal() {
    ::tcsetattr(fd_, TCSAFLUSH, &before_);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);  // a signal that was held is delivered here
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  bool signal_waits() const {
    sigset_t pending;
    sigemptyset(&pending);
    ::sigpending(&pending);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      if (sigismember(&pending, number) == 1) return true;
    }
    return false;
  }

 private:
  int fd_;
  termios before_{};
  sigset_t held_{};
  sigset_t mask_before_{};
};

Secret ask_on_terminal(const std::string& prompt) {
  const FileDescriptor tty(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (tty.get() < 0) {
    throw Error(ErrorKind::invalid_object, {"there is no terminal to ask for the PIN on"})
        .with_cause(std::strerror(errno));
  }
  const SilentTerminal silent(tty.get());
  const std::string question = prompt + ": ";
  if (::write(tty.get(), question.data(), question.size()) < 0) {
    throw Error(ErrorKind::invalid_object, {"the terminal cannot be written to"}).with_cause(std::strerror(errno));
  }
  PinBuffer buffer;
  const Deadline deadline = deadline_in(kPromptTimeout);
  while (!buffer.ends_a_line()) {
    if (silent.signal_waits()) throw Error(ErrorKind::invalid_object, {"interrupted while asking for the PIN"});
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::invalid_object, {"no PIN was typed within five minutes"});
    }
    pollfd wait{tty.get(), POLLIN, 0};
    if (::poll(&wait, 1, 200) > 0 && buffer.fill(tty.get()) <= 0) break;
  }
  return checked(buffer.line(), "the PIN that was typed");
}

}  // namespace

Secret read_pin(const std::string& file, const std::string& env, const std::string& prompt) {
  // The variable goes away even when the file is what counts: no child and no reader of /proc shall find it.
  char* const value = env.empty() ? nullptr : ::getenv(env.c_str());
  if (!file.empty()) {
    if (value != nullptr) {
      cleanse(value, std::strlen(value));
      ::unsetenv(env.c_str());
    }
    return read_from_file(file);
  }
  if (value != nullptr) return take_from_environment(env, value);
  if (::isatty(STDIN_FILENO) == 1) return ask_on_terminal(prompt);
  std::string ways = "name a file of mode 0600 that holds it";
  if (!env.empty()) ways += ", or set the environment variable " + env;
  throw Error(ErrorKind::invalid_object, {"there is no PIN (" + prompt + "), and no terminal to ask for it"})
      .with_help(ways + ", or start hsm-signer on a terminal");
}

}  // namespace hsmsigner::app
