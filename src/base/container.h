// Where a certificate lives (HTTP contract, section 2): its name is unique in it, and grants are limited to it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hsmsigner {

enum class ContainerKind { folder, snippet, device };
// "folder", "snippet", "device".
const char* to_string(ContainerKind kind) noexcept;
std::optional<ContainerKind> container_kind_from(std::string_view text) noexcept;

// Letters, digits, '-', '_', '.', space; 1 to 64 of them.
bool is_container_name(std::string_view text) noexcept;

struct Container {
  ContainerKind kind = ContainerKind::folder;
  std::string name;
  auto operator<=>(const Container&) const = default;

  // "folder:Payments".
  std::string to_string() const;
  // Nothing for any other text.
  static std::optional<Container> parse(std::string_view text);
};

// A set of containers: all there are and will be, or those named.
struct ContainerScope {
  bool all = false;
  std::vector<Container> containers;  // of no meaning when `all`; each once

  static ContainerScope everything() { return {true, {}}; }
  bool contains(const Container& container) const;
};

}  // namespace hsmsigner
