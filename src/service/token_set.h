// The tokens that the service works with: which of them has a key, and to which a new one goes.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "hsm/token.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

// What a token is there for. `service`: the key of access tokens, the audit key, and random numbers.
struct TokenUses {
  bool authorities = true;  // keys of certificate authorities
  bool leaves = true;       // keys of all other certificates
  bool service = true;

  bool operator==(const TokenUses&) const = default;
};

// Whose key a new one is.
enum class KeyUse { authority, leaf };
constexpr KeyUse use_for(bool certificate_authority) {
  return certificate_authority ? KeyUse::authority : KeyUse::leaf;
}

struct ServiceToken {
  hsm::Token& token;
  TokenUses uses = {};
  std::vector<std::string> former_serials = {};  // of tokens whose keys were moved into this one
};

// By which records name a token: its serial number, or its label when it has none.
const std::string& name_of(const hsm::TokenInfo& token);
const std::string& token_name(const store::KeyRecord& key);

// Thread safe.
class TokenSet {
 public:
  // For so long a token that did not take a key is asked last.
  static constexpr std::chrono::seconds kSetAside{60};

  // The tokens outlive this object. Throws Error{invalid_object} unless each use is held by one of them, `service` by
  // exactly one, and no two of them have a name in common: a record could not tell them apart.
  explicit TokenSet(std::vector<ServiceToken> tokens);
  // One for everything.
  explicit TokenSet(hsm::Token& only) : TokenSet(std::vector<ServiceToken>{{only}}) {}
  TokenSet(const TokenSet&) = delete;
  TokenSet& operator=(const TokenSet&) = delete;

  const std::vector<ServiceToken>& all() const noexcept { return tokens_; }
  hsm::Token& for_service() const noexcept { return tokens_[service_].token; }
  std::size_t service_place() const noexcept { return service_; }

  // Whether one that holds this use does (hsm::Token::can_generate).
  bool can_generate(KeyUse use, KeyAlgorithm algorithm) const noexcept;

  // Where a new key of this id may go, the token to take first in front: of those that hold the use, and make the
  // algorithm if one is told. The order is that of the SHA-256 of name and id (rendezvous hashing: one more token takes
  // its share from each, and moves nothing else), with those that are set aside at the end.
  std::vector<hsm::Token*> for_new(KeyUse use, const Uuid& id, std::optional<KeyAlgorithm> algorithm = {}) const;

  // One that does not take a new key: full, away, or too slow.
  void set_aside(const hsm::Token& token);

  using Take = std::function<void(hsm::Token&, const Uuid& id)>;
  // Calls `take`, which makes a key, for the first token of for_new() for a new id. One that answers
  // Error{token_unavailable} is set aside with a line in the log, and the next one is asked; likewise after
  // Error{invalid_object}, as a token may take keys that another does not. After Error{session_timeout} it is set
  // aside, and no time is left for another one. The id is another one for each. Throws what the last one threw, and
  // Error{token_unavailable} if there is none.
  void first_that_takes(KeyUse use, std::optional<KeyAlgorithm> algorithm, const Take& take);

  struct Made {
    hsm::Token& token;
    hsm::GeneratedKey key;
  };
  using Make = std::function<hsm::GeneratedKey(hsm::Token&, const Uuid& id)>;
  // The same for a key that is made and kept track of as it is.
  Made make(KeyUse use, std::optional<KeyAlgorithm> algorithm, const Make& make);

  // The one that has this key, by the name in its record: its place in all(). Whether the key is there, and whether the
  // token answers, is not looked at.
  std::optional<std::size_t> place_of(const store::KeyRecord& key) const noexcept;
  // Throws Error{token_unavailable} when that token is not among these.
  hsm::Token& holding(const store::KeyRecord& key) const;

 private:
  bool holds(std::size_t place, KeyUse use) const noexcept;

  const std::vector<ServiceToken> tokens_;
  std::size_t service_ = 0;  // place in tokens_

  mutable std::mutex mutex_;
  std::vector<Deadline> aside_until_;  // guarded by mutex_; by place
};

}  // namespace hsmsigner::service
