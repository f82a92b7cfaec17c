// Keys: making them, holding them, signing with them.
#include "hsm/ck_result.h"
#include "hsm/key_reader.h"
#include "hsm/key_template.h"
#include "hsm/signing.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

class TokenKeyImpl final : public TokenKey {
 public:
  TokenKeyImpl(std::shared_ptr<TokenImpl> token, const Uuid& id, PublicKey public_key)
      : token_(std::move(token)), object_(token_->objects().of(id)), public_key_(std::move(public_key)) {}

  const Uuid& id() const noexcept override { return object_->id(); }
  const PublicKey& public_key() const noexcept override { return public_key_; }

  Bytes sign(Digest digest, ByteView digest_value, Deadline deadline) override {
    // The work owns what it needs, and not the token: it may go on after the caller gave up.
    return token_->pool().run(JobKind::quick, deadline,
                              [object = object_, input = signing_input(public_key_, digest, digest_value)](
                                  Session& session) { return sign_in_token(session, *object, input); });
  }

  bool is_located() const override { return object_->is_located(token_->epoch()); }

  bool is_present(Deadline deadline) override {
    return token_->pool().run(JobKind::quick, deadline,
                              [object = object_](Session& session) { return object->find(session).has_value(); });
  }

 private:
  const std::shared_ptr<TokenImpl> token_;
  const std::shared_ptr<KeyObject> object_;
  const PublicKey public_key_;
};

}  // namespace

std::shared_ptr<TokenKey> make_token_key(std::shared_ptr<TokenImpl> token, const Uuid& id, PublicKey public_key) {
  return std::make_shared<TokenKeyImpl>(std::move(token), id, std::move(public_key));
}

void not_made(TokenImpl& token, const std::shared_ptr<KeyObject>& object, const char* function, CK_RV rv) {
  if (!changed_nothing(rv)) {
    token.orphans().add(object, Orphans::Made::perhaps);
    token.sweep();
  }
  throw CkFailure(function, rv);
}

MadeKey proven_or_destroyed(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                            const std::function<MadeKey()>& prove) {
  const auto give_up = [&] {
    // Session objects made on the way go with their session where they cannot be destroyed by themselves.
    session.poison();
    token.orphans().add(object, Orphans::Made::surely);
    try {
      token.orphans().destroy_all(session);
    } catch (const CkFailure& failure) {
      session.failed(failure.rv());
      token.sweep();
    }
  };
  try {
    return prove();
  } catch (const CkFailure& failure) {
    give_up();
    session.failed(failure.rv());
    if (ck_class(failure.rv()) == CkClass::session_lost) token.incidents().lost(failure.rv());
    throw to_error(failure);
  } catch (...) {
    give_up();
    throw;
  }
}

MadeKey make_key(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request) {
  return make_key(session, token, object, request, [&](const MadeKey& made) {
    if (const auto mismatch = first_mismatch(request, made.attributes)) {
      throw Error(ErrorKind::internal_error, {mismatch->sentence}).with_cause("key " + request.id.to_string());
    }
  });
}

MadeKey make_key(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                 const KeyRequest& request, const std::function<void(const MadeKey&)>& judge) {
  KeyPairTemplates pair = key_pair_templates(request);
  CK_MECHANISM mechanism{pair.mechanism, nullptr, 0};
  CK_OBJECT_HANDLE public_half = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_half = CK_INVALID_HANDLE;
  const CK_RV rv = [&] {
    const ObjectGate::Making making(session.gate(), session.deadline());
    return session.ck().C_GenerateKeyPair(session.handle(), &mechanism, pair.public_key.data(), pair.public_key.size(),
                                          pair.private_key.data(), pair.private_key.size(), &public_half,
                                          &private_half);
  }();
  if (rv != CKR_OK) not_made(token, object, "C_GenerateKeyPair", rv);
  object->set(private_half, session.epoch());
  return proven_or_destroyed(session, token, object, [&] {
    MadeKey made{object, read_public_key(session, public_half, request.algorithm), {}};
    if (session.ck().C_DestroyObject(session.handle(), public_half) != CKR_OK) session.poison();
    made.attributes = read_attributes(session, private_half);
    judge(made);
    return made;
  });
}

}  // namespace hsmsigner::hsm
