#include "app/token_commands.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <memory>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "app/open_tokens.h"
#include "app/pin_source.h"
#include "app/pool_commands.h"
#include "base/algorithm.h"
#include "base/clock.h"
#include "base/error.h"
#include "hsm/token.h"
#include "hsm/token_admin.h"

namespace hsmsigner::app {
namespace {

constexpr std::chrono::seconds kTokenTimeout{60};

void line(std::ostream& out, std::string_view name, const std::string& value) {
  out << std::left << std::setw(14) << name << value << '\n';
}

// A PIN that is about to be set: typed twice, as nobody sees what was typed.
Secret read_new_pin(const PinOrigin& origin, const std::string& prompt) {
  const bool typed = origin.file.empty() && (origin.env.empty() || std::getenv(origin.env.c_str()) == nullptr);
  Secret pin = read_pin(origin.file, origin.env, prompt);
  if (typed && read_pin("", "", prompt + ", once more").view() != pin.view()) {
    throw Error(ErrorKind::invalid_object, {"the two PINs that were typed differ"});
  }
  return pin;
}

std::string state_of(const hsm::TokenListing& token) {
  if (!token.initialized) return "not initialised";
  if (token.user_pin_locked) return "user PIN locked";
  return token.user_pin_set ? "ready" : "no user PIN";
}

void print(const hsm::TokenListing& token, std::ostream& out) {
  line(out, "label", token.label);
  line(out, "serial", token.serial);
  line(out, "manufacturer", token.manufacturer);
  line(out, "model", token.model);
  line(out, "slot", std::to_string(token.slot_id) + " (may change: select tokens by label or serial)");
  line(out, "state", state_of(token));
}

std::string words_of(const service::TokenUses& uses) {
  std::string words = uses.authorities ? "authorities" : "";
  if (uses.leaves) words += (words.empty() ? "" : ", ") + std::string("leaves");
  if (uses.service) words += (words.empty() ? "" : ", ") + std::string("service");
  return words;
}

// `holds`: "" for an only token.
void print(hsm::Token& token, const std::string& holds, std::ostream& out) {
  const hsm::TokenInfo& info = token.info();
  std::string algorithms;
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    if (!token.can_generate(algorithm.algorithm)) continue;
    algorithms += (algorithms.empty() ? "" : ", ") + std::string(algorithm.name);
  }
  line(out, "label", info.label);
  line(out, "serial", info.serial);
  line(out, "manufacturer", info.manufacturer);
  line(out, "model", info.model);
  line(out, "firmware", info.firmware);
  line(out, "module", info.module_path);
  line(out, "", info.module_description);
  if (!holds.empty()) line(out, "holds", holds);
  line(out, "generates", algorithms.empty() ? "nothing that hsm-signer can use" : algorithms);
  line(out, "private keys", std::to_string(token.count_private_keys(deadline_in(kTokenTimeout))));
}

}  // namespace

void init_token(const TokenInitOptions& options, std::ostream& out) {
  const Secret so_pin = read_new_pin(options.so_pin, "SO PIN");
  const Secret user_pin = read_new_pin(options.user_pin, "User PIN");
  const hsm::TokenListing token =
      hsm::init_token(options.module_path, options.serial, options.label, so_pin, user_pin, options.erase);
  out << "initialised\n";
  print(token, out);
}

void list_tokens(const std::string& module_path, std::ostream& out) {
  const std::vector<hsm::TokenListing> tokens = hsm::list_tokens(module_path);
  if (tokens.empty()) out << "no tokens\n";
  const char* separator = "";
  for (const hsm::TokenListing& token : tokens) {
    out << separator;
    print(token, out);
    separator = "\n";
  }
}

void show_token(const Settings& settings, std::vector<Secret> pins, std::ostream& out) {
  for (std::size_t place = 0; place < settings.tokens.size(); ++place) {
    if (place > 0) out << '\n';
    about_token(settings, place, [&] {
      const std::unique_ptr<hsm::Token> token =
          hsm::Token::open(settings.tokens[place].options, std::move(pins.at(place)));
      print(*token, settings.tokens.size() > 1 ? words_of(settings.tokens[place].holds) : "", out);
      // The store is looked at, and not made.
      if (std::filesystem::exists(settings.store.path)) show_pool_of_token(settings, token->info().serial, out);
    });
  }
}

}  // namespace hsmsigner::app
