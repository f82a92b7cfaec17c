// A Signer whose key is OpenSSL's, in memory: what crypto/ and pki/ need of a token, without one.
#pragma once

#include <openssl/evp.h>

#include <functional>
#include <memory>

#include "base/algorithm.h"
#include "base/signer.h"

namespace test_support {

class SoftwareSigner : public hsmsigner::Signer {
 public:
  // Generates the key.
  explicit SoftwareSigner(hsmsigner::KeyAlgorithm algorithm);

  const hsmsigner::PublicKey& public_key() const noexcept override { return public_key_; }
  hsmsigner::Bytes sign(hsmsigner::Digest digest, hsmsigner::ByteView value, hsmsigner::Deadline deadline) override;

 private:
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  hsmsigner::PublicKey public_key_;
};

// Says the first signer's public key and returns what `answer` makes of the first signer's signature.
class LyingSigner : public hsmsigner::Signer {
 public:
  using Answer = std::function<hsmsigner::Bytes(hsmsigner::Bytes)>;
  LyingSigner(hsmsigner::Signer& honest, Answer answer) : honest_(honest), answer_(std::move(answer)) {}
  const hsmsigner::PublicKey& public_key() const noexcept override { return honest_.public_key(); }
  hsmsigner::Bytes sign(hsmsigner::Digest digest, hsmsigner::ByteView value, hsmsigner::Deadline deadline) override {
    return answer_(honest_.sign(digest, value, deadline));
  }

 private:
  hsmsigner::Signer& honest_;
  Answer answer_;
};

// Each algorithm's key is generated once per process.
SoftwareSigner& shared_signer(hsmsigner::KeyAlgorithm algorithm, int which = 0);

}  // namespace test_support
