// An RSA key in memory that signs access tokens, and tokens of any content signed with it.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

#include "auth/access_token.h"

namespace test_support {

class RsaSigner : public hsmsigner::Signer {
 public:
  explicit RsaSigner(unsigned bits = 2048);

  const hsmsigner::PublicKey& public_key() const noexcept override { return public_key_; }
  hsmsigner::Bytes sign(hsmsigner::Digest digest, hsmsigner::ByteView value, hsmsigner::Deadline deadline) override;

  const hsmsigner::RsaPublicKey& rsa() const { return std::get<hsmsigner::RsaPublicKey>(public_key_); }
  std::string public_pem() const;

  unsigned signatures = 0;
  hsmsigner::Deadline last_deadline;

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  hsmsigner::PublicKey public_key_;
};

// Generated once per process.
RsaSigner& our_signer();
RsaSigner& strangers_signer();

inline constexpr const char* kOurKid = "6f1d2c3b-0000-4000-8000-0123456789ab";
// Knows our_signer() under kOurKid.
const hsmsigner::auth::FindKey& our_keys();

hsmsigner::ByteView octets_of(std::string_view text);
// RFC 7515 with this header and payload, whatever they are, and a signature that is right.
std::string forge(std::string_view header, std::string_view payload, RsaSigner& signer = our_signer());

}  // namespace test_support
