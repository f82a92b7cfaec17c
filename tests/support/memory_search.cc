#include "support/memory_search.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#ifndef HSM_SIGNER_SANITIZED

namespace test_support {

std::string complement(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) result += static_cast<char>(~c);
  return result;
}

std::size_t copies_of(const std::string& complemented) {
  const std::string reversed(complemented.rbegin(), complemented.rend());
  std::size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  static std::array<char, 1 << 20> chunk;  // zero but while it is searched, so that it does not find itself
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::size_t begin = 0;
    std::size_t end = 0;
    char dash = 0;
    std::string rights;
    words >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with("rw")) continue;
    while (end - begin > complemented.size()) {
      const ssize_t size =
          ::pread(memory, chunk.data(), std::min(chunk.size(), end - begin), static_cast<off_t>(begin));
      if (size <= 0) break;
      for (char& c : chunk) c = static_cast<char>(~c);
      const std::string_view searched(chunk.data(), static_cast<std::size_t>(size));
      for (const std::string& form : {complemented, reversed}) {
        for (std::size_t at = 0; (at = searched.find(form, at)) != std::string_view::npos; ++at) ++found;
      }
      chunk.fill(0);  // static, and read again by the next call: not optimised away
      begin += searched.size() == chunk.size() ? searched.size() - complemented.size() : searched.size();
    }
  }
  ::close(memory);
  return found;
}

}  // namespace test_support

#endif
