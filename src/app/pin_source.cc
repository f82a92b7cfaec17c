#include "app/pin_source.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "app/private_file.h"
#include "base/clock.h"
#include "base/error.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kLongestPin = 256;
constexpr std::size_t kLongestFile = 65536;  // further than a file with a PIN goes
constexpr std::chrono::minutes kPromptTimeout{5};

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

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
  std::string_view line() const { return without_line_end({data_.data(), size_}); }

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
  const Secret content = read_file(
      file, "the PIN file", {Readable::by_owner_only, kLongestFile, "change the PIN if others may have read it"});
  return checked(without_line_end(content.view()), "the PIN file");
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
