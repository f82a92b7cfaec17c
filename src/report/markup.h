// HTML as it is put together: markup comes from this room's own source, everything else is escaped. No value can get
// in as markup, since raw() takes nothing but literals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hsmsigner::report {

class Markup {
 public:
  template <std::size_t size>
  Markup& raw(const char (&literal)[size]) {
    out_ += std::string_view(literal, size - 1);
    return *this;
  }
  // For element content and for attribute values in double quotes. What is not UTF-8 becomes U+FFFD; characters that
  // control how others are shown (C0, C1, bidirectional controls) are written as [U+202E], so that no name can pass
  // itself off as another.
  Markup& text(std::string_view value);
  Markup& number(std::uint64_t value);
  // Hundredths, as SVG takes lengths: 1234 becomes 12.34.
  Markup& hundredths(std::int64_t value);
  Markup& append(const Markup& other) {
    out_ += other.out_;
    return *this;
  }

  const std::string& str() const noexcept { return out_; }

 private:
  std::string out_;
};

// What text() and the JSON writer make of a value before they escape it.
std::string visible(std::string_view value);

}  // namespace hsmsigner::report
