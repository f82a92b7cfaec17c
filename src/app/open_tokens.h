// From the settings of [token] to tokens that are logged in.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "app/settings.h"
#include "base/secret.h"
#include "hsm/token.h"
#include "service/token_set.h"

namespace hsmsigner::app {

// Runs it. An Error out of it says of which token it is, "token[2]: ", where there are several.
void about_token(const Settings& settings, std::size_t place, const std::function<void()>& work);

// The module's and token's options, with what other tables say of it.
hsm::TokenOptions token_options(const Settings& settings, std::size_t place);

// All of the configured tokens. They end together, before their modules do.
class OpenTokens {
 public:
  // By the token's place in the settings; see incident.h for what it may do.
  using OnIncident = std::function<void(std::size_t place, const hsm::TokenIncident& incident)>;

  // Opens one after the other, each with its PIN; `pins` are in the order of the settings. Throws as
  // hsm::Token::open(), about_token(); and as TokenSet's constructor.
  OpenTokens(const Settings& settings, std::vector<Secret> pins, const OnIncident& on_incident = {});

  service::TokenSet& set() noexcept { return *set_; }
  hsm::Token& at(std::size_t place) noexcept { return *tokens_[place]; }

 private:
  std::vector<std::unique_ptr<hsm::Token>> tokens_;
  std::unique_ptr<service::TokenSet> set_;
};

// Only the one that holds the service's own keys, for commands that need no other.
std::unique_ptr<hsm::Token> open_service_token(const Settings& settings, Secret pin);

}  // namespace hsmsigner::app
