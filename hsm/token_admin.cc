#include "hsm/token_admin.h"

#include <algorithm>
#include <array>

#include "hsm/ck_result.h"
#include "hsm/module.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::size_t kLabelSize = 32;  // CK_TOKEN_INFO.label

Error unavailable(const char* sentence, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::token_unavailable, {sentence}, where);
}

// Tokens that leave the factory with a SO PIN everybody knows, and come back to it at every C_InitToken.
struct FactoryPin {
  const char* manufacturer;
  const char* model;
  const char* so_pin;
};
constexpr FactoryPin kFactoryPins[] = {
    {"IBM Corp.", "IBM SoftTok", "87654321"},  // openCryptoki
};

const FactoryPin* factory_pin(const TokenListing& slot) {
  const auto* found = std::ranges::find_if(kFactoryPins, [&](const FactoryPin& row) {
    return slot.manufacturer == row.manufacturer && slot.model == row.model;
  });
  return found == std::end(kFactoryPins) ? nullptr : found;
}

CK_UTF8CHAR* pin_octets(const Secret& pin) { return ck_input(reinterpret_cast<const unsigned char*>(pin.c_str())); }

// A R/W session that is closed, and so logged out, whatever happens.
class AdminSession {
 public:
  AdminSession(CK_FUNCTION_LIST& ck, CK_SLOT_ID slot) : ck_(ck), slot_(slot) {
    check("C_OpenSession", ck_.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle_));
  }
  ~AdminSession() { ck_.C_CloseSession(handle_); }
  AdminSession(const AdminSession&) = delete;
  AdminSession& operator=(const AdminSession&) = delete;

  void login(CK_USER_TYPE user, const Secret& pin) {
    check("C_Login", ck_.C_Login(handle_, user, pin_octets(pin), pin.size()));
  }
  void logout() { check("C_Logout", ck_.C_Logout(handle_)); }
  void init_user_pin(const Secret& pin) { check("C_InitPIN", ck_.C_InitPIN(handle_, pin_octets(pin), pin.size())); }
  void set_pin(const Secret& from, const Secret& to) {
    check("C_SetPIN", ck_.C_SetPIN(handle_, pin_octets(from), from.size(), pin_octets(to), to.size()));
  }
  CK_FLAGS token_flags() {
    CK_TOKEN_INFO token{};
    check("C_GetTokenInfo", ck_.C_GetTokenInfo(slot_, &token));
    return token.flags;
  }
  // Decimal digits, for a PIN that is changed at once.
  Secret passing_pin(std::size_t length) {
    std::string digits(length, '0');
    std::vector<CK_BYTE> random(length);
    check("C_GenerateRandom", ck_.C_GenerateRandom(handle_, random.data(), random.size()));
    for (std::size_t i = 0; i < length; ++i) digits[i] = static_cast<char>('0' + random[i] % 10);
    Secret pin(digits);
    cleanse(digits.data(), digits.size());
    return pin;
  }

 private:
  CK_FUNCTION_LIST& ck_;
  CK_SLOT_ID slot_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
};

void check_pin(const char* name, const Secret& pin, const CK_TOKEN_INFO& token) {
  const CK_ULONG longest = token.ulMaxPinLen == 0 ? 255 : token.ulMaxPinLen;
  if (pin.size() < token.ulMinPinLen || pin.size() > longest) {
    throw Error(ErrorKind::invalid_object,
                {std::string(name) + " must have between " + std::to_string(token.ulMinPinLen) + " and " +
                 std::to_string(longest) + " characters for this token"});
  }
}

TokenListing choose(const std::vector<TokenListing>& slots, const std::string& serial, bool erase) {
  if (serial.empty()) {
    const auto free = std::ranges::find(slots, false, &TokenListing::initialized);
    if (free == slots.end()) throw unavailable("no token is left to initialise");
    return *free;
  }
  if (std::ranges::count(slots, serial, &TokenListing::serial) > 1) {
    throw unavailable("several tokens have this serial number");
  }
  const auto named = std::ranges::find(slots, serial, &TokenListing::serial);
  if (named == slots.end()) throw unavailable("no token has this serial number");
  if (named->initialized && !erase) {
    throw unavailable("the token is initialised already; to initialise it again destroys every key in it")
        .with_help("Ask for erasure if that is meant.");
  }
  return *named;
}

void set_pins(CK_FUNCTION_LIST& ck, const TokenListing& slot, const Secret& current_so_pin, const Secret& so_pin,
              const Secret& user_pin) {
  AdminSession session(ck, slot.slot_id);
  session.login(CKU_SO, current_so_pin);
  if (current_so_pin.view() != so_pin.view()) session.set_pin(current_so_pin, so_pin);
  session.init_user_pin(user_pin);
  if ((session.token_flags() & CKF_USER_PIN_TO_BE_CHANGED) == 0) return;
  // The user has to change the PIN the security officer gave before anything else, and not to the same one.
  const Secret passing = session.passing_pin(user_pin.size());
  session.init_user_pin(passing);
  session.logout();
  session.login(CKU_USER, passing);
  session.set_pin(passing, user_pin);
}

}  // namespace

std::vector<TokenListing> list_tokens(const std::string& module_path) {
  const std::shared_ptr<Module> module = Module::load(module_path);
  const Module::Use use(*module);
  return module->tokens();
}

TokenListing init_token(const std::string& module_path, const std::string& serial, const std::string& label,
                        const Secret& so_pin, const Secret& user_pin, bool erase) {
  if (label.empty() || label.size() > kLabelSize || label.ends_with(' ')) {
    throw Error(ErrorKind::invalid_object, {"label must have between 1 and 32 octets and not end in a blank"});
  }
  const std::shared_ptr<Module> module = Module::load(module_path);
  const Module::Use use(*module);
  CK_FUNCTION_LIST& ck = module->functions();
  const std::vector<TokenListing> slots = module->tokens();
  const TokenListing slot = choose(slots, serial, erase);
  if (std::ranges::any_of(slots, [&](const TokenListing& other) {
        return other.initialized && other.slot_id != slot.slot_id && other.label == label;
      })) {
    throw Error(ErrorKind::invalid_object, {"label is in use by another token"});
  }

  try {
    CK_TOKEN_INFO before{};
    check("C_GetTokenInfo", ck.C_GetTokenInfo(slot.slot_id, &before));
    check_pin("the SO PIN", so_pin, before);
    check_pin("the user PIN", user_pin, before);
    // SoftHSM sets this flag on tokens that have no SO PIN yet.
    if (slot.initialized && (before.flags & CKF_SO_PIN_LOCKED) != 0) throw unavailable("the token's SO PIN is locked");
    if (slot.initialized && (before.flags & CKF_SO_PIN_FINAL_TRY) != 0) {
      throw unavailable("the token's SO PIN is at its final try: a wrong one would lock it for ever, so none is sent")
          .with_help("Log in once with the token's own tool to reset its counter.");
    }
    const FactoryPin* factory = factory_pin(slot);
    const bool fresh = (before.flags & CKF_SO_PIN_TO_BE_CHANGED) != 0;
    const Secret current = factory != nullptr && fresh ? Secret(factory->so_pin) : so_pin.clone();
    std::array<CK_UTF8CHAR, kLabelSize> padded;
    padded.fill(' ');
    std::copy(label.begin(), label.end(), padded.begin());
    check("C_InitToken", ck.C_InitToken(slot.slot_id, pin_octets(current), current.size(), padded.data()));
    // Back at the factory's PIN, whichever was good until now.
    set_pins(ck, slot, factory == nullptr ? so_pin.clone() : Secret(factory->so_pin), so_pin, user_pin);
  } catch (const CkFailure& failure) {
    throw Error(ErrorKind::token_unavailable, to_error(failure).details()).with_cause(to_error(failure).cause());
  }

  // Its serial number may be a new one (SoftHSM), its slot is the same until the module is loaded again.
  for (const TokenListing& now : module->tokens()) {
    if (now.slot_id == slot.slot_id) return now;
  }
  throw unavailable("the token was initialised, but is no longer listed");
}

}  // namespace hsmsigner::hsm
