// The token asked by other means than the program's own: PKCS#11 calls of the tests'.
#pragma once

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "system/server.h"

namespace system_test {

// A session of our own on the fixture's token, logged in.
class Cryptoki {
 public:
  explicit Cryptoki(const test_support::SoftHsm& token) {
    module_ = ::dlopen(test_support::SoftHsm::module_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module_ == nullptr) throw std::runtime_error("SoftHSM does not load");
    const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(module_, "C_GetFunctionList"));
    must(get_list(&call));
    must(call->C_Initialize(nullptr));
    CK_SLOT_ID slots[16];
    CK_ULONG count = 16;
    must(call->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info;
      must(call->C_GetTokenInfo(slots[i], &info));
      const std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
      if (label.starts_with(token.label() + " ")) {
        must(call->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session));
      }
    }
    std::string pin = token.pin();
    must(call->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size()));
  }
  ~Cryptoki() {
    call->C_Finalize(nullptr);
    ::dlclose(module_);
  }
  Cryptoki(const Cryptoki&) = delete;
  Cryptoki& operator=(const Cryptoki&) = delete;

  static void must(CK_RV rv) {
    if (rv != CKR_OK) throw std::runtime_error("PKCS#11 answers " + std::to_string(rv));
  }

  // The objects of this class with the certificate's id as CKA_ID.
  std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS object_class, const Json& made) {
    std::string hex = made["id"].text();
    std::erase(hex, '-');
    std::string id;
    for (std::size_t i = 0; i < hex.size(); i += 2) id += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, id.data(), id.size()}};
    must(call->C_FindObjectsInit(session, attributes, 2));
    std::vector<CK_OBJECT_HANDLE> found(8);
    CK_ULONG count = 0;
    must(call->C_FindObjects(session, found.data(), found.size(), &count));
    must(call->C_FindObjectsFinal(session));
    found.resize(count);
    return found;
  }

  bool is(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
    CK_BBOOL value = 0xff;
    CK_ATTRIBUTE attribute = {type, &value, sizeof value};
    must(call->C_GetAttributeValue(session, object, &attribute, 1));
    return value == CK_TRUE;
  }

  CK_OBJECT_HANDLE fresh_aes_key() {
    CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
    CK_ULONG length = 32;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {{CKA_VALUE_LEN, &length, sizeof length}, {CKA_WRAP, &yes, sizeof yes},
                                 {CKA_UNWRAP, &yes, sizeof yes},          {CKA_ENCRYPT, &yes, sizeof yes},
                                 {CKA_DECRYPT, &yes, sizeof yes},         {CKA_TOKEN, &no, sizeof no}};
    CK_OBJECT_HANDLE key = 0;
    must(call->C_GenerateKey(session, &mechanism, attributes, 6, &key));
    return key;
  }

  CK_RV wrap(CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key) {
    CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, nullptr, 0};
    std::vector<CK_BYTE> wrapped(8192);
    CK_ULONG length = wrapped.size();
    return call->C_WrapKey(session, &mechanism, wrapping, key, wrapped.data(), &length);
  }

  CK_RV read(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
    std::vector<CK_BYTE> value(8192);
    CK_ATTRIBUTE attribute = {type, value.data(), value.size()};
    return call->C_GetAttributeValue(session, key, &attribute, 1);
  }

  CK_FUNCTION_LIST* call = nullptr;
  CK_SESSION_HANDLE session = 0;

 private:
  void* module_ = nullptr;
};

}  // namespace system_test
