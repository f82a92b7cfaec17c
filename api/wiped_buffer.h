// Octets on their way through a connection. Requests and answers may hold keys and passphrases, so nothing that was in
// here stays in memory once it is dropped, moved on or grown out of.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"

namespace hsmsigner::api {

class WipedBuffer {
 public:
  WipedBuffer() = default;
  ~WipedBuffer() { clear(); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  std::string_view view() const noexcept { return text_; }
  std::size_t size() const noexcept { return text_.size(); }
  bool empty() const noexcept { return text_.empty(); }

  void reserve(std::size_t size) {
    if (size <= text_.capacity()) return;
    std::string bigger;
    bigger.reserve(size);
    bigger.append(text_);
    cleanse(text_);
    text_ = std::move(bigger);
  }
  void append(std::string_view octets) {
    const std::size_t size = text_.size() + octets.size();
    if (size > text_.capacity()) reserve(std::max(size, 2 * text_.capacity()));
    text_.append(octets);
  }
  // The first of them are used.
  void drop_front(std::size_t count) noexcept {
    const std::size_t left = text_.size() - count;
    std::memmove(text_.data(), text_.data() + count, left);
    cleanse(text_.data() + left, count);
    text_.resize(left);
  }
  void clear() noexcept { cleanse(text_); }
  // The caller wipes it.
  std::string take() {
    std::string taken = std::move(text_);
    clear();  // a short text was copied, not moved
    return taken;
  }

 private:
  std::string text_;
};

}  // namespace hsmsigner::api
