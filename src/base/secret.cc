#include "base/secret.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace hsmsigner {

void cleanse(void* data, std::size_t size) noexcept {
  if (size != 0) explicit_bzero(data, size);
}

void cleanse(std::string& text) noexcept {
  cleanse(text.data(), text.capacity());
  text.clear();
}

void cleanse(Bytes& octets) noexcept {
  cleanse(octets.data(), octets.size());
  octets.clear();
}

Secret::Secret(std::string_view text) : buffer_(text.size() + 1, '\0'), size_(text.size()) {
  std::copy(text.begin(), text.end(), buffer_.begin());
}

Secret::Secret(ByteView octets)
    : Secret(std::string_view(reinterpret_cast<const char*>(octets.data()), octets.size())) {}

Secret::Secret(Secret&& other) noexcept : buffer_(std::move(other.buffer_)), size_(std::exchange(other.size_, 0)) {
  other.buffer_.clear();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    buffer_ = std::move(other.buffer_);
    other.buffer_.clear();
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { wipe(); }

void Secret::wipe() noexcept {
  cleanse(buffer_.data(), buffer_.size());
  buffer_.clear();
  size_ = 0;
}

}  // namespace hsmsigner
