#include "hsm/wrapping_key.h"

#include "hsm/ck_result.h"
#include "hsm/key_template.h"

namespace hsmsigner::hsm {
namespace {

Secret random_secret(Session& session, std::size_t size) {
  Bytes octets(size);
  const CK_RV rv = session.ck().C_GenerateRandom(session.handle(), octets.data(), octets.size());
  Secret secret{ByteView(octets)};
  cleanse(octets);
  check("C_GenerateRandom", rv);
  return secret;
}

}  // namespace

WrappingParameters::WrappingParameters(Session& session, const WrappingMechanism& mechanism)
    : form_(mechanism.form), mechanism_{mechanism.type, nullptr, 0} {
  if (form_ == WrappingForm::cbc_pad) {
    iv_.resize(kAesBlock);
    check("C_GenerateRandom", session.ck().C_GenerateRandom(session.handle(), iv_.data(), iv_.size()));
    mechanism_.pParameter = iv_.data();
    mechanism_.ulParameterLen = iv_.size();
  }
}

WrappingKey::WrappingKey(Session& session) : session_(session), value_(random_secret(session, kWrappingKeySize)) {
  Template object;
  object.add(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
      .add(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
      .add(CKA_TOKEN, false)
      .add(CKA_PRIVATE, true)
      .add(CKA_SENSITIVE, true)
      .add(CKA_EXTRACTABLE, false)
      .add(CKA_WRAP, true)
      .add(CKA_UNWRAP, true)
      .add(CKA_ENCRYPT, false)
      .add(CKA_DECRYPT, false)
      .add(CKA_SIGN, false)
      .add(CKA_VERIFY, false)
      .add(CKA_DERIVE, false)
      .refer(CKA_VALUE, value_.bytes());
  const CK_RV rv = session_.ck().C_CreateObject(session_.handle(), object.data(), object.size(), &handle_);
  if (rv != CKR_OK) {
    if (!changed_nothing(rv)) session_.poison();
    throw CkFailure("C_CreateObject", rv);
  }
}

WrappingKey::~WrappingKey() {
  const CK_RV rv = session_.ck().C_DestroyObject(session_.handle(), handle_);
  if (rv != CKR_OK) session_.failed(rv);
}

}  // namespace hsmsigner::hsm
