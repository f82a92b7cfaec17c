// Whether secrets stay in this process's memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// The sanitizers' own mappings are too large to be searched.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HSM_SIGNER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HSM_SIGNER_SANITIZED 1
#endif
#endif
#ifndef HSM_SIGNER_SANITIZED

namespace test_support {

// What copies_of() looks for: complemented, so that it is not itself found.
std::string complement(std::string_view text);

// How often the octets are in writable memory, in this order or as a number's words have them (little-endian).
std::size_t copies_of(const std::string& complemented);

}  // namespace test_support

#endif
