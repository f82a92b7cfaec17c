// What lists are found by: sections and names. Private to the store.
#pragma once

#include <string>

namespace hsmsigner::store {

// Its key is where it begins.
struct SectionRow {
  std::string name, container_kind, container_name;
  long long certificates = 0;

  static constexpr const char* table = "certificate_section";

  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("name", row.name);
    visit("container_kind", row.container_kind);
    visit("container_name", row.container_name);
    visit("certificates", row.certificates);
  }
};

// Of one container, where the name alone is the key.
struct SectionOfContainerRow {
  std::string name;
  long long certificates = 0;

  static constexpr const char* table = "certificate_section";

  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("name", row.name);
    visit("certificates", row.certificates);
  }
};

struct CertificateNameRow {
  std::string name;

  static constexpr const char* table = "certificate";

  template <class Row, class Visit>
  static void for_each_column(Row& row, const Visit& visit) {
    visit("name", row.name);
  }
};

}  // namespace hsmsigner::store
