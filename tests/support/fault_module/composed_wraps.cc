#include "support/fault_module/composed_wraps.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace fault_module {
namespace {

struct RsaAesParameters {
  CK_ULONG aes_bits;
  CK_RSA_PKCS_OAEP_PARAMS* oaep;
};
struct EcdhAesParameters {
  CK_ULONG aes_bits;
  CK_ULONG kdf;
  CK_ULONG shared_size;
  CK_BYTE* shared;
};

CK_BBOOL yes = CK_TRUE;
CK_BBOOL no = CK_FALSE;
CK_ULONG aes_size = 32;
CK_KEY_TYPE aes = CKK_AES;
CK_OBJECT_CLASS secret = CKO_SECRET_KEY;

std::vector<CK_ATTRIBUTE> aes_template() {
  return {{CKA_CLASS, &secret, sizeof secret},
          {CKA_KEY_TYPE, &aes, sizeof aes},
          {CKA_TOKEN, &no, sizeof no},
          {CKA_SENSITIVE, &no, sizeof no},
          {CKA_EXTRACTABLE, &yes, sizeof yes},
          {CKA_WRAP, &yes, sizeof yes},
          {CKA_VALUE_LEN, &aes_size, sizeof aes_size}};
}

// The wrap of `key` under the AES key, behind what stands in `wrapped` already. The AES key is destroyed.
CK_RV append_wrap(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes_key, CK_OBJECT_HANDLE key,
                  CK_BYTE* wrapped, CK_ULONG first, CK_ULONG* size) {
  CK_MECHANISM pad{CKM_AES_KEY_WRAP_PAD, nullptr, 0};
  CK_ULONG rest = *size - first;
  const CK_RV rv = token.C_WrapKey(session, &pad, aes_key, key, wrapped + first, &rest);
  token.C_DestroyObject(session, aes_key);
  *size = first + rest;
  return rv;
}

CK_RV rsa_aes(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, const RsaAesParameters& parameters,
              CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size) {
  if (parameters.aes_bits != 256) return CKR_MECHANISM_PARAM_INVALID;
  CK_MECHANISM generate{CKM_AES_KEY_GEN, nullptr, 0};
  std::vector<CK_ATTRIBUTE> attributes = aes_template();
  CK_OBJECT_HANDLE aes_key = CK_INVALID_HANDLE;
  CK_RV rv = token.C_GenerateKey(session, &generate, attributes.data(), attributes.size(), &aes_key);
  if (rv != CKR_OK) return rv;
  CK_MECHANISM oaep{CKM_RSA_PKCS_OAEP, parameters.oaep, sizeof *parameters.oaep};
  CK_ULONG first = *size;
  rv = token.C_WrapKey(session, &oaep, wrapping_key, aes_key, wrapped, &first);
  return rv == CKR_OK ? append_wrap(token, session, aes_key, key, wrapped, first, size) : rv;
}

CK_RV ecdh_aes(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, const EcdhAesParameters& parameters,
               CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size) {
  if (parameters.aes_bits != 256 || parameters.kdf != CKD_NULL) return CKR_MECHANISM_PARAM_INVALID;
  CK_BYTE curve[32];
  CK_BYTE other[128];
  CK_ATTRIBUTE theirs[] = {{CKA_EC_PARAMS, curve, sizeof curve}, {CKA_EC_POINT, other, sizeof other}};
  CK_RV rv = token.C_GetAttributeValue(session, wrapping_key, theirs, 2);
  if (rv != CKR_OK) return rv;
  CK_ATTRIBUTE public_key[] = {{CKA_TOKEN, &no, sizeof no}, theirs[0]};
  CK_ATTRIBUTE private_key[] = {{CKA_TOKEN, &no, sizeof no}, {CKA_DERIVE, &yes, sizeof yes}};
  CK_MECHANISM generate{CKM_EC_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE own_public = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE own_private = CK_INVALID_HANDLE;
  rv = token.C_GenerateKeyPair(session, &generate, public_key, 2, private_key, 2, &own_public, &own_private);
  if (rv != CKR_OK) return rv;
  CK_BYTE own[128];
  CK_ATTRIBUTE point{CKA_EC_POINT, own, sizeof own};
  rv = token.C_GetAttributeValue(session, own_public, &point, 1);
  CK_ECDH1_DERIVE_PARAMS ecdh{CKD_NULL, 0, nullptr, theirs[1].ulValueLen, other};
  CK_MECHANISM derive{CKM_ECDH1_DERIVE, &ecdh, sizeof ecdh};
  std::vector<CK_ATTRIBUTE> attributes = aes_template();
  CK_OBJECT_HANDLE aes_key = CK_INVALID_HANDLE;
  if (rv == CKR_OK) {
    rv = token.C_DeriveKey(session, &derive, own_private, attributes.data(), attributes.size(), &aes_key);
  }
  token.C_DestroyObject(session, own_public);
  token.C_DestroyObject(session, own_private);
  if (rv != CKR_OK) return rv;
  // Without the header of the OCTET STRING.
  const CK_ULONG first = point.ulValueLen - 2;
  std::memcpy(wrapped, own + 2, first);
  return append_wrap(token, session, aes_key, key, wrapped, first, size);
}

}  // namespace

CK_RV wrap_by_composition(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, const CK_MECHANISM& mechanism,
                          CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size) {
  if (mechanism.mechanism == CKM_RSA_AES_KEY_WRAP && mechanism.ulParameterLen == sizeof(RsaAesParameters)) {
    return rsa_aes(token, session, *static_cast<const RsaAesParameters*>(mechanism.pParameter), wrapping_key, key,
                   wrapped, size);
  }
  if (mechanism.mechanism == CKM_ECDH_AES_KEY_WRAP && mechanism.ulParameterLen == sizeof(EcdhAesParameters)) {
    return ecdh_aes(token, session, *static_cast<const EcdhAesParameters*>(mechanism.pParameter), wrapping_key, key,
                    wrapped, size);
  }
  return CKR_MECHANISM_INVALID;
}

}  // namespace fault_module
