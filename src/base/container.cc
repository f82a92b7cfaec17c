#include "base/container.h"

#include <algorithm>

namespace hsmsigner {
namespace {

struct KindName {
  ContainerKind kind;
  const char* name;
};

constexpr KindName kKinds[] = {
    {ContainerKind::folder, "folder"},
    {ContainerKind::snippet, "snippet"},
    {ContainerKind::device, "device"},
};

constexpr bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
         c == '.' || c == ' ';
}

}  // namespace

const char* to_string(ContainerKind kind) noexcept {
  for (const KindName& row : kKinds) {
    if (row.kind == kind) return row.name;
  }
  return "";
}

std::optional<ContainerKind> container_kind_from(std::string_view text) noexcept {
  for (const KindName& row : kKinds) {
    if (text == row.name) return row.kind;
  }
  return std::nullopt;
}

bool is_container_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_name_character);
}

std::string Container::to_string() const { return std::string(hsmsigner::to_string(kind)) + ":" + name; }

std::optional<Container> Container::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto kind = container_kind_from(text.substr(0, colon));
  const std::string_view name = text.substr(colon + 1);
  if (!kind || !is_container_name(name)) return std::nullopt;
  return Container{*kind, std::string(name)};
}

bool ContainerScope::contains(const Container& container) const {
  return all || std::find(containers.begin(), containers.end(), container) != containers.end();
}

}  // namespace hsmsigner
