// PINs, passphrases and private bytes: cleansed when dropped, moved but never copied by accident, never printed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace hsmsigner {

class Secret {
 public:
  Secret() = default;
  // Copies the characters; the caller cleanses its own source (see cleanse()).
  explicit Secret(std::string_view text);
  explicit Secret(ByteView octets);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // A copy that is meant.
  Secret clone() const { return Secret(view()); }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  // Valid while this object lives and is not moved from.
  std::string_view view() const noexcept { return {buffer_.data(), size_}; }
  // The same as octets.
  ByteView bytes() const noexcept { return {reinterpret_cast<const std::uint8_t*>(buffer_.data()), size_}; }
  // NUL-terminated, for C interfaces that take no length.
  const char* c_str() const noexcept { return buffer_.empty() ? "" : buffer_.data(); }

 private:
  void wipe() noexcept;
  std::vector<char> buffer_;  // size_ + 1 characters, allocated once so that no copy is left behind by growth
  std::size_t size_ = 0;
};

// Overwrites memory in a way the optimiser must keep.
void cleanse(void* data, std::size_t size) noexcept;
// The same for a buffer whose contents were secret, which is then empty.
void cleanse(std::string& text) noexcept;
void cleanse(Bytes& octets) noexcept;

}  // namespace hsmsigner
