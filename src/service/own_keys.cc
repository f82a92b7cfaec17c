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

report::KeyAnswer answer_of(const TokenSet& tokens, const Uuid& id, const PublicKey& key, Deadline deadline) {
  report::KeyAnswer answer = answer_of(tokens.for_service(), id, key, deadline);
  for (const ServiceToken& each : tokens.all()) {
    if (answer != report::KeyAnswer::absent) break;
    if (!each.uses.service) answer = answer_of(each.token, id, key, deadline);
  }
  return answer;
}

std::set<KeyPlace> own_keys(const TokenSet& tokens, store::AccountStore& accounts, store::JournalStore& journal,
                            const std::vector<PlacedKey>& listed, Deadline deadline) {
  std::multimap<KeyPlace, const hsm::ListedKey*> by_place;
  for (const PlacedKey& each : listed) by_place.emplace(KeyPlace{each.token, each.key.id}, &each.key);
  std::set<KeyPlace> proven;
  const auto prove = [&](std::size_t token, const Uuid& uuid, const PublicKey& key) {
    const KeyPlace place{token, key_id(uuid)};
    if (by_place.count(place) != 1) return;
    const auto* const rsa = std::get_if<RsaPublicKey>(&key);
    const bool same = rsa != nullptr
                          ? by_place.find(place)->second->modulus == rsa->modulus
                          : answer_of(tokens.all()[token].token, uuid, key, deadline) == report::KeyAnswer::answers;
    if (same) proven.insert(place);
  };
  for (const store::AccessTokenKeyRecord& record : accounts.access_token_keys()) {
    prove(tokens.service_place(), record.id, RsaPublicKey{record.modulus, record.exponent});
  }
  for (const store::AuditKeyRecord& record : journal.audit_keys()) {
    const auto key = public_key_of(record);
    // Elsewhere too: what it signed is vouched for as long as it is there.
    for (std::size_t token = 0; key && token < tokens.all().size(); ++token) prove(token, record.id, *key);
  }
  return proven;
}

}  // namespace hsmsigner::service
