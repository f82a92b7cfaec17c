// SHA-256 over octets that come one after the other, such as a file's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace hsmsigner::crypto {

// Throws Error{internal_error}. One thread at a time.
class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  RunningSha256(const RunningSha256&) = delete;
  RunningSha256& operator=(const RunningSha256&) = delete;

  void add(std::string_view octets);
  // 64 lower-case hexadecimal digits. Once, at last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hsmsigner::crypto
