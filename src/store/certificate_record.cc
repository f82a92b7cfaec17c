#include "store/certificate_record.h"

namespace hsmsigner::store {
namespace {

struct KindName {
  ContainerKind kind;
  const char* name;
};

constexpr KindName kinds[] = {
    {ContainerKind::folder, "folder"},
    {ContainerKind::snippet, "snippet"},
    {ContainerKind::device, "device"},
};

}  // namespace

const char* to_string(ContainerKind kind) noexcept {
  for (const KindName& row : kinds) {
    if (row.kind == kind) return row.name;
  }
  return "";
}

std::optional<ContainerKind> container_kind_from(const std::string& text) noexcept {
  for (const KindName& row : kinds) {
    if (text == row.name) return row.kind;
  }
  return std::nullopt;
}

}  // namespace hsmsigner::store
