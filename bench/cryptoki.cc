#include "cryptoki.h"

#include <dlfcn.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string_view>

namespace hsmsigner::bench {
namespace {

// PKCS#11 wants pointers to octets it does not write to.
CK_UTF8CHAR_PTR pin_octets(const Secret& pin) {
  return const_cast<CK_UTF8CHAR_PTR>(reinterpret_cast<const CK_UTF8CHAR*>(pin.view().data()));
}

CK_SLOT_ID slot_of_label(const Module& module, std::string label) {
  CK_ULONG count = 0;
  check(module->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  check(module->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  slots.resize(count);
  // Padded with blanks to 32 octets and not terminated (PKCS#11 2.40, CK_TOKEN_INFO).
  label.resize(sizeof(CK_TOKEN_INFO::label), ' ');
  for (const auto slot : slots) {
    CK_TOKEN_INFO token{};
    check(module->C_GetTokenInfo(slot, &token), "C_GetTokenInfo");
    if (std::string_view(reinterpret_cast<const char*>(token.label), sizeof token.label) == label) return slot;
  }
  throw std::runtime_error("no token has that label");
}

std::vector<CK_OBJECT_HANDLE> find_objects(const Module& module, CK_SESSION_HANDLE session,
                                           std::vector<CK_ATTRIBUTE> pattern) {
  check(module->C_FindObjectsInit(session, pattern.data(), pattern.size()), "C_FindObjectsInit");
  std::vector<CK_OBJECT_HANDLE> found;
  for (;;) {
    std::array<CK_OBJECT_HANDLE, 512> some{};
    CK_ULONG count = 0;
    check(module->C_FindObjects(session, some.data(), some.size(), &count), "C_FindObjects");
    if (count == 0) break;
    found.insert(found.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
  }
  check(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  return found;
}

}  // namespace

void check(CK_RV result, const char* call) {
  if (result == CKR_OK) return;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s answered CK_RV 0x%lx", call, result);
  throw std::runtime_error(text.data());
}

Module::Module(const std::string& path) {
  // Never unloaded: the library may hold OpenSSL's exit handlers.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error("cannot load the module " + path);
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr) throw std::runtime_error("no PKCS#11 module: " + path);
  check(get_list(&functions_), "C_GetFunctionList");
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  check(functions_->C_Initialize(&arguments), "C_Initialize");
}

Module::~Module() { functions_->C_Finalize(nullptr); }

Session::Session(const Module& module, CK_SLOT_ID slot) : module_(module) {
  check(module_->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &handle_), "C_OpenSession");
}

Session::~Session() { module_->C_CloseSession(handle_); }

LoggedInToken::LoggedInToken(const std::string& module_path, const std::string& label, const Secret& pin)
    : module_(module_path), slot_(slot_of_label(module_, label)), keeper_(module_, slot_) {
  check(module_->C_Login(keeper_.handle(), CKU_USER, pin_octets(pin), pin.size()), "C_Login");
}

std::size_t LoggedInToken::count_objects() const {
  CK_BBOOL yes = CK_TRUE;
  return find_objects(module_, keeper_.handle(), {{CKA_TOKEN, &yes, sizeof yes}}).size();
}

CK_OBJECT_HANDLE LoggedInToken::private_key(const Uuid& id) const {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  Bytes wanted(id.bytes().begin(), id.bytes().end());
  const auto found =
      find_objects(module_, keeper_.handle(),
                   {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, wanted.data(), wanted.size()}});
  if (found.size() != 1) throw std::runtime_error("not exactly one private key with that CKA_ID");
  return found.front();
}

void LoggedInToken::destroy(const std::vector<CK_OBJECT_HANDLE>& objects) const {
  for (const auto object : objects) check(module_->C_DestroyObject(keeper_.handle(), object), "C_DestroyObject");
}

std::size_t LoggedInToken::destroy_keys(const std::set<Uuid>& ids) const {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  std::size_t destroyed = 0;
  for (const auto object : find_objects(module_, keeper_.handle(), {{CKA_CLASS, &object_class, sizeof object_class}})) {
    std::array<std::uint8_t, 64> octets{};
    CK_ATTRIBUTE attribute{CKA_ID, octets.data(), octets.size()};
    check(module_->C_GetAttributeValue(keeper_.handle(), object, &attribute, 1), "C_GetAttributeValue");
    const auto id = Uuid::from_bytes(ByteView(octets.data(), attribute.ulValueLen));
    if (!id || !ids.contains(*id)) continue;
    check(module_->C_DestroyObject(keeper_.handle(), object), "C_DestroyObject");
    ++destroyed;
  }
  return destroyed;
}

}  // namespace hsmsigner::bench
