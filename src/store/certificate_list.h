// Pages of certificates, at any offset, and totals, without reading what lies before. Private to the store.
//
// The table certificate_section (migrations.cc) tells how many certificates there are between one key and another, at
// most 1,024 each. A page is looked for there; from the beginning of its section on, an index is walked. So an offset
// costs the reading of one number per section and of 1,024 index entries at most, and is of the same moment as the
// certificates: nothing is remembered from one page to the next that a change in between could make wrong.
//
// All are called within one transaction (Reader::at_one_moment()) and throw soci_error.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/certificate_store.h"
#include "store/connections.h"

namespace hsmsigner::store {

// In the order of CertificateStore::list().
Page list_everything(Reader& reader, std::size_t offset, std::size_t limit);
Page list_container(Reader& reader, const Container& container, std::size_t offset, std::size_t limit);
// `containers`: each once. Costs a few statements per container, and at most 1,024 index entries for each beyond the
// page.
Page list_containers(Reader& reader, const std::vector<Container>& containers, std::size_t offset, std::size_t limit);

// In the order of CertificateStore::find_by_name_anywhere(). One look-up per container.
std::vector<CertificateRow> namesakes_in(Reader& reader, const std::string& name,
                                         const std::vector<Container>& containers, std::size_t limit);

}  // namespace hsmsigner::store
