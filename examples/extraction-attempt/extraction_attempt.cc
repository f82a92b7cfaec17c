// Tries to get a private key out of a PKCS#11 token and prints what the token answers. Stands alone on purpose: it
// shares no code with hsm-signer, so that an auditor can read it whole and build it anywhere.
//
//   EXTRACTION_PIN=… extraction-attempt MODULE TOKEN-LABEL CKA_ID-IN-HEX
//
// Exit code: 0 the token refused every attempt in so many words, 1 it gave something out, 2 an attempt could not be
// made or the answer proves nothing.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
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

// An AES-256 session key that may wrap, and may itself be wrapped.
CK_OBJECT_HANDLE make_aes_key(CK_SESSION_HANDLE session) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, nullptr, 0};
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG length = 32;
  CK_ATTRIBUTE wanted[] = {{CKA_TOKEN, &no, sizeof no},
                           {CKA_WRAP, &yes, sizeof yes},
                           {CKA_EXTRACTABLE, &yes, sizeof yes},
                           {CKA_VALUE_LEN, &length, sizeof length}};
  CK_OBJECT_HANDLE key = 0;
  must(module_functions->C_GenerateKey(session, &mechanism, wanted, 4, &key), "C_GenerateKey");
  return key;
}

CK_RV read_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
  std::vector<CK_BYTE> buffer(8192);
  CK_ATTRIBUTE value = {type, buffer.data(), buffer.size()};
  const CK_RV rv = module_functions->C_GetAttributeValue(session, key, &value, 1);
  std::fill(buffer.begin(), buffer.end(), CK_BYTE{0});
  return rv;
}

CK_RV wrap(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key) {
  CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP_PAD, nullptr, 0};
  std::vector<CK_BYTE> wrapped(8192);
  CK_ULONG length = wrapped.size();
  return module_functions->C_WrapKey(session, &mechanism, wrapping_key, key, wrapped.data(), &length);
}

CK_RV set_flag(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL flag) {
  CK_ATTRIBUTE attribute = {type, &flag, sizeof flag};
  return module_functions->C_SetAttributeValue(session, key, &attribute, 1);
}

CK_RV copy_with(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL flag) {
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE changed[] = {{CKA_TOKEN, &no, sizeof no}, {type, &flag, sizeof flag}};
  CK_OBJECT_HANDLE copy = 0;
  const CK_RV rv = module_functions->C_CopyObject(session, key, changed, 2, &copy);
  if (rv == CKR_OK) must(module_functions->C_DestroyObject(session, copy), "C_DestroyObject");
  return rv;
}

// Answers that mean "this key does not come out", and nothing else. A mechanism that is not there, say, proves nothing.
bool is_refusal(CK_RV rv) {
  static const CK_RV refusals[] = {CKR_ATTRIBUTE_SENSITIVE, CKR_KEY_UNEXTRACTABLE,     CKR_KEY_NOT_WRAPPABLE,
                                   CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT, CKR_ACTION_PROHIBITED};
  return std::find(std::begin(refusals), std::end(refusals), rv) != std::end(refusals);
}

class Verdict {
 public:
  void attempt(const char* what, CK_RV rv) {
    const bool refused = is_refusal(rv);
    std::printf("%-58s 0x%08lx %s\n", what, rv, rv == CKR_OK ? "GIVEN OUT" : refused ? "refused" : "PROVES NOTHING");
    leaked_ = leaked_ || rv == CKR_OK;
    unclear_ = unclear_ || (rv != CKR_OK && !refused);
  }
  // What must work, or the refusals beside it would prove nothing.
  void control(const char* what, CK_RV rv) {
    std::printf("%-58s 0x%08lx %s\n", what, rv, rv == CKR_OK ? "works, as it must" : "DOES NOT WORK");
    unclear_ = unclear_ || rv != CKR_OK;
  }
  int exit_code() const { return leaked_ ? 1 : unclear_ ? 2 : 0; }

 private:
  bool leaked_ = false;
  bool unclear_ = false;
};

int attempt_all(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  Verdict verdict;
  CK_KEY_TYPE type = 0;
  CK_ATTRIBUTE type_attribute = {CKA_KEY_TYPE, &type, sizeof type};
  must(module_functions->C_GetAttributeValue(session, key, &type_attribute, 1), "C_GetAttributeValue CKA_KEY_TYPE");
  if (type == CKK_RSA) {
    verdict.attempt("C_GetAttributeValue CKA_PRIVATE_EXPONENT", read_attribute(session, key, CKA_PRIVATE_EXPONENT));
    verdict.attempt("C_GetAttributeValue CKA_PRIME_1", read_attribute(session, key, CKA_PRIME_1));
  } else {
    verdict.attempt("C_GetAttributeValue CKA_VALUE", read_attribute(session, key, CKA_VALUE));
  }
  const CK_OBJECT_HANDLE wrapping_key = make_aes_key(session);
  verdict.control("C_WrapKey of an extractable AES key (AES_KEY_WRAP_PAD)",
                  wrap(session, wrapping_key, make_aes_key(session)));
  verdict.attempt("C_WrapKey of the private key, under the same AES key", wrap(session, wrapping_key, key));
  verdict.attempt("C_SetAttributeValue CKA_EXTRACTABLE true", set_flag(session, key, CKA_EXTRACTABLE, CK_TRUE));
  verdict.attempt("C_SetAttributeValue CKA_SENSITIVE false", set_flag(session, key, CKA_SENSITIVE, CK_FALSE));
  verdict.attempt("C_CopyObject with CKA_EXTRACTABLE true", copy_with(session, key, CKA_EXTRACTABLE, CK_TRUE));
  verdict.attempt("C_CopyObject with CKA_SENSITIVE false", copy_with(session, key, CKA_SENSITIVE, CK_FALSE));
  return verdict.exit_code();
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
    const int exit_code = attempt_all(session, find_private_key(session, octets_from_hex(argv[3])));
    must(module_functions->C_Finalize(nullptr), "C_Finalize");
    return exit_code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "extraction-attempt: %s\n", error.what());
    return 2;
  }
}
