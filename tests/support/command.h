// Running other programs: tools that judge our output, and our own binary.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace test_support {

struct CommandResult {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string out;     // standard output and standard error together
};

// Runs to its end; kills it and throws std::runtime_error past the time-out. No shell. `input` becomes standard input.
CommandResult run_command(const std::vector<std::string>& argv, const std::string& input = "",
                          const std::map<std::string, std::string>& environment = {},
                          std::chrono::seconds timeout = std::chrono::seconds(60));

// The same, throwing std::runtime_error with the output unless it exits 0.
std::string must_run(const std::vector<std::string>& argv, const std::string& input = "",
                     const std::map<std::string, std::string>& environment = {});

bool program_exists(const std::string& name);

// A program in the background, with its output in a file. Ended (SIGKILL) and reaped by the destructor.
class BackgroundProcess {
 public:
  BackgroundProcess(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
                    std::string output_file, const std::string& input_file = "/dev/null");
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code (128 + signal when it was killed); throws std::runtime_error past the time-out.
  int wait(std::chrono::seconds timeout);
  // Standard output and standard error so far.
  std::string output() const;
  // The rest of the first output line that begins with `prefix`; throws when the program ends or time runs out first.
  std::string wait_for_line(const std::string& prefix, std::chrono::seconds timeout);

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  std::string output_file_;
};

}  // namespace test_support
