#include "hsm/signing.h"

#include <algorithm>

#include "base/der.h"
#include "hsm/ck_result.h"
#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {

Bytes ecdsa_signature_to_der(ByteView r_and_s) {
  Bytes integers;
  append_der_unsigned(integers, r_and_s.first(r_and_s.size() / 2));
  append_der_unsigned(integers, r_and_s.subspan(r_and_s.size() / 2));
  Bytes der;
  append_der(der, der_tag::sequence, integers);
  return der;
}

SigningInput signing_input(const PublicKey& key, Digest digest, ByteView digest_value) {
  const KeyFamily family = family_of(key);
  const unsigned bits = bits_of(key);
  if (auto reason = why_cannot_sign(family, bits, digest)) throw Error(ErrorKind::invalid_object, {*reason});
  if (digest_value.size() != info(digest).size) {
    throw Error(ErrorKind::internal_error).with_cause("a digest of the wrong length");
  }
  const std::size_t octets = (std::size_t{bits} + 7) / 8;
  if (family == KeyFamily::rsa) {
    const ByteView prefix = info(digest).digest_info_prefix;
    Bytes data(prefix.begin(), prefix.end());
    data.insert(data.end(), digest_value.begin(), digest_value.end());
    return {mechanisms_of(family).sign, std::move(data), octets, family};
  }
  // FIPS 186-4 6.4: the leftmost bits of the digest, as many as the order has. Where a digest is longer than the order
  // (P-256, P-384) the order is whole octets. Some tokens refuse the longer digest instead of cutting it.
  const ByteView data = digest_value.first(std::min(digest_value.size(), octets));
  return {mechanisms_of(family).sign, Bytes(data.begin(), data.end()), 2 * octets, family};
}

Bytes sign_in_token(Session& session, KeyObject& object, const SigningInput& input) {
  const std::optional<CK_OBJECT_HANDLE> key = object.find(session);
  if (!key) {
    // Not the caller's fault: a certificate without its key is a token that was changed behind our back.
    throw Error(ErrorKind::token_unavailable, {"the signing key is no longer in the token"})
        .with_cause("key " + object.id().to_string());
  }
  CK_MECHANISM mechanism{input.mechanism, nullptr, 0};
  CK_RV rv = session.ck().C_SignInit(session.handle(), &mechanism, *key);
  if (rv != CKR_OK) {
    session.poison();
    if (ck_class(rv) == CkClass::stale_handle) object.forget(*key);
    throw CkFailure("C_SignInit", rv);
  }
  Bytes signature(input.signature_size);
  CK_ULONG size = signature.size();
  CK_BYTE* const data = ck_input(ByteView(input.data));
  rv = session.ck().C_Sign(session.handle(), data, input.data.size(), signature.data(), &size);
  if (rv == CKR_BUFFER_TOO_SMALL && size > signature.size() && size <= 4 * input.signature_size) {
    // The operation is still active (PKCS#11 2.40 section 5.2). Some tokens ask for more room than they use.
    signature.resize(size);
    rv = session.ck().C_Sign(session.handle(), data, input.data.size(), signature.data(), &size);
  }
  if (rv != CKR_OK) {
    session.poison();
    if (ck_class(rv) == CkClass::stale_handle) object.forget(*key);
    throw CkFailure("C_Sign", rv);
  }
  if (size != input.signature_size) {
    throw Error(ErrorKind::internal_error, {"the token gave an answer that cannot be right"})
        .with_cause("C_Sign: a signature of " + std::to_string(size) + " octets");
  }
  signature.resize(size);
  return input.family == KeyFamily::rsa ? signature : ecdsa_signature_to_der(signature);
}

}  // namespace hsmsigner::hsm
