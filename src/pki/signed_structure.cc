#include "pki/signed_structure.h"

#include <openssl/objects.h>

#include "base/der.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {

void check_can_sign(const Signer& signer, Digest digest) {
  const PublicKey& key = signer.public_key();
  if (const auto why = why_cannot_sign(family_of(key), bits_of(key), digest)) refuse("digest", *why);
}

void set_signature_algorithm(X509_ALGOR* algorithm, KeyFamily family, Digest digest) {
  const int key_nid = family == KeyFamily::rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey;
  int signature_nid = NID_undef;
  require(OBJ_find_sigid_by_algs(&signature_nid, EVP_MD_get_type(evp_md(digest)), key_nid), "OBJ_find_sigid_by_algs");
  const int parameter_type = family == KeyFamily::rsa ? V_ASN1_NULL : V_ASN1_UNDEF;
  require(X509_ALGOR_set0(algorithm, OBJ_nid2obj(signature_nid), parameter_type, nullptr), "X509_ALGOR_set0");
}

Bytes assemble_signed(ByteView to_be_signed, const X509_ALGOR* algorithm, ByteView signature) {
  Bytes content(to_be_signed.begin(), to_be_signed.end());
  const Bytes encoded_algorithm = i2d([&](unsigned char** out) { return i2d_X509_ALGOR(algorithm, out); });
  content.insert(content.end(), encoded_algorithm.begin(), encoded_algorithm.end());
  append_der_bit_string(content, signature);
  Bytes der;
  der.reserve(content.size() + 5);
  append_der(der, der_tag::sequence, content);
  return der;
}

}  // namespace hsmsigner::pki
