#include "app/progress_bar.h"

#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string>

namespace hsmsigner::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kWidth = 30;

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(whole / 60),
                static_cast<long long>(whole % 60));
  return text;
}

}  // namespace

ProgressBar::ProgressBar(std::ostream& out, bool terminal, std::size_t total)
    : out_(out), terminal_(terminal), total_(total), begun_(steady_clock::now()), next_(begun_) {}

void ProgressBar::show(std::size_t done) {
  const Instant now = steady_clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? milliseconds(100) : milliseconds(5000));
  write(done, now);
}

void ProgressBar::finish(std::size_t done) {
  write(done, steady_clock::now());
  if (terminal_) out_ << std::endl;
}

void ProgressBar::write(std::size_t done, Instant now) {
  const double seconds = std::chrono::duration<double>(now - begun_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::size_t filled = total_ == 0 ? kWidth : kWidth * done / total_;
  char figures[64];
  std::snprintf(figures, sizeof figures, "  %.1f/s", rate);
  std::string text = "[" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "] " + std::to_string(done) +
                     "/" + std::to_string(total_) + figures;
  if (rate > 0 && done < total_) text += "  " + clock_text(static_cast<double>(total_ - done) / rate) + " left";
  if (terminal_) {
    out_ << '\r' << text << "      " << std::flush;
  } else {
    out_ << text << std::endl;
  }
}

}  // namespace hsmsigner::app
