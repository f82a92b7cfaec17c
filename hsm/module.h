// A loaded PKCS#11 module: the one owner of C_Initialize and C_Finalize in this process.
//
// libp11 loads it. Most modules have one state per process, which libp11 has then initialised; p11-kit's client makes a
// state of its own for every caller of C_GetFunctionList, and the one used here is initialised here.
#pragma once

#include <p11-kit/pkcs11.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hsm/token.h"
#include "hsm/token_admin.h"

// libp11's own tag, so that its header (and its PKCS11_ macros) stay in module.cc.
struct PKCS11_ctx_st;

namespace hsmsigner::hsm {

// Thread safe.
class Module {
 public:
  // The module of this path: loaded now, or the one already loaded in this process, since a second C_Finalize would
  // pull the token from under the first. `init` is C_Initialize's pReserved, "" for none. Throws
  // Error{token_unavailable}, also when the module is loaded with another `init`.
  static std::shared_ptr<Module> load(const std::string& path, const std::string& init = "");
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& path() const noexcept { return path_; }
  // CK_INFO.libraryDescription and its version.
  const std::string& description() const noexcept { return description_; }

  // Shown while somebody is inside of the module, so that reload() does not finalise it under them. Not recursive.
  class Use {
   public:
    explicit Use(Module& module);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Module& module_;
  };

  // Valid while this object lives. Call it within a Use.
  CK_FUNCTION_LIST& functions() const noexcept { return *functions_; }

  // Every slot with a token in it, as it is now. Within a Use.
  std::vector<TokenListing> tokens();
  // The one token that matches; throws Error{token_unavailable} when there is none, or several. Within a Use.
  TokenListing find(const TokenSelector& selector);

  // C_Finalize and C_Initialize, for a module that has lost its device for good (p11-kit's client after its server
  // ended). All sessions of the process end with it. Nothing happens if `seen` is no longer the incarnation, which is
  // to say that somebody else did it. False when it cannot be done: someone is inside, or the module does not start.
  bool reload(std::uint64_t seen, std::chrono::milliseconds patience);
  std::uint64_t incarnation() const noexcept { return incarnation_.load(std::memory_order_acquire); }

  // Several tokens may be in use through one module, each by a keeper, which comes before its first reload() and leaves
  // before its end. `well` says whether its token answers at this moment. It is called on any keeper's thread, and must
  // not wait for another keeper.
  void come(const void* keeper, std::function<bool()> well);
  void leave(const void* keeper) noexcept;
  // Whether a keeper other than this one has a token that answers: then the module is not at fault, and a reload would
  // only take that token away too.
  bool serves_others(const void* keeper);

 private:
  Module(std::string path, std::string init);
  void start();
  void stop() noexcept;

  const std::string path_;
  std::string init_;  // not const: Cryptoki wants it so, and leaves it alone
  std::string description_;
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
  bool own_instance_ = false;  // functions_ is not what libp11 initialised, so that is done here

  mutable std::mutex gate_mutex_;
  std::condition_variable gate_;
  unsigned users_ = 0;                          // guarded by gate_mutex_
  bool reloading_ = false;                      // guarded by gate_mutex_
  std::atomic<std::uint64_t> incarnation_ = 1;  // changes with gate_mutex_ held and nobody inside

  std::mutex keepers_mutex_;
  std::map<const void*, std::function<bool()>> keepers_;  // guarded by keepers_mutex_

  PKCS11_ctx_st* context_ = nullptr;  // touched by start() and stop() alone, never with users inside
};

// Text of a blank-padded Cryptoki field (PKCS#11 2.40 section 3: padded with ' ', not terminated).
std::string ck_text(const unsigned char* field, std::size_t size);

}  // namespace hsmsigner::hsm
