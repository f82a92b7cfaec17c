// Access tokens whose signatures were verified lately, so that a client's next request need not do it again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/access_token.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace hsmsigner::auth {

// Remembers claims, never tokens: under HMAC-SHA-256 of the token with a key that is drawn at random and stays in this
// object, so that what is remembered opens nothing, and nobody can tell where a token of his making would come to lie.
// Only what verified is remembered; strangers cannot push anything out. Whether the account still is what the token
// says is not asked here, but by service::Access for every request.
//
// Thread safe if `find_key` is.
class VerifiedTokens {
 public:
  static constexpr std::size_t kMost = 2048;

  // At most `most` are remembered; the oldest go first. Throws Error{internal_error} when there is no randomness.
  explicit VerifiedTokens(std::size_t most = kMost);

  // As verify_access_token(), and throws what that throws. What is remembered counts only while verifying again would
  // say the same: it has not expired, `find_key` still gives the same key, and the clock has not gone back.
  AccessTokenClaims verify(std::string_view token, const FindKey& find_key, UnixTime now);

  std::size_t size() const;
  // How often a signature had not to be verified.
  std::uint64_t hits() const noexcept { return hits_; }

 private:
  using Tag = std::array<std::uint8_t, 32>;
  struct TagHash {
    std::size_t operator()(const Tag& tag) const noexcept;
  };
  struct Entry {
    AccessTokenClaims claims;
    std::string kid;
    RsaPublicKey key;
    UnixTime verified_at;
  };

  Tag tag_of(std::string_view token) const;
  std::optional<Entry> find(const Tag& tag) const;
  void remember(const Tag& tag, Entry entry);

  const std::size_t most_;
  Bytes key_;
  mutable std::mutex mutex_;
  std::unordered_map<Tag, Entry, TagHash> entries_;  // guarded by mutex_
  std::deque<Tag> order_;                            // guarded by mutex_; those of entries_, each once, oldest first
  std::atomic<std::uint64_t> hits_{0};
};

}  // namespace hsmsigner::auth
