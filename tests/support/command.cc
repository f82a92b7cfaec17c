#include "support/command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/temporary_directory.h"

extern char** environ;

namespace test_support {
namespace {

using std::chrono::steady_clock;

int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) merged.push_back(text);
  }
  for (const auto& [name, value] : changes) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

pid_t start(std::vector<std::string> argv, const std::map<std::string, std::string>& environment,
            const std::string& input_file, const std::string& output_file) {
  std::vector<std::string> env = merged_environment(environment);
  const std::vector<char*> argv_pointers = pointers(argv);
  const std::vector<char*> env_pointers = pointers(env);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    // It does not outlive a test that crashes.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Only async-signal-safe calls from here on: other threads of the test may have held locks.
    const int in = ::open(input_file.c_str(), O_RDONLY | O_CLOEXEC);
    const int out = ::open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) ::_exit(126);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvpe(argv_pointers[0], argv_pointers.data(), env_pointers.data());
    ::_exit(127);
  }
  return pid;
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& argv, const std::string& input,
                          const std::map<std::string, std::string>& environment, std::chrono::seconds timeout) {
  const TemporaryDirectory directory;
  BackgroundProcess process(argv, environment, directory.file("out"), directory.write("in", input));
  CommandResult result;
  result.exit_code = process.wait(timeout);
  result.out = process.output();
  return result;
}

std::string must_run(const std::vector<std::string>& argv, const std::string& input,
                     const std::map<std::string, std::string>& environment) {
  const CommandResult result = run_command(argv, input, environment);
  if (result.exit_code != 0) {
    throw std::runtime_error(argv.at(0) + " exited " + std::to_string(result.exit_code) + ": " + result.out);
  }
  return result.out;
}

bool program_exists(const std::string& name) {
  std::istringstream path(std::getenv("PATH") == nullptr ? "/usr/bin:/bin" : std::getenv("PATH"));
  for (std::string directory; std::getline(path, directory, ':');) {
    if (::access((directory + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

BackgroundProcess::BackgroundProcess(const std::vector<std::string>& argv,
                                     const std::map<std::string, std::string>& environment, std::string output_file,
                                     const std::string& input_file)
    : pid_(start(argv, environment, input_file, output_file)), output_file_(std::move(output_file)) {}

BackgroundProcess::~BackgroundProcess() {
  if (running()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
}

bool BackgroundProcess::running() {
  if (pid_ < 0) return false;
  const pid_t ended = ::waitpid(pid_, &status_, WNOHANG);
  if (ended == pid_) pid_ = -1;
  return pid_ > 0;
}

void BackgroundProcess::signal(int number) {
  if (pid_ > 0) ::kill(pid_, number);
}

int BackgroundProcess::wait(std::chrono::seconds timeout) {
  const auto end = steady_clock::now() + timeout;
  while (running()) {
    if (steady_clock::now() > end) throw std::runtime_error("time-out waiting for a program; it said: " + output());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return exit_code_of(status_);
}

std::string BackgroundProcess::output() const {
  return std::filesystem::exists(output_file_) ? read_file(output_file_) : "";
}

std::string BackgroundProcess::wait_for_line(const std::string& prefix, std::chrono::seconds timeout) {
  const auto end = steady_clock::now() + timeout;
  while (true) {
    const bool alive = running();
    std::istringstream lines(output());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(prefix) && !lines.eof()) return line.substr(prefix.size());
    }
    if (!alive) throw std::runtime_error("the program ended before '" + prefix + "'; it said: " + output());
    if (steady_clock::now() > end) throw std::runtime_error("no '" + prefix + "' in time; it said: " + output());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace test_support
