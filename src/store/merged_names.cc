#include "store/merged_names.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <tuple>
#include <utility>

namespace hsmsigner::store {
namespace {

std::size_t size_of(const SectionOfContainerRow& section) { return static_cast<std::size_t>(section.certificates); }

}  // namespace

MergedNames::MergedNames(Reader& reader, const std::vector<Container>& containers) : reader_(reader) {
  for (const Container& container : containers) {
    Part part;
    part.kind = to_string(container.kind);
    part.container = container.name;
    part.sections = reader_.sections_of_container({part.kind, part.container});
    if (part.sections.empty()) continue;
    for (const SectionOfContainerRow& section : part.sections) total_ += size_of(section);
    parts_.push_back(std::move(part));
  }
}

// The last name at which a section begins and before which there are certainly no more than `offset` certificates:
// those of all sections that begin earlier, even if they end later.
std::string MergedNames::last_certain_start(std::size_t offset) const {
  std::vector<std::pair<std::string_view, std::size_t>> starts;
  for (const Part& part : parts_) {
    for (const SectionOfContainerRow& section : part.sections) starts.emplace_back(section.name, size_of(section));
  }
  std::sort(starts.begin(), starts.end());
  std::string_view last;
  std::size_t before = 0;
  for (const auto& [name, size] : starts) {
    // Of several that begin at the same name the first tells of what lies before it.
    if (name != last) {
      if (before > offset) break;
      last = name;
    }
    before += size;
  }
  return std::string(last);
}

std::size_t MergedNames::rank_in(const Part& part, const std::string& name) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < part.sections.size() && part.sections[i].name < name; ++i) {
    const SectionOfContainerRow& section = part.sections[i];
    if (i + 1 < part.sections.size() && part.sections[i + 1].name <= name) {
      rank += size_of(section);
    } else {
      rank +=
          static_cast<std::size_t>(reader_.count_between({part.kind, part.container, section.name, name}).value_or(0));
    }
  }
  return rank;
}

// How many certificates have a smaller name.
std::size_t MergedNames::rank_of(const std::string& name) {
  std::size_t rank = 0;
  for (const Part& part : parts_) rank += rank_in(part, name);
  return rank;
}

// The last of the next `count` names; nothing when there are not so many.
std::optional<std::string> MergedNames::name_after(const Part& part, std::size_t count) {
  std::vector<CertificateNameRow> found =
      reader_.container_names({part.kind, part.container, part.from}, page_numbers(part.passed + count - 1, 1));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front().name));
}

// Passes most of the next `skip` names without reading them, and returns how many are left to pass. Of the names that
// come `stride` places further in each part, before the smallest there are at most parts * (stride - 1) others: it is
// among the first parts * stride of all, and so are those of its part before it.
std::size_t MergedNames::leap(std::size_t skip) {
  constexpr std::size_t kWorthIt = 64;  // of each part; a look-up costs as much as reading a dozen
  const std::size_t parts = parts_.size();
  while (skip >= kWorthIt * parts) {
    const std::size_t stride = skip / (2 * parts);
    using Ahead = std::tuple<std::string, std::string_view, std::string_view, std::size_t>;
    std::priority_queue<Ahead, std::vector<Ahead>, std::greater<>> ahead;
    const auto look = [&](std::size_t i) {
      const Part& part = parts_[i];
      if (auto name = name_after(part, stride)) ahead.emplace(*std::move(name), part.kind, part.container, i);
    };
    for (std::size_t i = 0; i < parts; ++i) look(i);
    while (skip >= parts * stride && !ahead.empty()) {
      const std::size_t i = std::get<std::size_t>(ahead.top());
      Part& part = parts_[i];
      part.from = std::get<std::string>(ahead.top());
      part.passed = 1;
      ahead.pop();
      skip -= stride;
      if (skip >= parts * stride) look(i);
    }
  }
  return skip;
}

// False at the end.
bool MergedNames::read_on(Part& part, std::size_t batch) {
  part.names = reader_.container_names({part.kind, part.container, part.from}, page_numbers(part.passed, batch));
  part.at = 0;
  if (part.names.empty()) return false;
  part.from = part.names.back().name;
  part.passed = 1;
  return true;
}

std::vector<CertificateRow> MergedNames::rows(std::size_t offset, std::size_t count) {
  if (count == 0) return {};
  const std::string start = last_certain_start(offset);
  for (Part& part : parts_) part.from = start;
  std::size_t skip = leap(offset - rank_of(start));

  // What one container has of all that is to be read, were they mixed evenly; not all of it at once.
  const std::size_t batch = std::min<std::size_t>((skip + count) / parts_.size() + 4, 256);
  const auto later = [this](std::size_t a, std::size_t b) {
    const Part& one = parts_[a];
    const Part& other = parts_[b];
    return std::tie(one.names[one.at].name, one.kind, one.container) >
           std::tie(other.names[other.at].name, other.kind, other.container);
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(later)> next(later);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (read_on(parts_[i], batch)) next.push(i);
  }
  std::vector<std::size_t> order;  // the part of each certificate of the page
  while (order.size() < count && !next.empty()) {
    const std::size_t i = next.top();
    next.pop();
    Part& part = parts_[i];
    const std::string& name = part.names[part.at].name;
    if (skip > 0) {
      --skip;
    } else {
      if (part.count++ == 0) part.first = name;
      order.push_back(i);
    }
    if (++part.at < part.names.size() || read_on(part, batch)) next.push(i);
  }

  // Each container's share of the page in one walk of its index, and then in the order found above.
  for (Part& part : parts_) {
    if (part.count == 0) continue;
    part.rows = reader_.container_from({part.kind, part.container, part.first}, page_numbers(0, part.count));
  }
  std::vector<CertificateRow> rows;
  rows.reserve(order.size());
  for (const std::size_t i : order) rows.push_back(std::move(parts_[i].rows.at(parts_[i].rows_used++)));
  return rows;
}

}  // namespace hsmsigner::store
