#include "auth/verified_tokens.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "auth/hmac.h"
#include "crypto/openssl.h"

namespace hsmsigner::auth {

VerifiedTokens::VerifiedTokens(std::size_t most) : most_(most), key_(32) {
  crypto::require(RAND_priv_bytes(key_.data(), static_cast<int>(key_.size())), "RAND_priv_bytes");
}

// Any part of an HMAC is as good as another.
std::size_t VerifiedTokens::TagHash::operator()(const Tag& tag) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, tag.data(), sizeof hash);
  return hash;
}

VerifiedTokens::Tag VerifiedTokens::tag_of(std::string_view token) const {
  const Bytes value = hmac_sha256(key_, {reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
  Tag tag{};
  std::copy_n(value.begin(), tag.size(), tag.begin());
  return tag;
}

AccessTokenClaims VerifiedTokens::verify(std::string_view token, const FindKey& find_key, UnixTime now) {
  if (token.size() > kMaxAccessTokenOctets) return verify_access_token(token, find_key, now);  // throws
  const Tag tag = tag_of(token);
  if (auto known = find(tag)) {
    // What does not hold is verified as if it were new, so that the refusal is the same as well.
    if (now >= known->verified_at && now < known->claims.expires_at && find_key(known->kid) == known->key) {
      ++hits_;
      return std::move(known->claims);
    }
  }
  Entry entry;
  const auto note_key = [&](std::string_view kid) {
    auto key = find_key(kid);
    if (key) {
      entry.kid = kid;
      entry.key = *key;
    }
    return key;
  };
  entry.claims = verify_access_token(token, note_key, now);
  entry.verified_at = now;
  AccessTokenClaims claims = entry.claims;
  remember(tag, std::move(entry));
  return claims;
}

std::optional<VerifiedTokens::Entry> VerifiedTokens::find(const Tag& tag) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(tag);
  return found == entries_.end() ? std::nullopt : std::optional(found->second);
}

void VerifiedTokens::remember(const Tag& tag, Entry entry) {
  const std::lock_guard lock(mutex_);
  const auto known = entries_.find(tag);
  if (known != entries_.end()) {  // by another thread meanwhile, or what no longer held
    known->second = std::move(entry);
    return;
  }
  while (!order_.empty() && order_.size() >= most_) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
  if (most_ == 0) return;
  order_.push_back(tag);
  entries_.emplace(tag, std::move(entry));
}

std::size_t VerifiedTokens::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace hsmsigner::auth
