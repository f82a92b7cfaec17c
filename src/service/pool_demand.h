// From how many requests came to how many keys there should be.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "service/key_pool.h"

namespace hsmsigner::service {

// Requests of a class in the last ten minutes or so, below which none are kept ready for it: a trial run makes none.
inline constexpr double kLeastDemand = 10;
inline constexpr std::size_t kMostLearned = 1000;

// Marks for a class without any in the settings. `high` is what a minute of such demand takes, or thirty times what
// comes while one key is made, whichever is more; `low` is half of it.
PoolMarks learned_marks(const KeyClass& key_class, double demand, std::chrono::duration<double> one_key);

// Marks as the settings write them: "P-256:100:500", "RSA-2048/exportable:0:10". Nothing for any other text, for a low
// mark above the high one, and for more than a million.
std::optional<PoolMarks> parse_marks(std::string_view text);

}  // namespace hsmsigner::service
