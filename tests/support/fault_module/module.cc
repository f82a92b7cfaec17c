// A PKCS#11 module that stands in front of a real one and makes it fail or lie as a plan says (plan.h). What the plan
// does not name goes through unchanged.
//
// Environment: FAULT_PKCS11_MODULE, the real module; FAULT_PKCS11_PLAN_FILE, the plan; FAULT_PKCS11_CALLS_FILE, where
// the name of every call is appended.
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/fault_module/composed_wraps.h"
#include "support/fault_module/plan.h"

namespace fault_module {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string("fault module: ") + name + " is not set");
  return value;
}

// What the environment says. A module that has been loaded once may stay loaded, so a later test of the same process
// finds it with other values there.
struct State {
  std::string module = variable("FAULT_PKCS11_MODULE");
  std::string plan_file = variable("FAULT_PKCS11_PLAN_FILE");
  std::string calls_file = variable("FAULT_PKCS11_CALLS_FILE");
  Plan plan{plan_file};
  int calls = ::open(calls_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  CK_FUNCTION_LIST* real = nullptr;
  CK_FUNCTION_LIST faulty{};

  State() = default;
  ~State() { ::close(calls); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool is_current() const {
    return module == variable("FAULT_PKCS11_MODULE") && plan_file == variable("FAULT_PKCS11_PLAN_FILE") &&
           calls_file == variable("FAULT_PKCS11_CALLS_FILE");
  }
};

std::unique_ptr<State> current_state;
State& state() { return *current_state; }

// One write per line, so that lines of several threads do not mix.
void note(const std::string& function) {
  const std::string line = function + "\n";
  if (::write(state().calls, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
}

void apply(const Rule& rule, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  for (CK_ULONG i = 0; i < count && rule.report; ++i) {
    const bool asked = attributes[i].type == rule.report->first && attributes[i].pValue != nullptr;
    if (asked && attributes[i].ulValueLen == sizeof(CK_BBOOL)) {
      *static_cast<CK_BBOOL*>(attributes[i].pValue) = rule.report->second;
    }
  }
}

void apply(const Rule& rule, CK_TOKEN_INFO& token) {
  token.flags |= rule.flags;
  if (rule.sessions) token.ulMaxSessionCount = token.ulMaxRwSessionCount = *rule.sessions;
}

void flip_last_bit(const Rule& rule, CK_BYTE* octets, CK_ULONG size) {
  if (rule.flip && octets != nullptr && size > 0) octets[size - 1] ^= 1;
}

// The mechanism of a call that has one.
template <typename... Arguments>
std::optional<CK_MECHANISM_TYPE> mechanism_of(Arguments...) {
  return std::nullopt;
}
std::optional<CK_MECHANISM_TYPE> mechanism_of(CK_SLOT_ID, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO*) {
  return mechanism;
}
template <typename... Arguments>
std::optional<CK_MECHANISM_TYPE> mechanism_of(CK_SESSION_HANDLE, CK_MECHANISM* mechanism, Arguments...) {
  return mechanism->mechanism;
}

// What a call's answer is turned into, for the calls whose answers a plan can change.
template <typename... Arguments>
void falsify(const Rule&, Arguments...) {}
void falsify(const Rule& rule, CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE* attributes, CK_ULONG count) {
  apply(rule, attributes, count);
}
void falsify(const Rule& rule, CK_SLOT_ID, CK_TOKEN_INFO* token) { apply(rule, *token); }
void falsify(const Rule& rule, CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO* mechanism) {
  if (rule.largest) mechanism->ulMaxKeySize = *rule.largest;
}
void falsify(const Rule& rule, CK_SLOT_ID, CK_MECHANISM_TYPE* list, CK_ULONG* count) {
  if (!rule.offer) return;
  if (list != nullptr) list[*count] = *rule.offer;  // who asked has been told of one more
  ++*count;
}
void falsify(const Rule& rule, CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE* signature, CK_ULONG* size) {
  flip_last_bit(rule, signature, *size);
}
void falsify(const Rule& rule, CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE, CK_BYTE* wrapped,
             CK_ULONG* size) {
  flip_last_bit(rule, wrapped, *size);
}

// What a call is turned into before it goes on, for the calls whose templates a plan can change.
template <typename... Arguments>
void falsify_request(const Rule&, Arguments&...) {}
void falsify_request(const Rule& rule, CK_SESSION_HANDLE&, CK_MECHANISM*&, CK_ATTRIBUTE*&, CK_ULONG&,
                     CK_ATTRIBUTE*& private_key, CK_ULONG& count, CK_OBJECT_HANDLE*&, CK_OBJECT_HANDLE*&) {
  for (CK_ULONG i = 0; i < count && rule.set; ++i) {
    if (private_key[i].type == rule.set->first) *static_cast<CK_BBOOL*>(private_key[i].pValue) = rule.set->second;
  }
}
void falsify_request(const Rule& rule, CK_SESSION_HANDLE&, CK_OBJECT_HANDLE&, CK_ATTRIBUTE*& attributes,
                     CK_ULONG& count, CK_OBJECT_HANDLE*&) {
  if (!rule.drop) return;
  count = static_cast<CK_ULONG>(std::remove_if(attributes, attributes + count,
                                               [&](const CK_ATTRIBUTE& asked) { return asked.type == *rule.drop; }) -
                                attributes);
}

// What the token is not asked, as it has no such mechanism.
template <typename... Arguments>
std::optional<CK_RV> answer_instead(const Rule&, Arguments...) {
  return std::nullopt;
}
std::optional<CK_RV> answer_instead(const Rule& rule, CK_SLOT_ID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* told) {
  if (rule.offer != type) return std::nullopt;
  *told = {0, 0, CKF_WRAP};
  return CKR_OK;
}
std::optional<CK_RV> answer_instead(const Rule& rule, CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                                    CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE* wrapped,
                                    CK_ULONG* size) {
  if (rule.offer != mechanism->mechanism) return std::nullopt;
  return wrap_by_composition(*state().real, session, *mechanism, wrapping_key, key, wrapped, size);
}

template <auto Member>
struct Call;

template <typename... Arguments, CK_RV (*CK_FUNCTION_LIST::*Member)(Arguments...)>
struct Call<Member> {
  static inline const char* name = nullptr;

  static CK_RV run(Arguments... arguments) {
    try {
      note(name);
      const std::vector<Rule> rules = state().plan.on_call(name, mechanism_of(arguments...));
      CK_RV rv = CKR_OK;
      bool called = false;
      for (const Rule& rule : rules) std::this_thread::sleep_for(std::chrono::milliseconds(rule.delay_ms));
      for (const Rule& rule : rules) {
        if (rule.rv && !rule.after) return *rule.rv;
      }
      for (const Rule& rule : rules) {
        if (const auto answer = answer_instead(rule, arguments...)) return *answer;
      }
      for (const Rule& rule : rules) falsify_request(rule, arguments...);
      rv = (state().real->*Member)(arguments...);
      called = rv == CKR_OK;
      for (const Rule& rule : rules) {
        if (called) falsify(rule, arguments...);
        if (called && rule.rv) rv = *rule.rv;
      }
      return rv;
    } catch (const std::exception& error) {
      // A faulty plan must end the test, not pass for a fault of the token.
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
};

#define WRAP(function)                                  \
  Call<& CK_FUNCTION_LIST::function>::name = #function; \
  state().faulty.function = &Call<&CK_FUNCTION_LIST::function>::run

void prepare() {
  if (current_state != nullptr && current_state->is_current()) return;
  current_state = std::make_unique<State>();  // whoever used the former one has finalised it
  void* const library = ::dlopen(state().module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error("fault module: the real module does not load");
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr || get_list(&state().real) != CKR_OK) {
    throw std::runtime_error("fault module: the real module has no function list");
  }
  state().faulty = *state().real;
  WRAP(C_Initialize);
  WRAP(C_Finalize);
  WRAP(C_GetTokenInfo);
  WRAP(C_GetMechanismList);
  WRAP(C_GetMechanismInfo);
  WRAP(C_OpenSession);
  WRAP(C_CloseSession);
  WRAP(C_GetSessionInfo);
  WRAP(C_Login);
  WRAP(C_Logout);
  WRAP(C_GenerateKeyPair);
  WRAP(C_CreateObject);
  WRAP(C_CopyObject);
  WRAP(C_SetAttributeValue);
  WRAP(C_WrapKey);
  WRAP(C_UnwrapKey);
  WRAP(C_GetAttributeValue);
  WRAP(C_FindObjectsInit);
  WRAP(C_FindObjects);
  WRAP(C_FindObjectsFinal);
  WRAP(C_DestroyObject);
  WRAP(C_GenerateRandom);
  WRAP(C_SignInit);
  WRAP(C_Sign);
}
#undef WRAP

}  // namespace
}  // namespace fault_module

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  try {
    if (list == nullptr) return CKR_ARGUMENTS_BAD;
    fault_module::prepare();  // libp11 and the program ask one after the other, before there are other threads
    *list = &fault_module::state().faulty;
    return CKR_OK;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return CKR_GENERAL_ERROR;
  }
}
