#include "service/own_keys.h"

#include <map>

#include "base/error.h"
#include "crypto/public_key_info.h"
#include "crypto/signature.h"
#include "service/key_challenges.h"

namespace hsmsigner::service {
namespace {

Bytes key_id(const Uuid& id) { return {id.bytes().begin(), id.bytes().end()}; }

}  // namespace

std::optional<PublicKey> public_key_of(const store::AuditKeyRecord& record) {
  try {
    return crypto::public_key_from_pem(record.public_key_pem);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
    return std::nullopt;
  }
}

report::KeyAnswer answer_of(hsm::Token& token, const Uuid& id, const PublicKey& key, Deadline deadline) {
  const Bytes digest = challenge_digest(token, deadline);
  try {
    const hsm::KeyExamination examined = token.examine(id, key, kChallengeDigest, digest, deadline);
    if (examined.private_keys == 0) return report::KeyAnswer::absent;
    return examined.signature && crypto::verifies(key, kChallengeDigest, digest, *examined.signature)
               ? report::KeyAnswer::answers
               : report::KeyAnswer::another;
  } catch (const Error& error) {
    if (!is_fault_of_key(error, deadline)) throw;
    return report::KeyAnswer::another;
  }
}

std::set<Bytes> own_key_ids(hsm::Token& token, store::AccountStore& accounts, store::JournalStore& journal,
                            const std::vector<hsm::ListedKey>& listed, Deadline deadline) {
  std::multimap<Bytes, const hsm::ListedKey*> by_id;
  for (const hsm::ListedKey& key : listed) by_id.emplace(key.id, &key);
  std::set<Bytes> proven;
  const auto prove = [&](const Uuid& uuid, const PublicKey& key) {
    const Bytes id = key_id(uuid);
    if (by_id.count(id) != 1) return;
    const auto* const rsa = std::get_if<RsaPublicKey>(&key);
    const bool same = rsa != nullptr ? by_id.find(id)->second->modulus == rsa->modulus
                                     : answer_of(token, uuid, key, deadline) == report::KeyAnswer::answers;
    if (same) proven.insert(id);
  };
  for (const store::AccessTokenKeyRecord& record : accounts.access_token_keys()) {
    prove(record.id, RsaPublicKey{record.modulus, record.exponent});
  }
  for (const store::AuditKeyRecord& record : journal.audit_keys()) {
    if (const auto key = public_key_of(record)) prove(record.id, *key);
  }
  return proven;
}

}  // namespace hsmsigner::service
