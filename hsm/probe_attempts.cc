#include "hsm/probe_attempts.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "hsm/ck_result.h"
#include "hsm/key_template.h"
#include "hsm/probe_label.h"
#include "hsm/probe_wrapping.h"

namespace hsmsigner::hsm {
namespace {

struct NamedAttribute {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};

// PKCS#11 2.40 mechanisms, sections 2.1.3 and 2.3.4: each gives the key away.
constexpr NamedAttribute kRsaSecrets[] = {
    {CKA_PRIVATE_EXPONENT, "CKA_PRIVATE_EXPONENT"},
    {CKA_PRIME_1, "CKA_PRIME_1"},
    {CKA_PRIME_2, "CKA_PRIME_2"},
    {CKA_EXPONENT_1, "CKA_EXPONENT_1"},
    {CKA_EXPONENT_2, "CKA_EXPONENT_2"},
    {CKA_COEFFICIENT, "CKA_COEFFICIENT"},
};
constexpr NamedAttribute kEcSecrets[] = {{CKA_VALUE, "CKA_VALUE"}};

std::span<const NamedAttribute> secrets_of(KeyFamily family) {
  if (family == KeyFamily::rsa) return kRsaSecrets;
  return kEcSecrets;
}

// The two attributes that protect a key, the other way round.
struct Upgrade {
  const char* name;
  bool extractable;
  bool not_sensitive;

  void add_to(Template& attributes) const {
    if (extractable) attributes.add(CKA_EXTRACTABLE, true);
    if (not_sensitive) attributes.add(CKA_SENSITIVE, false);
  }
};
constexpr Upgrade kUpgrades[] = {
    {"CKA_EXTRACTABLE true", true, false},
    {"CKA_SENSITIVE false", false, true},
};

class Attempts {
 public:
  Attempts(Session& session, TokenImpl& token, KeyAlgorithm algorithm, const PublicKey& public_key,
           const SoftwareRsaKey& rsa, std::stop_token stop)
      : session_(session),
        token_(token),
        algorithm_(algorithm),
        public_key_(public_key),
        wrapping_(session, public_key, rsa),
        stop_(std::move(stop)) {}

  std::vector<ProbeAttempt> run(CK_OBJECT_HANDLE key) {
    take_out(key, "");
    for (const Upgrade& upgrade : kUpgrades) set(key, upgrade);
    for (const Upgrade& upgrade : kUpgrades) copy(key, upgrade, true);
    copy(key, {"CKA_EXTRACTABLE true, CKA_SENSITIVE false, CKA_TOKEN false", true, true}, false);
    return std::move(attempts_);
  }

 private:
  void note(std::string call, std::string detail, CK_RV rv, ProbeOutcome outcome, std::string remark = "") {
    if (stop_.stop_requested()) throw Error(ErrorKind::session_timeout, {"interrupted"});
    attempts_.push_back(
        {algorithm_, std::move(call), std::move(detail), rv, ck_name(rv), outcome, std::move(remark), false});
  }

  // Everything that brings octets out. `after` says of which key, or after what.
  void take_out(CK_OBJECT_HANDLE key, const std::string& after) {
    for (const NamedAttribute& secret : secrets_of(info(algorithm_).family)) read(key, secret, after);
    for (WrapFinding& found : wrapping_.all(key)) {
      if (found.outcome == ProbeOutcome::not_tried && !after.empty()) continue;  // told once
      note("C_WrapKey", found.mechanism + after, found.rv, found.outcome, std::move(found.remark));
      attempts_.back().proven = found.proven;
    }
  }

  void read(CK_OBJECT_HANDLE key, const NamedAttribute& secret, const std::string& after) {
    constexpr std::size_t kRoom = 4096;  // longer than any of them
    Bytes value(kRoom);
    CK_ATTRIBUTE attribute{secret.type, value.data(), value.size()};
    const CK_RV rv = session_.ck().C_GetAttributeValue(session_.handle(), key, &attribute, 1);
    const auto written = std::ranges::count_if(value, [](std::uint8_t octet) { return octet != 0; });
    // NSS softokn refuses, and writes the octets of its database all the same, which are encrypted.
    const bool given = written > 0 && (rv == CKR_OK || begins_with_secret(value));
    cleanse(value);
    note("C_GetAttributeValue", secret.name + after, rv, given ? ProbeOutcome::leaked : outcome_of(rv),
         given && rv != CKR_OK ? "the token wrote it all the same"
         : given               ? "octets came out"
                               : "");
  }

  bool begins_with_secret(ByteView octets) const {
    const std::size_t whole = (bits_of(public_key_) + 7) / 8;
    const auto is_secret = [&](std::size_t size) { return is_secret_of(public_key_, octets.first(size)); };
    return is_secret(whole) || (family_of(public_key_) == KeyFamily::rsa && is_secret(whole / 2));
  }

  // What the token says of the two attributes; nothing when it does not.
  std::optional<bool> is_protected(CK_OBJECT_HANDLE key) {
    CK_BBOOL extractable = CK_TRUE;
    CK_BBOOL sensitive = CK_FALSE;
    CK_ATTRIBUTE attributes[] = {{CKA_EXTRACTABLE, &extractable, sizeof extractable},
                                 {CKA_SENSITIVE, &sensitive, sizeof sensitive}};
    if (session_.ck().C_GetAttributeValue(session_.handle(), key, attributes, 2) != CKR_OK) return std::nullopt;
    return extractable == CK_FALSE && sensitive != CK_FALSE;
  }

  // After CKR_OK. The attributes alone would again be the token's word, so the key is asked for once more.
  void note_success(const std::string& call, const std::string& detail, CK_OBJECT_HANDLE key, const char* of_what) {
    const std::optional<bool> kept = is_protected(key);
    if (!kept) {
      note(call, detail, CKR_OK, ProbeOutcome::failed, "its attributes cannot be read afterwards");
    } else if (*kept) {
      note(call, detail, CKR_OK, ProbeOutcome::unchanged);
    } else {
      note(call, detail, CKR_OK, ProbeOutcome::leaked, "the token now lets it out");
    }
    take_out(key, std::string(" ") + of_what + " " + call + " " + detail);
  }

  void set(CK_OBJECT_HANDLE key, const Upgrade& upgrade) {
    Template attributes;
    upgrade.add_to(attributes);
    const CK_RV rv = [&] {
      const ObjectGate::Making making(session_.gate(), session_.deadline());
      return session_.ck().C_SetAttributeValue(session_.handle(), key, attributes.data(), attributes.size());
    }();
    if (rv == CKR_OK) {
      note_success("C_SetAttributeValue", upgrade.name, key, "after");
    } else {
      note("C_SetAttributeValue", upgrade.name, rv, outcome_of(rv));
    }
  }

  void copy(CK_OBJECT_HANDLE key, const Upgrade& upgrade, bool token_object) {
    // An id of its own, so that it can be found and destroyed if this goes wrong half-way.
    const std::shared_ptr<KeyObject> object = token_.objects().of(probe_key_id(system_now_millis()));
    Template attributes;
    upgrade.add_to(attributes);
    attributes.add(CKA_ID, object->id().bytes()).add(CKA_LABEL, kProbeLabel);
    if (!token_object) attributes.add(CKA_TOKEN, false);
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    object->expect_new();
    const CK_RV rv = [&] {
      const ObjectGate::Making making(session_.gate(), session_.deadline());
      return session_.ck().C_CopyObject(session_.handle(), key, attributes.data(), attributes.size(), &made);
    }();
    if (rv != CKR_OK) {
      note("C_CopyObject", upgrade.name, rv, outcome_of(rv));
      if (!changed_nothing(rv) && token_object) token_.orphans().add(object, Orphans::Made::perhaps);
      return;
    }
    const Copy copied(session_, token_, object, made);
    note_success("C_CopyObject", upgrade.name, made, "of the copy by");
  }

  // Destroys it, whatever happens.
  class Copy {
   public:
    Copy(Session& session, TokenImpl& token, std::shared_ptr<KeyObject> object, CK_OBJECT_HANDLE handle)
        : session_(session), token_(token), object_(std::move(object)) {
      object_->set(handle, session.epoch());
    }
    ~Copy() {
      token_.orphans().add(object_, Orphans::Made::surely);
      try {
        token_.orphans().destroy_all(session_);
      } catch (const CkFailure& failure) {
        session_.failed(failure.rv());
        token_.sweep();
      }
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

   private:
    Session& session_;
    TokenImpl& token_;
    const std::shared_ptr<KeyObject> object_;
  };

  Session& session_;
  TokenImpl& token_;
  const KeyAlgorithm algorithm_;
  const PublicKey& public_key_;
  WrappingTrial wrapping_;
  const std::stop_token stop_;
  std::vector<ProbeAttempt> attempts_;
};

}  // namespace

std::vector<ProbeAttempt> probe_in_session(Session& session, TokenImpl& token, KeyObject& object,
                                           KeyAlgorithm algorithm, const PublicKey& public_key,
                                           const SoftwareRsaKey& rsa, const std::stop_token& stop) {
  const std::optional<CK_OBJECT_HANDLE> key = object.find(session);
  if (!key) throw no_such_key(object.id());
  // Whatever the attempts leave in the session goes with it.
  session.poison();
  return Attempts(session, token, algorithm, public_key, rsa, stop).run(*key);
}

}  // namespace hsmsigner::hsm
