// Several containers' certificates as one list. Private to the store.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "store/connections.h"

namespace hsmsigner::store {

// Each container's names are in order in an index; here they are merged as they are read. Within one transaction.
class MergedNames {
 public:
  // Reads the containers' sections. `reader` and `containers`, each once, outlive this object.
  MergedNames(Reader& reader, const std::vector<Container>& containers);

  std::size_t total() const noexcept { return total_; }
  // `count` certificates from this offset on, in order; offset + count is at most the total. Once only.
  std::vector<CertificateRow> rows(std::size_t offset, std::size_t count);

 private:
  struct Part {
    std::string kind;
    std::string container;
    std::vector<SectionOfContainerRow> sections;
    // What is to come begins `passed` names after this one, which may itself be among them.
    std::string from;
    std::size_t passed = 0;
    // Read ahead, beginning at `at`.
    std::vector<CertificateNameRow> names;
    std::size_t at = 0;
    // Of those that belong to the page:
    std::string first;
    std::size_t count = 0;
    std::vector<CertificateRow> rows;
    std::size_t rows_used = 0;
  };

  std::string last_certain_start(std::size_t offset) const;
  std::size_t rank_of(const std::string& name);
  std::size_t rank_in(const Part& part, const std::string& name);
  std::optional<std::string> name_after(const Part& part, std::size_t count);
  std::size_t leap(std::size_t skip);
  bool read_on(Part& part, std::size_t batch);

  Reader& reader_;
  std::vector<Part> parts_;
  std::size_t total_ = 0;
};

}  // namespace hsmsigner::store
