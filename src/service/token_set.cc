#include "service/token_set.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "crypto/digest.h"

namespace hsmsigner::service {
namespace {

Error wrong(std::string sentence, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::invalid_object, {std::move(sentence)}, where);
}

std::size_t place_for_service(const std::vector<ServiceToken>& tokens) {
  const auto holds = [](const ServiceToken& each) { return each.uses.service; };
  if (std::ranges::count_if(tokens, holds) != 1) throw wrong("exactly one token must hold the service's own keys");
  return static_cast<std::size_t>(std::ranges::find_if(tokens, holds) - tokens.begin());
}

void require_names_apart(const std::vector<ServiceToken>& tokens) {
  std::set<std::string> names;
  const auto take = [&](const std::string& name) {
    if (name.empty())
      throw wrong("a token has neither serial number nor label: its keys could not be told from others");
    if (!names.insert(name).second) throw wrong("two of the configured tokens have the serial number " + name);
  };
  for (const ServiceToken& each : tokens) {
    if (tokens.size() > 1) take(name_of(each.token.info()));
    for (const std::string& serial : each.former_serials) take(serial);
  }
}

// Digests of 32 octets, compared as numbers are.
Bytes rank(const std::string& name, const Uuid& id) {
  Bytes text(name.begin(), name.end());
  text.push_back(0);
  text.insert(text.end(), id.bytes().begin(), id.bytes().end());
  return crypto::hash(Digest::sha256, text);
}

}  // namespace

const std::string& name_of(const hsm::TokenInfo& token) { return token.serial.empty() ? token.label : token.serial; }

const std::string& token_name(const store::KeyRecord& key) {
  return key.token_serial.empty() ? key.token_label : key.token_serial;
}

TokenSet::TokenSet(std::vector<ServiceToken> tokens)
    : tokens_(std::move(tokens)), service_(place_for_service(tokens_)), aside_until_(tokens_.size()) {
  require_names_apart(tokens_);
  const auto held = [&](KeyUse use) {
    for (std::size_t place = 0; place < tokens_.size(); ++place) {
      if (holds(place, use)) return true;
    }
    return false;
  };
  if (!held(KeyUse::authority)) throw wrong("no token holds keys of authorities");
  if (!held(KeyUse::leaf)) throw wrong("no token holds keys of leaves");
}

bool TokenSet::holds(std::size_t place, KeyUse use) const noexcept {
  const TokenUses& uses = tokens_[place].uses;
  return use == KeyUse::authority ? uses.authorities : uses.leaves;
}

bool TokenSet::can_generate(KeyUse use, KeyAlgorithm algorithm) const noexcept {
  for (std::size_t place = 0; place < tokens_.size(); ++place) {
    if (holds(place, use) && tokens_[place].token.can_generate(algorithm)) return true;
  }
  return false;
}

std::vector<hsm::Token*> TokenSet::for_new(KeyUse use, const Uuid& id, std::optional<KeyAlgorithm> algorithm) const {
  struct Candidate {
    bool aside;
    Bytes rank;
    hsm::Token* token;
  };
  std::vector<Candidate> candidates;
  const Deadline now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t place = 0; place < tokens_.size(); ++place) {
      hsm::Token& token = tokens_[place].token;
      if (!holds(place, use) || (algorithm && !token.can_generate(*algorithm))) continue;
      candidates.push_back({now < aside_until_[place], {}, &token});
    }
  }
  if (candidates.size() > 1) {
    for (Candidate& each : candidates) each.rank = rank(name_of(each.token->info()), id);
    std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
      return std::tie(a.aside, a.rank) < std::tie(b.aside, b.rank);
    });
  }
  std::vector<hsm::Token*> order;
  order.reserve(candidates.size());
  for (const Candidate& each : candidates) order.push_back(each.token);
  return order;
}

void TokenSet::set_aside(const hsm::Token& token) {
  const std::lock_guard lock(mutex_);
  for (std::size_t place = 0; place < tokens_.size(); ++place) {
    if (&tokens_[place].token == &token) aside_until_[place] = deadline_in(kSetAside);
  }
}

void TokenSet::first_that_takes(KeyUse use, std::optional<KeyAlgorithm> algorithm, const Take& take) {
  Uuid id = Uuid::random();
  const std::vector<hsm::Token*> order = for_new(use, id, algorithm);
  for (std::size_t i = 0; i < order.size(); ++i) {
    hsm::Token& token = *order[i];
    try {
      take(token, id);
      return;
    } catch (const Error& error) {
      const bool away = error.kind() == ErrorKind::token_unavailable;
      if (away || error.kind() == ErrorKind::session_timeout) set_aside(token);
      if (i + 1 == order.size() || !(away || error.kind() == ErrorKind::invalid_object)) throw;
      log::warning(
          "a token does not take a new key; the next one is asked",
          {{"token", name_of(token.info())}, {"next", name_of(order[i + 1]->info())}, {"reason", error.what()}});
    }
    id = Uuid::random();  // nobody may know what the first one left behind under its id
  }
  throw Error(ErrorKind::token_unavailable, {"no token takes a key of this kind"});
}

TokenSet::Made TokenSet::make(KeyUse use, std::optional<KeyAlgorithm> algorithm, const Make& make) {
  std::optional<Made> made;
  first_that_takes(use, algorithm, [&](hsm::Token& token, const Uuid& id) {
    made.emplace(Made{token, make(token, id)});
  });
  return *std::move(made);
}

std::optional<std::size_t> TokenSet::place_of(const store::KeyRecord& key) const noexcept {
  const std::string& name = token_name(key);
  const auto found = std::ranges::find_if(tokens_, [&](const ServiceToken& each) {
    return name_of(each.token.info()) == name || std::ranges::count(each.former_serials, name) != 0;
  });
  if (found == tokens_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - tokens_.begin());
}

hsm::Token& TokenSet::holding(const store::KeyRecord& key) const {
  if (const auto place = place_of(key)) return tokens_[*place].token;
  throw Error(ErrorKind::token_unavailable, {"the token " + token_name(key) + ", which has the key, is not configured"})
      .with_help("If its keys were moved into another token, name it in that one's former_serials.");
}

}  // namespace hsmsigner::service
