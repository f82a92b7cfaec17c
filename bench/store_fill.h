// A store with as many certificates as one wants to know about, without a token to make their keys.
#pragma once

#include <cstddef>
#include <string>

#include "base/uuid.h"

namespace hsmsigner::bench {

// Where the filled ones are, and how they are named: half of them in each.
inline constexpr const char* kFilledFolders[] = {"Growth 0", "Growth 1"};
// The i-th of them, in folder i % 2. In the order of the names they are as if shuffled.
std::string filled_name(std::size_t i);

struct Filled {
  std::size_t added = 0;
  double seconds = 0;
};

// Adds certificates that `issuer` signed, each with its event, until there are `certificates` of them in the two
// folders. They are of real size and lie beside what the store holds; there is no key for them in any token. The file
// is of hsm-signer's making, and no server may run on it. Throws Error, as the store does.
Filled fill_store(const std::string& path, std::size_t certificates, const Uuid& issuer);

}  // namespace hsmsigner::bench
