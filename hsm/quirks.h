// The one table of what certain tokens do otherwise than the standard says, by what CK_TOKEN_INFO tells of them.
#pragma once

#include <p11-kit/pkcs11.h>

#include <string_view>

namespace hsmsigner::hsm {

struct Quirks {
  std::string_view manufacturer;    // CK_TOKEN_INFO.manufacturerID
  std::string_view model;           // CK_TOKEN_INFO.model
  bool searches_apart_from_making;  // see object_gate.h
};

// All false for a token that the table does not name.
const Quirks& quirks_of(const CK_TOKEN_INFO& token) noexcept;

}  // namespace hsmsigner::hsm
