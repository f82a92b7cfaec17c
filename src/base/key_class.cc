#include "base/key_class.h"

namespace hsmsigner {
namespace {

constexpr std::string_view kExportable = "/exportable";

}  // namespace

std::string KeyClass::to_string() const {
  std::string text(info(algorithm).name);
  if (!block_export) text += kExportable;
  return text;
}

std::optional<KeyClass> KeyClass::parse(std::string_view text) {
  const bool exportable = text.ends_with(kExportable);
  if (exportable) text.remove_suffix(kExportable.size());
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.name == text) return KeyClass{row.algorithm, !exportable};
  }
  return std::nullopt;
}

}  // namespace hsmsigner
