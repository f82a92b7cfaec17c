// Tries to get a private key out of a PKCS#11 token and prints what the token answers. Stands alone on purpose: it
// shares no code with hsm-signer, so that an auditor can read it whole and build it anywhere.
//
//   EXTRACTION_PIN=… extraction-attempt MODULE TOKEN-LABEL CKA_ID-IN-HEX
//
// Exit code: 0 the token refused every attempt, 1 it gave something out, 2 the attempt could not be made.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

CK_FUNCTION_LIST* module_functions = nullptr;

void must(CK_RV rv, const char* call) {
  if (rv == CKR_OK) return;
  char text[80];
  std::snprintf(text, sizeof text, "%s: 0x%lx", call, rv);
  throw std::runtime_error(text);
}

void load(const char* path) {
  void* library = ::dlopen(path, RTLD_NOW);
  if (library == nullptr) throw std::runtime_error("the module cannot be loaded");
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  if (get_list == nullptr) throw std::runtime_error("the module has no C_GetFunctionList");
  must(get_list(&module_functions), "C_GetFunctionList");
  must(module_functions->C_Initialize(nullptr), "C_Initialize");
}

CK_SLOT_ID find_slot(const std::string& label) {
  CK_ULONG count = 0;
  must(module_functions->C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  must(module_functions->C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
  std::string padded = label;
  padded.resize(32, ' ');  // CK_TOKEN_INFO.label is blank-padded
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info{};
    must(module_functions->C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
    if (std::memcmp(info.label, padded.data(), padded.size()) == 0) return slot;
  }
  throw std::runtime_error("no token has this label");
}

std::vector<CK_BYTE> octets_from_hex(const std::string& hex) {
  std::vector<CK_BYTE> octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets.push_back(static_cast<CK_BYTE>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return octets;
}

CK_OBJECT_HANDLE find_private_key(CK_SESSION_HANDLE session, std::vector<CK_BYTE> id) {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_ID, id.data(), id.size()}};
  must(module_functions->C_FindObjectsInit(session, wanted, 2), "C_FindObjectsInit");
  CK_OBJECT_HANDLE handles[2] = {};
  CK_ULONG found = 0;
  must(module_functions->C_FindObjects(session, handles, 2, &found), "C_FindObjects");
  must(module_functions->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  if (found != 1) throw std::runtime_error("not exactly one private key has this CKA_ID");
  return handles[0];
}

CK_OBJECT_HANDLE make_wrapping_key(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG length = 32;
  CK_ATTRIBUTE wanted[] = {
      {CKA_TOKEN, &no, sizeof no}, {CKA_WRAP, &yes, sizeof yes}, {CKA_VALUE_LEN, &length, sizeof length}};
  CK_OBJECT_HANDLE key = 0;
  must(module_functions->C_GenerateKey(session, &mechanism, wanted, 3, &key), "C_GenerateKey");
  return key;
}

// Prints the answer; true when the token gave something out.
bool leaked(const char* attempt, CK_RV rv) {
  std::printf("%-55s 0x%08lx %s\n", attempt, rv, rv == CKR_OK ? "GIVEN OUT" : "refused");
  return rv == CKR_OK;
}

bool attempt_all(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  bool any = false;
  std::vector<CK_BYTE> buffer(8192);
  CK_ATTRIBUTE value = {CKA_VALUE, buffer.data(), buffer.size()};
  any |= leaked("C_GetAttributeValue CKA_VALUE", module_functions->C_GetAttributeValue(session, key, &value, 1));
  CK_ATTRIBUTE exponent = {CKA_PRIVATE_EXPONENT, buffer.data(), buffer.size()};
  any |= leaked("C_GetAttributeValue CKA_PRIVATE_EXPONENT",
                module_functions->C_GetAttributeValue(session, key, &exponent, 1));
  const CK_OBJECT_HANDLE wrapping_key = make_wrapping_key(session);
  CK_MECHANISM wrap = {CKM_AES_KEY_WRAP_PAD, nullptr, 0};
  CK_ULONG length = buffer.size();
  any |= leaked("C_WrapKey under a fresh AES-256 key (AES_KEY_WRAP_PAD)",
                module_functions->C_WrapKey(session, &wrap, wrapping_key, key, buffer.data(), &length));
  std::fill(buffer.begin(), buffer.end(), CK_BYTE{0});
  return any;
}

}  // namespace

int main(int argc, char** argv) {
  char* pin = std::getenv("EXTRACTION_PIN");
  if (argc != 4 || pin == nullptr) {
    std::fprintf(stderr, "usage: EXTRACTION_PIN=... %s MODULE TOKEN-LABEL CKA_ID-IN-HEX\n", argv[0]);
    return 2;
  }
  try {
    load(argv[1]);
    CK_SESSION_HANDLE session = 0;
    must(module_functions->C_OpenSession(find_slot(argv[2]), CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                         &session),
         "C_OpenSession");
    must(module_functions->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin), std::strlen(pin)),
         "C_Login");
    const bool any = attempt_all(session, find_private_key(session, octets_from_hex(argv[3])));
    must(module_functions->C_Finalize(nullptr), "C_Finalize");
    return any ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "extraction-attempt: %s\n", error.what());
    return 2;
  }
}
