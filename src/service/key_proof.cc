#include "service/key_proof.h"

#include "crypto/digest.h"
#include "crypto/signature.h"
#include "service/certificate_facts.h"

namespace hsmsigner::service {
namespace {

constexpr Digest kDigest = Digest::sha256;
constexpr std::string_view kPurpose = "hsm-signer: proof that a key of the pool is in the token\n";

}  // namespace

Bytes proof_digest() {
  Bytes text(kPurpose.begin(), kPurpose.end());
  for (int i = 0; i < 2; ++i) {
    const Uuid random = Uuid::random();
    text.insert(text.end(), random.bytes().begin(), random.bytes().end());
  }
  return crypto::hash(kDigest, text);
}

std::optional<std::string> prove(hsm::Token& token, StockKey& key, Deadline deadline) {
  const KeyClass& key_class = key.record.key_class;
  const hsm::KeyDescription description = token.describe(key.record.id, deadline);
  if (auto reason =
          hsm::why_not_as_asked({key.record.id, key_class.algorithm, key_class.block_export}, description.attributes)) {
    return reason;
  }
  const Bytes digest = proof_digest();
  if (!crypto::verifies(key.key->public_key(), kDigest, digest, key.key->sign(kDigest, digest, deadline))) {
    return "the public key on record is another one's";
  }
  key.record.key = key_record(description.attributes, token.info());
  return std::nullopt;
}

}  // namespace hsmsigner::service
