#include "hsm/module.h"

#include <dlfcn.h>
#include <libp11.h>
#include <openssl/err.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "hsm/ck_result.h"

namespace hsmsigner::hsm {
namespace {

// Everything OpenSSL's queue holds of this thread, which is where libp11 leaves its errors. Empties it.
std::string libp11_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    text += (text.empty() ? "" : "; ") + std::string(line);
  }
  return text;
}

Error unavailable(const char* sentence, std::string cause, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::token_unavailable, {sentence}, where).with_cause(std::move(cause));
}

std::string version_text(const CK_VERSION& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

std::vector<CK_SLOT_ID> slots_with_tokens(CK_FUNCTION_LIST& ck) {
  // Tokens come and go between the two calls (PKCS#11 2.40 section 5.5, C_GetSlotList).
  for (int attempts_left = 5; attempts_left > 0; --attempts_left) {
    CK_ULONG count = 0;
    check("C_GetSlotList", ck.C_GetSlotList(CK_TRUE, nullptr, &count));
    std::vector<CK_SLOT_ID> slots(count);
    const CK_RV rv = ck.C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (rv == CKR_BUFFER_TOO_SMALL) continue;
    check("C_GetSlotList", rv);
    slots.resize(std::min<std::size_t>(count, slots.size()));
    return slots;
  }
  throw CkFailure("C_GetSlotList", CKR_BUFFER_TOO_SMALL);
}

TokenListing token_listing(CK_SLOT_ID id, const CK_TOKEN_INFO& token) {
  TokenListing slot;
  slot.slot_id = id;
  slot.label = ck_text(token.label, sizeof token.label);
  slot.serial = ck_text(token.serialNumber, sizeof token.serialNumber);
  slot.manufacturer = ck_text(token.manufacturerID, sizeof token.manufacturerID);
  slot.model = ck_text(token.model, sizeof token.model);
  slot.initialized = (token.flags & CKF_TOKEN_INITIALIZED) != 0;
  slot.user_pin_set = (token.flags & CKF_USER_PIN_INITIALIZED) != 0;
  slot.user_pin_locked = (token.flags & CKF_USER_PIN_LOCKED) != 0;
  return slot;
}

// The modules of this process by path. An entry stays until its module is finalised, which is later than the moment
// when its last shared_ptr goes.
struct Registry {
  std::mutex mutex;
  std::condition_variable ended;
  std::map<std::string, std::weak_ptr<Module>> modules;  // guarded by mutex
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

std::string ck_text(const unsigned char* field, std::size_t size) {
  std::string text(field, field + size);
  if (const std::size_t end = text.find('\0'); end != std::string::npos) text.resize(end);  // some pad with NUL
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::shared_ptr<Module> Module::load(const std::string& path, const std::string& init) {
  Registry& all = registry();
  std::unique_lock lock(all.mutex);
  while (true) {
    const auto found = all.modules.find(path);
    if (found == all.modules.end()) break;
    if (std::shared_ptr<Module> loaded = found->second.lock()) {
      if (loaded->init_ == init) return loaded;
      throw unavailable("the PKCS#11 module is in use already, with another token.module_init", path);
    }
    all.ended.wait(lock);  // its C_Finalize is under way in another thread
  }
  std::shared_ptr<Module> module(new Module(path, init), [](Module* ended) {
    const std::string ended_path = ended->path();
    delete ended;
    const std::lock_guard registry_lock(registry().mutex);
    registry().modules.erase(ended_path);
    registry().ended.notify_all();
  });
  all.modules[path] = module;
  return module;
}

// Our own reference to the library keeps the function list in place while libp11 unloads and loads it in reload().
Module::Module(std::string path, std::string init) : path_(std::move(path)), init_(std::move(init)) {
  library_ = ::dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) {
    const char* reason = ::dlerror();
    throw unavailable("the PKCS#11 module cannot be loaded", reason == nullptr ? path_ : reason);
  }
  try {
    const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library_, "C_GetFunctionList"));
    if (get_list == nullptr) throw unavailable("the PKCS#11 module is not one", path_ + " has no C_GetFunctionList");
    if (const CK_RV rv = get_list(&functions_); rv != CKR_OK) throw to_error(CkFailure("C_GetFunctionList", rv));
    start();
    CK_INFO module_info{};
    if (functions_->C_GetInfo(&module_info) == CKR_OK) {
      description_ = ck_text(module_info.libraryDescription, sizeof module_info.libraryDescription) + " " +
                     version_text(module_info.libraryVersion);
    }
  } catch (...) {
    ::dlclose(library_);
    throw;
  }
}

Module::~Module() {
  stop();
  ::dlclose(library_);
}

void Module::start() {
  context_ = PKCS11_CTX_new();
  if (context_ == nullptr) throw unavailable("the PKCS#11 module cannot be loaded", "PKCS11_CTX_new");
  if (!init_.empty()) PKCS11_CTX_init_args(context_, init_.c_str());
  ERR_clear_error();
  if (PKCS11_CTX_load(context_, path_.c_str()) != 0) {
    std::string cause = path_ + ": " + libp11_errors();
    PKCS11_CTX_free(context_);
    context_ = nullptr;
    throw unavailable("the PKCS#11 module cannot be loaded", std::move(cause));
  }
  // openCryptoki's token libraries use GCC's transactional memory, which leaves pointers into libitm in each thread and
  // crashes when it is unloaded and loaded again between C_Finalize and C_Initialize. If it is here, it stays.
  ::dlopen("libitm.so.1", RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  CK_INFO module_info{};
  own_instance_ = functions_->C_GetInfo(&module_info) == CKR_CRYPTOKI_NOT_INITIALIZED;
  if (!own_instance_) return;
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  if (!init_.empty()) arguments.pReserved = init_.data();
  if (const CK_RV rv = functions_->C_Initialize(&arguments); rv != CKR_OK) {
    own_instance_ = false;
    stop();
    throw to_error(CkFailure("C_Initialize", rv));
  }
}

void Module::stop() noexcept {
  if (context_ == nullptr) return;
  if (own_instance_) functions_->C_Finalize(nullptr);
  own_instance_ = false;
  PKCS11_CTX_unload(context_);
  PKCS11_CTX_free(context_);
  context_ = nullptr;
  ERR_clear_error();
}

Module::Use::Use(Module& module) : module_(module) {
  std::unique_lock lock(module_.gate_mutex_);
  // Bounded by reload()'s patience and by the module's own C_Finalize and C_Initialize.
  module_.gate_.wait(lock, [this] { return !module_.reloading_; });
  ++module_.users_;
}

Module::Use::~Use() {
  const std::lock_guard lock(module_.gate_mutex_);
  if (--module_.users_ == 0) module_.gate_.notify_all();
}

bool Module::reload(std::uint64_t seen, std::chrono::milliseconds patience) {
  std::unique_lock lock(gate_mutex_);
  const Deadline deadline = deadline_in(patience);
  if (!gate_.wait_until(lock, deadline, [this] { return !reloading_; })) return false;
  if (incarnation_ != seen) return true;
  reloading_ = true;
  const bool alone = gate_.wait_until(lock, deadline, [this] { return users_ == 0; });
  lock.unlock();
  bool started = false;
  if (alone) {
    stop();
    try {
      start();
      started = true;
    } catch (const Error& error) {
      log::error("PKCS#11 module does not start again", {{"cause", error.cause()}});
    }
  }
  lock.lock();
  if (started) ++incarnation_;
  reloading_ = false;
  gate_.notify_all();
  if (started) log::warning("PKCS#11 module loaded anew");
  return started;
}

void Module::come(const void* keeper, std::function<bool()> well) {
  const std::lock_guard lock(keepers_mutex_);
  keepers_.insert_or_assign(keeper, std::move(well));
}

void Module::leave(const void* keeper) noexcept {
  const std::lock_guard lock(keepers_mutex_);
  keepers_.erase(keeper);
}

bool Module::serves_others(const void* keeper) {
  const std::lock_guard lock(keepers_mutex_);
  return std::any_of(keepers_.begin(), keepers_.end(),
                     [keeper](const auto& each) { return each.first != keeper && each.second(); });
}

// Not by libp11: 0.4.12 frees its slots twice when it lists them a second time, and closes all sessions of a slot that
// it releases.
std::vector<TokenListing> Module::tokens() {
  try {
    std::vector<TokenListing> result;
    for (const CK_SLOT_ID slot : slots_with_tokens(*functions_)) {
      CK_TOKEN_INFO token{};
      const CK_RV rv = functions_->C_GetTokenInfo(slot, &token);
      if (rv == CKR_OK) {
        result.push_back(token_listing(slot, token));
      } else {
        // One broken reader must not hide the other tokens.
        log::warning("a slot's token cannot be asked", {{"slot", slot}, {"ck", ck_name(rv)}});
      }
    }
    return result;
  } catch (const CkFailure& failure) {
    throw to_error(failure);
  }
}

TokenListing Module::find(const TokenSelector& selector) {
  if (selector.label.empty() && selector.serial.empty()) {
    throw unavailable("no token is chosen: neither its label nor its serial number is set", "");
  }
  std::vector<TokenListing> matches;
  for (TokenListing& slot : tokens()) {
    const bool label_fits = selector.label.empty() || slot.label == selector.label;
    const bool serial_fits = selector.serial.empty() || slot.serial == selector.serial;
    if (slot.initialized && label_fits && serial_fits) matches.push_back(std::move(slot));
  }
  const std::string wanted = "label '" + selector.label + "', serial '" + selector.serial + "'";
  if (matches.empty()) throw unavailable("no token has the configured label and serial number", wanted);
  if (matches.size() > 1) {
    throw unavailable("several tokens have the configured label: set the serial number too", wanted);
  }
  return std::move(matches.front());
}

}  // namespace hsmsigner::hsm
