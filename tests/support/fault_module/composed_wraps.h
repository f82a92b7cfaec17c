// CKM_RSA_AES_KEY_WRAP and CKM_ECDH_AES_KEY_WRAP (PKCS#11 2.40 mechanisms, 2.1.21 and 2.3.10) for a token that has only
// what they are composed of: OAEP or ECDH for an AES key, and that key's RFC 5649 wrap.
#pragma once

#include <p11-kit/pkcs11.h>

namespace fault_module {

// As C_WrapKey; CKR_MECHANISM_INVALID for any other mechanism. Of the key derivations CKD_NULL alone.
CK_RV wrap_by_composition(CK_FUNCTION_LIST& token, CK_SESSION_HANDLE session, const CK_MECHANISM& mechanism,
                          CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key, CK_BYTE* wrapped, CK_ULONG* size);

}  // namespace fault_module
