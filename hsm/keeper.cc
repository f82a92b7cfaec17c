#include "hsm/keeper.h"

#include <algorithm>

#include "base/log.h"
#include "hsm/ck_result.h"
#include "hsm/pin_guard.h"
#include "hsm/quirks.h"

namespace hsmsigner::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One failure may be a hiccup; from this many in a row on, requests are refused without asking the token.
constexpr unsigned kFailuresBeforeBackOff = 2;
// After this many the module itself is suspected.
constexpr unsigned kFailuresBeforeReload = 3;
constexpr milliseconds kFirstBackOff{100};
constexpr milliseconds kLongestBackOff{10'000};
// How long a reload waits for calls that are still inside of the module.
constexpr milliseconds kReloadPatience{2'000};

Error unavailable(const char* sentence, std::string help = "", SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::token_unavailable, {sentence}, where).with_help(std::move(help));
}

// Whether the token looked at the PIN and did not like it. Some have no better word for that than
// CKR_FUNCTION_FAILED (yubihsm_pkcs11), some none at all but count it. Of a PIN that was good before, the bare word is
// taken for a link that is not quite up yet.
bool is_refusal(CK_RV rv, bool good_before, CK_FLAGS before, CK_FLAGS after) {
  constexpr CK_FLAGS kCounted = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
  return ck_class(rv) == CkClass::pin || (rv == CKR_FUNCTION_FAILED && !good_before) ||
         (after & ~before & kCounted) != 0;
}

}  // namespace

Keeper::Keeper(std::shared_ptr<Module> module, const TokenSelector& selector, Secret pin)
    : module_(std::move(module)), pin_(std::move(pin)) {
  const Module::Use use(*module_);
  first_slot_ = module_->find(selector);
  slot_id_ = first_slot_.slot_id;
  try {
    check("C_GetTokenInfo", module_->functions().C_GetTokenInfo(slot_id_, &token_info_));
    gate_ = std::make_unique<ObjectGate>(quirks_of(token_info_).searches_apart_from_making);
    login();
  } catch (const CkFailure& failure) {
    throw to_error(failure);
  }
  module_->come(this, [this] { return well(); });
}

Keeper::~Keeper() {
  module_->leave(this);
  const Module::Use use(*module_);
  drop_session();
}

void Keeper::drop_session() noexcept {
  if (incarnation_ == module_->incarnation()) close_session(session_);
  session_ = CK_INVALID_HANDLE;
}

CK_SESSION_HANDLE Keeper::open_session() {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  check("C_OpenSession",
        module_->functions().C_OpenSession(slot_id_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session));
  return session;
}

void Keeper::close_session(CK_SESSION_HANDLE session) noexcept {
  if (session != CK_INVALID_HANDLE) module_->functions().C_CloseSession(session);
}

// Opens the keeper session on slot_id_ and logs in. Leaves session_ invalid when it throws.
void Keeper::login() {
  CK_FUNCTION_LIST& ck = module_->functions();
  CK_TOKEN_INFO now{};
  check("C_GetTokenInfo", ck.C_GetTokenInfo(slot_id_, &now));
  const std::string token = first_slot_.serial + "/" + first_slot_.label;
  if (pin_refused_ || pin_guard::was_refused(token, pin_)) {
    throw unavailable("the token refused the PIN before; it is not sent again", "Correct the PIN and restart.");
  }
  if ((now.flags & CKF_USER_PIN_LOCKED) != 0) {
    throw unavailable("the token's user PIN is locked", "The security officer must set it anew.");
  }
  if ((now.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    throw unavailable("the token's user PIN is at its final try: a wrong PIN would lock it, so none is sent",
                      "Log in once with the token's own tool to reset its counter.");
  }
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  // Read-only: a token short of R/W sessions keeps them for the workers.
  check("C_OpenSession", ck.C_OpenSession(slot_id_, CKF_SERIAL_SESSION, nullptr, nullptr, &session));
  const bool own_keypad = (now.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0 && pin_.empty();
  const auto* pin = own_keypad ? nullptr : reinterpret_cast<const unsigned char*>(pin_.c_str());
  pin_sent_ = true;
  const CK_RV rv = ck.C_Login(session, CKU_USER, ck_input(pin), pin_.size());
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    session_ = session;
    incarnation_ = module_->incarnation();
    logins_.fetch_add(1, std::memory_order_acq_rel);
    return;
  }
  close_session(session);
  CK_TOKEN_INFO after = now;
  if (ck.C_GetTokenInfo(slot_id_, &after) != CKR_OK) after = now;
  if (is_refusal(rv, logins_ != 0, now.flags, after.flags)) refuse_pin(token, rv);
  throw CkFailure("C_Login", rv);
}

void Keeper::refuse_pin(const std::string& token, CK_RV rv) {
  pin_refused_ = true;
  pin_guard::note_refused(token, pin_);
  pin_ = Secret();
  log::error("the token refused the PIN; it is not sent again", {{"token", first_slot_.label}, {"ck", ck_name(rv)}});
  const std::string cause = "C_Login: " + ck_name(rv);
  if (rv == CKR_PIN_LOCKED) {
    throw unavailable("the token's user PIN is locked", "The security officer must set it anew.").with_cause(cause);
  }
  throw unavailable("the token refused the PIN", "It is not sent again: correct the PIN and restart.")
      .with_cause(cause);
}

bool Keeper::alive() const {
  if (session_ == CK_INVALID_HANDLE || incarnation_ != module_->incarnation()) return false;
  CK_SESSION_INFO state{};
  if (module_->functions().C_GetSessionInfo(session_, &state) != CKR_OK) return false;
  return state.state == CKS_RO_USER_FUNCTIONS || state.state == CKS_RW_USER_FUNCTIONS;
}

// For the other keepers of the module. One that is recovering is not well, and is not waited for.
bool Keeper::well() {
  const std::unique_lock lock(recovery_, std::try_to_lock);
  if (!lock.owns_lock() || failures_ >= kFailuresBeforeBackOff) return false;
  const Module::Use use(*module_);
  return alive();
}

// False when it was not done: it cannot be, or the module is not what is wrong.
bool Keeper::reload(std::uint64_t seen) {
  return !module_->serves_others(this) && module_->reload(seen, kReloadPatience);
}

void Keeper::restore() {
  const Module::Use use(*module_);
  // A keeper that says it is well while calls go on failing is not believed for ever.
  if (failures_ < kFailuresBeforeBackOff && alive()) return;
  drop_session();
  slot_id_ = module_->find({first_slot_.label, first_slot_.serial}).slot_id;
  try {
    login();
  } catch (const CkFailure& failure) {
    throw to_error(failure);
  }
  log::warning("logged in to the token again", {{"token", first_slot_.label}});
}

void Keeper::admit() const {
  if (failures_ < kFailuresBeforeBackOff) return;
  if (steady_clock::now().time_since_epoch().count() < leave_alone_until_) {
    throw unavailable("the token does not answer as it should", "It is tried again in a few seconds.");
  }
}

void Keeper::recover(const Epoch& seen) {
  const std::lock_guard lock(recovery_);
  if (epoch() != seen) {
    const Module::Use use(*module_);
    if (alive()) return;
  }
  const std::uint64_t incarnation = module_->incarnation();
  // Whoever waited for the lock while the first one failed finds the token left alone.
  admit();
  const bool suspect_module = failures_ >= kFailuresBeforeReload;
  if (suspect_module) reload(incarnation);
  pin_sent_ = false;
  try {
    restore();
  } catch (const Error&) {
    // A PIN is sent once in a recovery, whatever the token makes of it.
    if (pin_refused_ || pin_sent_ || suspect_module || !reload(incarnation)) throw;
    restore();
  }
}

void Keeper::note_success() noexcept {
  if (failures_.load(std::memory_order_relaxed) != 0) failures_ = 0;
}

void Keeper::note_failure() noexcept {
  const auto now = steady_clock::now().time_since_epoch();
  Instant::rep until = leave_alone_until_;
  if (now.count() < until) return;
  const unsigned exponent = std::min(failures_.load(), 7U);
  const auto pause = std::min(kFirstBackOff * (1U << exponent), kLongestBackOff);
  // Of several that fail at the same time, one counts.
  if (leave_alone_until_.compare_exchange_strong(
          until, (now + std::chrono::duration_cast<steady_clock::duration>(pause)).count())) {
    ++failures_;
  }
}

}  // namespace hsmsigner::hsm
