#include "app/open_tokens.h"

#include <string>
#include <utility>

#include "base/error.h"

namespace hsmsigner::app {

void about_token(const Settings& settings, std::size_t place, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    if (settings.tokens.size() == 1) throw;
    std::vector<std::string> details = error.details();
    for (std::string& detail : details) detail.insert(0, settings.token_name(place) + ": ");
    throw Error(error.kind(), std::move(details), error.where()).with_cause(error.cause()).with_help(error.help());
  }
}

hsm::TokenOptions token_options(const Settings& settings, std::size_t place) {
  hsm::TokenOptions options = settings.tokens[place].options;
  options.parallel_ahead = settings.pool.parallel;
  return options;
}

OpenTokens::OpenTokens(const Settings& settings, std::vector<Secret> pins, const OnIncident& on_incident) {
  std::vector<service::ServiceToken> set;
  for (std::size_t place = 0; place < settings.tokens.size(); ++place) {
    const TokenSettings& token = settings.tokens[place];
    hsm::TokenOptions options = token_options(settings, place);
    if (on_incident) {
      options.on_incident = [on_incident, place](const hsm::TokenIncident& incident) { on_incident(place, incident); };
    }
    about_token(settings, place, [&] { tokens_.push_back(hsm::Token::open(options, std::move(pins.at(place)))); });
    set.push_back({*tokens_.back(), token.holds, token.former_serials});
  }
  set_ = std::make_unique<service::TokenSet>(std::move(set));
}

std::unique_ptr<hsm::Token> open_service_token(const Settings& settings, Secret pin) {
  const std::size_t place = settings.service_token();
  std::unique_ptr<hsm::Token> token;
  about_token(settings, place, [&] { token = hsm::Token::open(token_options(settings, place), std::move(pin)); });
  return token;
}

}  // namespace hsmsigner::app
