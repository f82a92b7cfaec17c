#include "hsm/key_exchange.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/log.h"
#include "crypto/signature.h"
#include "hsm/ck_result.h"
#include "hsm/key_reader.h"
#include "hsm/key_template.h"
#include "hsm/signing.h"
#include "hsm/software_crypto.h"
#include "hsm/wrapping_key.h"

namespace hsmsigner::hsm {
namespace {

// Every key of a size that anybody uses can sign it: RSA from 496 bits (RFC 8017 9.2).
constexpr Digest kProofDigest = Digest::sha256;
// More than the PrivateKeyInfo of a 16384-bit RSA key.
constexpr std::size_t kRoom = 16384;

// The token's word for: not this key, whichever way it comes.
constexpr std::array kUnsupportedKey = {CKR_KEY_SIZE_RANGE, CKR_CURVE_NOT_SUPPORTED, CKR_DOMAIN_PARAMS_INVALID};
// For: this key is not given out.
constexpr std::array kBlocked = {CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE, CKR_ATTRIBUTE_SENSITIVE};

template <typename Table>
bool is_one_of(const Table& table, CK_RV rv) {
  return std::ranges::find(table, rv) != table.end();
}

// The token said no, for a reason that is neither its session nor its state: another way may do.
bool refused(CK_RV rv) { return changed_nothing(rv) && ck_class(rv) == CkClass::other; }

std::string name_of(const PublicKey& key) {
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) return "EC keys on " + std::string(info(ec->curve).name);
  return "RSA keys of " + std::to_string(bits_of(key)) + " bits";
}

Error not_taken(const PublicKey& key, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::invalid_object, {"key_file: the token does not take " + name_of(key)}, where);
}

constexpr std::string_view kWrap = "C_WrapKey";

Error cannot_wrap(SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::token_unavailable, {"this token cannot wrap keys, so none can be exported"}, where);
}

// What a way into the token came to: a handle, or the answer of the call that did not make one.
struct Arrival {
  CK_RV rv = CKR_OK;
  const char* function = "";
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  bool key_sent = false;  // else the call was about something else, and certainly made no key
};

Arrival unwrap(Session& session, const WrappingMechanism& mechanism, const ImportRequest& request,
               const PrivateKey& key) {
  Arrival arrival;
  try {
    const WrappingKey wrapping_key(session);
    WrappingParameters parameters(session, mechanism);
    Bytes wrapped = wrap_key(parameters.form(), wrapping_key.value(), parameters.iv(), key.pkcs8);
    Template wanted = imported_key_template(request, family_of(key.public_key()));
    const ObjectGate::Making making(session.gate(), session.deadline());
    arrival.function = "C_UnwrapKey";
    arrival.key_sent = true;
    arrival.rv = session.ck().C_UnwrapKey(session.handle(), parameters.get(), wrapping_key.handle(), wrapped.data(),
                                          wrapped.size(), wanted.data(), wanted.size(), &arrival.handle);
  } catch (const CkFailure& failure) {
    arrival.function = failure.function();
    arrival.rv = failure.rv();
  }
  return arrival;
}

Arrival create(Session& session, const ImportRequest& request, const PrivateKey& key) {
  Template parts = imported_key_template(request, key);
  Arrival arrival{CKR_OK, "C_CreateObject", CK_INVALID_HANDLE, true};
  const ObjectGate::Making making(session.gate(), session.deadline());
  arrival.rv = session.ck().C_CreateObject(session.handle(), parts.data(), parts.size(), &arrival.handle);
  return arrival;
}

void prove_signature(Session& session, KeyObject& object, const PublicKey& key) {
  Bytes value(info(kProofDigest).size);
  check("C_GenerateRandom", session.ck().C_GenerateRandom(session.handle(), value.data(), value.size()));
  const Bytes signature = sign_in_token(session, object, signing_input(key, kProofDigest, value));
  if (!crypto::verifies(key, kProofDigest, value, signature)) {
    throw Error(ErrorKind::internal_error, {"the imported key does not sign as its public key demands"})
        .with_cause("key " + object.id().to_string());
  }
}

class Import {
 public:
  Import(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object, const ImportRequest& request,
         const PrivateKey& key)
      : session_(session), token_(token), object_(object), request_(request), key_(key) {}

  MadeKey run() {
    for (const WrappingMechanism& mechanism : token_.capabilities().unwraps) {
      if (!token_.unwraps_as_asked(mechanism.type, request_.block_export)) continue;
      object_->expect_new();
      const Arrival arrival = unwrap(session_, mechanism, request_, key_);
      if (!is_there(arrival)) continue;
      if (std::optional<MadeKey> made = settle(arrival.handle, true)) return std::move(*made);
      log::warning("the token did not unwrap a key as it was asked to", {{"id", request_.id.to_string()},
                                                                         {"mechanism", mechanism.name},
                                                                         {"block_export", request_.block_export},
                                                                         {"cause", mismatch_->sentence}});
      if (mismatch_->of_export_block) token_.unwraps_otherwise(mechanism.type, request_.block_export);
    }
    object_->expect_new();
    const Arrival arrival = create(session_, request_, key_);
    if (is_there(arrival)) return std::move(*settle(arrival.handle, false));
    if (mismatch_) throw other_than_asked();
    if (unsupported_) throw not_taken(key_.public_key());
    throw CkFailure(arrival.function, arrival.rv);
  }

 private:
  // False if the token refused this way. Throws if there is no sense in another.
  bool is_there(const Arrival& arrival) {
    if (arrival.rv == CKR_OK) return true;
    if (!refused(arrival.rv)) {
      if (!arrival.key_sent) throw CkFailure(arrival.function, arrival.rv);
      not_made(token_, object_, arrival.function, arrival.rv);
    }
    unsupported_ = unsupported_ || (arrival.key_sent && is_one_of(kUnsupportedKey, arrival.rv));
    log::info("the token refused one way of taking a key",
              {{"id", request_.id.to_string()}, {"call", arrival.function}, {"ck", ck_name(arrival.rv)}});
    return false;
  }

  // Nothing if the key was not as asked, and is destroyed so that another way can be tried.
  std::optional<MadeKey> settle(CK_OBJECT_HANDLE handle, bool another_way) {
    object_->set(handle, session_.epoch());
    bool undone = false;
    MadeKey made = proven_or_destroyed(session_, token_, object_, [&] {
      MadeKey read{object_, key_.public_key(), read_attributes(session_, handle)};
      mismatch_ = first_mismatch(request_, read.public_key, read.attributes);
      if (!mismatch_) {
        prove_signature(session_, *object_, read.public_key);
      } else if (another_way) {
        undone = destroy_key(session_, *object_);
      }
      if (mismatch_ && !undone) throw other_than_asked();
      return read;
    });
    if (undone) return std::nullopt;
    return made;
  }

  Error other_than_asked(SourcePlace where = SourcePlace::here()) const {
    return Error(ErrorKind::internal_error, {mismatch_->sentence}, where).with_cause("key " + request_.id.to_string());
  }

  Session& session_;
  TokenImpl& token_;
  const std::shared_ptr<KeyObject>& object_;
  const ImportRequest& request_;
  const PrivateKey& key_;
  std::optional<Mismatch> mismatch_;
  bool unsupported_ = false;
};

// Throws CkFailure. Nothing if what the token gave does not open.
std::optional<Secret> wrap_out(Session& session, const WrappingMechanism& mechanism, CK_OBJECT_HANDLE key) {
  const WrappingKey wrapping_key(session);
  WrappingParameters parameters(session, mechanism);
  Bytes wrapped(kRoom);
  CK_ULONG size = wrapped.size();
  check(kWrap.data(),
        session.ck().C_WrapKey(session.handle(), parameters.get(), wrapping_key.handle(), key, wrapped.data(), &size));
  if (size > wrapped.size()) throw Error(ErrorKind::internal_error).with_cause("C_WrapKey wrote more than fits");
  wrapped.resize(size);
  return open_key(parameters.form(), wrapping_key.value(), parameters.iv(), wrapped);
}

}  // namespace

void check_import(const Capabilities& token, const PublicKey& key) {
  if (!token.signs(family_of(key), bits_of(key)) || why_cannot_sign(family_of(key), bits_of(key), kProofDigest)) {
    throw not_taken(key);
  }
}

MadeKey import_key_into(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                        const ImportRequest& request, const PrivateKey& key) {
  return Import(session, token, object, request, key).run();
}

Secret export_key_from(Session& session, const Capabilities& token, KeyObject& object) {
  const std::optional<CK_OBJECT_HANDLE> key = object.find(session);
  if (!key) throw no_such_key(object.id());
  bool blocked = false;
  bool unreadable = false;
  for (const WrappingMechanism& mechanism : token.wraps) {
    try {
      if (std::optional<Secret> pkcs8 = wrap_out(session, mechanism, *key)) return *std::move(pkcs8);
      unreadable = true;
      log::warning("what the token wrapped does not open",
                   {{"id", object.id().to_string()}, {"mechanism", mechanism.name}});
    } catch (const CkFailure& failure) {
      if (!refused(failure.rv())) {
        if (ck_class(failure.rv()) == CkClass::stale_handle) object.forget(*key);
        throw;
      }
      // Not only the last word counts: another mechanism is refused for what it is.
      blocked = blocked || (failure.function() == kWrap && is_one_of(kBlocked, failure.rv()));
      log::info("the token refused one way of giving a key out",
                {{"id", object.id().to_string()}, {"call", failure.function()}, {"ck", ck_name(failure.rv())}});
    }
  }
  if (blocked) throw Error(ErrorKind::private_key_export_blocked, {"the token does not give this key out"});
  if (unreadable) {
    throw Error(ErrorKind::internal_error)
        .with_cause("nothing opens that C_WrapKey gave of " + object.id().to_string());
  }
  throw cannot_wrap();
}

}  // namespace hsmsigner::hsm
