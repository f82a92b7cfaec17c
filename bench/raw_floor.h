// The floor: what the module itself takes for the PKCS#11 calls that one certificate cannot do without.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/uuid.h"
#include "closed_loop.h"
#include "cryptoki.h"

namespace hsmsigner::bench {

enum class Algorithm { p256, rsa2048, rsa4096 };
std::string to_string(Algorithm algorithm);

enum class RawWork {
  pair,      // generate + read and destroy the public half + one signature with the authority's key
  generate,  // the same without the signature
  sign,      // the signature only
};

struct RawOptions {
  Algorithm algorithm = Algorithm::p256;
  RawWork work = RawWork::pair;
  unsigned threads = 1;
  std::size_t warm_up = 0;  // operations before the measured ones
  std::size_t operations = 0;
  std::optional<Uuid> signing_key;  // CKA_ID of the key that signs; none: one is made for the purpose
};

struct RawResult {
  LoopResult loop;
  std::size_t objects_before = 0;
  std::size_t objects_after = 0;
};

// Leaves the token as it found it.
RawResult measure_raw(const LoggedInToken& token, const RawOptions& options);

// What the module keeps in this process's memory of a P-256 key that was made and destroyed: kilobytes for each, the mean
// over `keys` of them after a quarter as many.
double measure_kept_kilobytes(const LoggedInToken& token, std::size_t keys);

// Generates P-256 keys from four threads until the token holds this many objects. They stay.
void fill(const LoggedInToken& token, std::size_t objects);

}  // namespace hsmsigner::bench
