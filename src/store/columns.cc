#include "store/columns.h"

#include <algorithm>

namespace hsmsigner::store {

std::string to_lines(const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) {
    const bool control = std::any_of(value.begin(), value.end(), [](char c) {
      const auto octet = static_cast<unsigned char>(c);
      return octet < 0x20 || octet == 0x7f;
    });
    if (control) throw Error(ErrorKind::internal_error).with_cause("a control character in a list to be stored");
    lines += value;
    lines += '\n';
  }
  return lines;
}

std::vector<std::string> from_lines(const std::string& lines) {
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    values.push_back(lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return values;
}

Nullable<long long> to_nullable(const std::optional<UnixTime>& time) {
  if (!time) return {};
  return {to_number(*time), soci::i_ok};
}

std::optional<UnixTime> to_time(const Nullable<long long>& seconds) {
  if (seconds.null()) return std::nullopt;
  return to_time(seconds.value);
}

void throw_unreadable() {
  throw Error(ErrorKind::internal_error, {"The certificate database holds a record that cannot be read."});
}

}  // namespace hsmsigner::store
