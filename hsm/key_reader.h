// Reading key objects: what the token says of a private key, the value of a public one, where a key is.
#pragma once

#include <p11-kit/pkcs11.h>

#include <optional>
#include <string>
#include <vector>

#include "base/signer.h"
#include "hsm/key.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// All of these throw CkFailure, and Error{internal_error} for answers the standard does not allow.

// An attribute that the token does not tell is an Error: silence is no proof.
KeyAttributes read_attributes(Session& session, CK_OBJECT_HANDLE private_key);
PublicKey read_public_key(Session& session, CK_OBJECT_HANDLE public_key, KeyAlgorithm algorithm);

// The handle of the one private key of this id; nothing if there is none.
// Throws Error{internal_error} if there are several, and CkFailure if the session is not logged in.
std::optional<CK_OBJECT_HANDLE> find_private_key(Session& session, const Uuid& id);
// All of this id. Throws CkFailure if there are none because the session is not logged in.
std::vector<CK_OBJECT_HANDLE> find_private_keys(Session& session, const Uuid& id);
std::size_t count_private_keys(Session& session);
// Every private key object, by one search. Throws CkFailure if the session is not logged in.
std::vector<CK_OBJECT_HANDLE> private_key_handles(Session& session);
// CKA_ID and CKA_LABEL; nothing for an object that is gone.
std::optional<NamedKey> read_name(Session& session, CK_OBJECT_HANDLE key);
// Nothing where the token does not tell it of a private key.
std::optional<RsaPublicKey> read_rsa_public_half(Session& session, CK_OBJECT_HANDLE private_key);

struct WalkedKey {
  CK_OBJECT_HANDLE handle;
  ListedKey key;  // without `found`
};
// Every private key object, by one search; one that goes meanwhile is left out. Throws Error{session_timeout} past the
// session's deadline, and CkFailure if the session is not logged in.
std::vector<WalkedKey> walk_private_keys(Session& session);

struct Mismatch {
  std::string sentence;  // public
  bool of_export_block;  // else it is another key altogether
};

// The contract's section 3 as a table: the first attribute of the key that is not as the request demands; nothing if
// all are.
std::optional<Mismatch> first_mismatch(const KeyRequest& request, const KeyAttributes& attributes);
// The same for a key from outside. Whether it was always sensitive and never extractable is for the token to say.
std::optional<Mismatch> first_mismatch(const ImportRequest& request, const PublicKey& key,
                                       const KeyAttributes& attributes);

// CKA_EC_POINT is DER of an OCTET STRING that holds the point (PKCS#11 2.40 section 2.3.3); some tokens give the
// point bare. Nothing if it is neither, or not an uncompressed point of the curve's size.
std::optional<Bytes> ec_point_from_attribute(ByteView value, unsigned field_bits);

}  // namespace hsmsigner::hsm
