#include "store/certificate_list.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "store/connections.h"
#include "store/merged_names.h"

namespace hsmsigner::store {
namespace {

struct Place {
  std::size_t total = 0;
  // Where to begin; nothing when the offset is past the end.
  std::optional<SectionRow> section;
  std::size_t skip = 0;  // certificates of the section before the offset
};

Place place_of(Reader& reader, const std::vector<std::string>& scope, std::size_t offset) {
  const std::vector<long long> sizes = reader.section_sizes(scope);
  Place place;
  std::size_t index = 0;
  bool found = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::size_t after = place.total + static_cast<std::size_t>(sizes[i]);
    if (!found && offset < after) {
      found = true;
      index = i;
      place.skip = offset - place.total;
    }
    place.total = after;
  }
  if (found) place.section = reader.sections(scope, page_numbers(index, 1)).at(0);
  return place;
}

}  // namespace

Page list_everything(Reader& reader, std::size_t offset, std::size_t limit) {
  const Place place = place_of(reader, {"", ""}, offset);
  if (!place.section) return {{}, place.total};
  const SectionRow& from = *place.section;
  return {records_of(reader.certificates({from.name, from.container_kind, from.container_name},
                                         page_numbers(place.skip, limit))),
          place.total};
}

Page list_container(Reader& reader, const Container& container, std::size_t offset, std::size_t limit) {
  const std::string kind = to_string(container.kind);
  const Place place = place_of(reader, {kind, container.name}, offset);
  if (!place.section) return {{}, place.total};
  return {
      records_of(reader.container_from({kind, container.name, place.section->name}, page_numbers(place.skip, limit))),
      place.total};
}

Page list_containers(Reader& reader, const std::vector<Container>& containers, std::size_t offset, std::size_t limit) {
  if (containers.size() == 1) return list_container(reader, containers.front(), offset, limit);
  MergedNames names(reader, containers);
  Page page;
  page.total = names.total();
  if (offset >= page.total) return page;
  page.records = records_of(names.rows(offset, std::min(limit, page.total - offset)));
  return page;
}

std::vector<CertificateRow> namesakes_in(Reader& reader, const std::string& name,
                                         const std::vector<Container>& containers, std::size_t limit) {
  std::vector<CertificateRow> found;
  for (const Container& container : containers) {
    for (CertificateRow& row : reader.certificate_by_name({to_string(container.kind), container.name, name})) {
      found.push_back(std::move(row));
    }
  }
  std::sort(found.begin(), found.end(), [](const CertificateRow& a, const CertificateRow& b) {
    return std::forward_as_tuple(-a.certificate_authority, a.container_kind, a.container_name) <
           std::forward_as_tuple(-b.certificate_authority, b.container_kind, b.container_name);
  });
  if (found.size() > limit) found.erase(found.begin() + static_cast<std::ptrdiff_t>(limit), found.end());
  return found;
}

}  // namespace hsmsigner::store
