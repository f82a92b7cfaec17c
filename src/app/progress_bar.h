// How far a long command has come, on a terminal or in a log.
#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>

namespace hsmsigner::app {

// On a terminal one line that is written over, at most ten times a second; else a line of its own every five seconds.
class ProgressBar {
 public:
  ProgressBar(std::ostream& out, bool terminal, std::size_t total);
  void show(std::size_t done);
  // The last state, and the end of the line.
  void finish(std::size_t done);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  void write(std::size_t done, Instant now);

  std::ostream& out_;
  const bool terminal_;
  const std::size_t total_;
  const Instant begun_;
  Instant next_;
};

}  // namespace hsmsigner::app
