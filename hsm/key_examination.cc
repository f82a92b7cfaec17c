// What the token shows of a key, for evidence.
#include "hsm/key_reader.h"
#include "hsm/mechanisms.h"
#include "hsm/signing.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

struct GenerationMechanism {
  CK_MECHANISM_TYPE type;
  std::string_view name;
};
// PKCS#11 2.40 mechanisms, sections 2.1 and 2.3.
constexpr GenerationMechanism kGenerationMechanisms[] = {
    {CKM_RSA_PKCS_KEY_PAIR_GEN, "CKM_RSA_PKCS_KEY_PAIR_GEN"},
    {CKM_RSA_X9_31_KEY_PAIR_GEN, "CKM_RSA_X9_31_KEY_PAIR_GEN"},
    {CKM_EC_KEY_PAIR_GEN, "CKM_EC_KEY_PAIR_GEN"},
};

KeyExamination examine_in(Session& session, const Uuid& id, KeyFamily family, unsigned bits,
                          const SigningInput& input) {
  KeyExamination examination;
  const std::vector<CK_OBJECT_HANDLE> handles = find_private_keys(session, id);
  examination.private_keys = handles.size();
  if (handles.size() != 1) return examination;
  const KeyAttributes attributes = read_attributes(session, handles.front());
  examination.attributes = attributes;
  if (attributes.family != family || attributes.bits != bits || !attributes.sign) return examination;
  // Not the one that others share: it might know another handle.
  KeyObject object(id);
  object.set(handles.front(), session.epoch());
  examination.signature = sign_in_token(session, object, input);
  return examination;
}

}  // namespace

std::string_view generation_mechanism_name(std::uint64_t mechanism) noexcept {
  for (const GenerationMechanism& row : kGenerationMechanisms) {
    if (row.type == mechanism) return row.name;
  }
  return "";
}

KeyExamination Token::examine(const Uuid& id, const PublicKey& public_key, Digest digest, ByteView digest_value,
                              Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline,
                           [id, family = family_of(public_key), bits = bits_of(public_key),
                            input = signing_input(public_key, digest, digest_value)](Session& session) {
                             return examine_in(session, id, family, bits, input);
                           });
}

}  // namespace hsmsigner::hsm
