#include "app/pin_source.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/error.h"
#include "support/temporary_directory.h"

extern char** environ;

namespace {

using hsmsigner::Error;
using hsmsigner::ErrorKind;
using hsmsigner::app::read_pin;
using test_support::TemporaryDirectory;

constexpr const char* kVariable = "HSM_SIGNER_TEST_PIN";

std::string refusal_of(const std::string& file, const std::string& env) {
  try {
    read_pin(file, env, "User PIN");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    return error.what();
  }
  return "";
}

void without_terminal() {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(::dup2(null, STDIN_FILENO) == STDIN_FILENO);
  ::close(null);
}

}  // namespace

TEST_CASE("a PIN file gives its only line") {
  const TemporaryDirectory directory;
  CHECK(read_pin(directory.write("a", "1234"), "", "").view() == "1234");
  CHECK(read_pin(directory.write("b", "1234\n"), "", "").view() == "1234");
  CHECK(read_pin(directory.write("c", "12 34\r\n"), "", "").view() == "12 34");
  const std::string longest(256, '7');
  CHECK(read_pin(directory.write("d", longest + "\r\n"), "", "").view() == longest);
}

TEST_CASE("PIN files that hold no PIN are refused, and not repeated") {
  const TemporaryDirectory directory;
  CHECK(refusal_of(directory.write("empty", ""), "").find("is empty") != std::string::npos);
  CHECK(refusal_of(directory.write("line", "\n"), "").find("is empty") != std::string::npos);
  const std::string lines = refusal_of(directory.write("lines", "s3cr3t\ns3cr3t\n"), "");
  CHECK(lines.find("more than one line") != std::string::npos);
  CHECK(lines.find("s3cr3t") == std::string::npos);
  for (const std::size_t size : {257U, 258U, 259U, 5000U}) {
    CHECK(refusal_of(directory.write("long", std::string(size, '7')), "").find("more than 256") != std::string::npos);
  }
  CHECK(refusal_of(directory.file("absent"), "").find("cannot be opened") != std::string::npos);
  CHECK(refusal_of(directory.path().string(), "").find("not a regular file") != std::string::npos);
}

TEST_CASE("a PIN file that group or others may touch is refused with the remedy") {
  const TemporaryDirectory directory;
  const std::string file = directory.write("pin", "s3cr3t\n");
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U, 0601U, 0777U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    const std::string refusal = refusal_of(file, "");
    CHECK(refusal.find("chmod 600") != std::string::npos);
    CHECK(refusal.find("s3cr3t") == std::string::npos);
  }
  for (const mode_t mode : {0600U, 0400U}) {
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    CHECK(read_pin(file, "", "").view() == "s3cr3t");
  }
}

TEST_CASE("a PIN file of another user is refused") {
  if (::geteuid() != 0) {
    MESSAGE("test skipped: only root can give a file away");
    return;
  }
  const TemporaryDirectory directory;
  const std::string file = directory.write("pin", "1234\n");
  REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  CHECK(refusal_of(file, "").find("belongs to another user") != std::string::npos);
}

TEST_CASE("a named pipe does not hold the program up") {
  const TemporaryDirectory directory;
  REQUIRE(::mkfifo(directory.file("fifo").c_str(), 0600) == 0);
  CHECK(refusal_of(directory.file("fifo"), "").find("not a regular file") != std::string::npos);
}

TEST_CASE("the variable is gone after it was read, also from where the kernel shows it") {
  // The kernel shows the memory that the process was started with, so it must be a variable that came from there.
  std::string name;
  std::string pin;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals + 1 == text.size() || text.size() - equals > 200) continue;
    if (text.find('\n') != std::string::npos) continue;
    name = text.substr(0, equals);
    pin = text.substr(equals + 1);
  }
  REQUIRE_FALSE(name.empty());
  const auto shown = [&] {
    return test_support::read_file("/proc/self/environ").find(name + "=" + pin) != std::string::npos;
  };
  REQUIRE(shown());
  CHECK(read_pin("", name, "").view() == pin);
  CHECK(::getenv(name.c_str()) == nullptr);
  CHECK_FALSE(shown());
}

TEST_CASE("a variable is removed whatever is wrong with it, and also when the file counts") {
  const TemporaryDirectory directory;
  ::setenv(kVariable, "", 1);
  CHECK(refusal_of("", kVariable).find("is empty") != std::string::npos);
  CHECK(::getenv(kVariable) == nullptr);
  ::setenv(kVariable, std::string(257, '7').c_str(), 1);
  CHECK(refusal_of("", kVariable).find("more than 256") != std::string::npos);
  CHECK(::getenv(kVariable) == nullptr);
  ::setenv(kVariable, "from the variable", 1);
  CHECK(read_pin(directory.write("pin", "from the file"), kVariable, "").view() == "from the file");
  CHECK(::getenv(kVariable) == nullptr);
}

TEST_CASE("with no file, no variable and no terminal the refusal says how to give a PIN") {
  without_terminal();
  ::unsetenv(kVariable);
  const std::string refusal = refusal_of("", kVariable);
  CHECK(refusal.find(kVariable) != std::string::npos);
  CHECK(refusal.find("0600") != std::string::npos);
}
