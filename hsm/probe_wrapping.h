// One key, wrapped by every mechanism that a token offers for wrapping: does it come out?
#pragma once

#include <p11-kit/pkcs11.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/signer.h"
#include "hsm/probe.h"
#include "hsm/probe_agreement.h"
#include "hsm/probe_proof.h"
#include "hsm/session.h"

namespace hsmsigner::hsm {

// What a call that brought nothing out says: refused or failed; CKR_OK is unchanged.
ProbeOutcome outcome_of(CK_RV rv) noexcept;

struct WrapFinding {
  std::string mechanism;  // "CKM_AES_KEY_WRAP_PAD"
  CK_RV rv = CKR_OK;      // of C_WrapKey; of the call that was to make the wrapping key where that failed
  ProbeOutcome outcome = ProbeOutcome::not_tried;
  std::string remark;
  bool proven = false;  // see ProbeAttempt
};

// Makes the wrapping keys it needs as session objects, once, and destroys them. An AES key's value and the RSA key's
// private half are known here, so that what comes out is opened where that is easy: an AES key is made with a known
// value, else (as all others) by the token. Of the EC pair the private half is known here too.
class WrappingTrial {
 public:
  // `target` is the public half of the keys to wrap. Both references outlive this.
  WrappingTrial(Session& session, const PublicKey& target, const SoftwareRsaKey& rsa);
  ~WrappingTrial();
  WrappingTrial(const WrappingTrial&) = delete;
  WrappingTrial& operator=(const WrappingTrial&) = delete;

  // In the order in which the token lists its mechanisms. Throws CkFailure when it does not list them.
  std::vector<WrapFinding> all(CK_OBJECT_HANDLE key);

 private:
  enum class KeyKind { aes, des, des3, rsa, ec };
  enum class Parameter { none, iv8, iv16, ctr, gcm, oaep, rsa_aes, ecdh_aes, ecdh_aes_sha256 };
  struct Way;
  static const Way kWays[];

  struct WrappingKey {
    CK_RV rv = CKR_OK;  // of the call that made it
    const char* made_by = "";
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    Secret value;  // AES; empty when the token keeps it
  };

  const WrappingKey& key_of(KeyKind kind);
  WrappingKey make_aes();
  WrappingKey make_symmetric(CK_KEY_TYPE type, CK_MECHANISM_TYPE generate, CK_ULONG size);
  WrappingKey make_rsa();
  WrappingKey make_ec();
  WrapFinding wrap(const Way& way, CK_OBJECT_HANDLE key);
  // What came out, where it can be opened here.
  std::optional<Secret> open(const Way& way, const WrappingKey& with, ByteView iv, ByteView wrapped) const;
  // Sets `remark` and `proven`.
  void judge(WrapFinding& found, const Way& way, const WrappingKey& with, ByteView iv, ByteView wrapped) const;

  Session& session_;
  const PublicKey& target_;
  const SoftwareRsaKey& rsa_;
  const SoftwareEcKey ec_;
  std::map<KeyKind, WrappingKey> keys_;
};

}  // namespace hsmsigner::hsm
