#include "session_objects.h"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <p11-kit/pkcs11.h>

#include <array>
#include <string>
#include <vector>

namespace hsm_contract {
namespace {

std::string trimmed(const unsigned char* text, std::size_t size) {
  const std::string padded(reinterpret_cast<const char*>(text), size);
  return padded.substr(0, padded.find_last_not_of(' ') + 1);
}

}  // namespace

std::size_t count_session_objects(const hsmsigner::hsm::TokenOptions& options) {
  // The one that is loaded already.
  void* const library = ::dlopen(options.module_path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(library != nullptr);
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* ck = nullptr;
  REQUIRE(get_list(&ck) == CKR_OK);

  std::array<CK_SLOT_ID, 16> slots{};
  CK_ULONG slot_count = slots.size();
  REQUIRE(ck->C_GetSlotList(CK_TRUE, slots.data(), &slot_count) == CKR_OK);
  std::size_t objects = 0;
  bool found = false;
  for (CK_ULONG i = 0; i < slot_count; ++i) {
    CK_TOKEN_INFO token{};
    if (ck->C_GetTokenInfo(slots.at(i), &token) != CKR_OK) continue;
    if (trimmed(token.label, sizeof token.label) != options.selector.label) continue;
    found = true;
    CK_SESSION_HANDLE session = 0;
    REQUIRE(ck->C_OpenSession(slots.at(i), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session) == CKR_OK);
    CK_SESSION_INFO state{};
    REQUIRE(ck->C_GetSessionInfo(session, &state) == CKR_OK);
    CHECK(state.state == CKS_RW_USER_FUNCTIONS);  // else it would see no private ones
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE query{CKA_TOKEN, &no, sizeof no};
    REQUIRE(ck->C_FindObjectsInit(session, &query, 1) == CKR_OK);
    std::array<CK_OBJECT_HANDLE, 64> handles{};
    CK_ULONG count = 0;
    REQUIRE(ck->C_FindObjects(session, handles.data(), handles.size(), &count) == CKR_OK);
    objects += count;
    ck->C_FindObjectsFinal(session);
    ck->C_CloseSession(session);
  }
  ::dlclose(library);
  CHECK(found);
  return objects;
}

}  // namespace hsm_contract
