// Whether the service's own keys in the tokens are those on record, for the compliance report. Whoever can write the
// database can put a row there for any key: a row counts only as far as the token bears it out. Private to this room.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "hsm/token.h"
#include "report/model.h"
#include "service/key_inventory.h"
#include "service/token_set.h"
#include "store/account_store.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Nothing for a row that is no key: then it is nobody's.
std::optional<PublicKey> public_key_of(const store::AuditKeyRecord& record);

// Has the key of this id sign a challenge (key_challenges.h), which is verified under this public key. Throws as
// challenge().
report::KeyAnswer answer_of(hsm::Token& token, const Uuid& id, const PublicKey& key, Deadline deadline);

// The same of the token that holds the service's own keys, and where that has none of this id, of the others: it may
// have been another one before.
report::KeyAnswer answer_of(const TokenSet& tokens, const Uuid& id, const PublicKey& key, Deadline deadline);

// Of the keys listed, those that sign checkpoints and reports, or did so, and in the token for the service's own keys
// those that sign access tokens: where the one private key of that id is the one on record. RSA: by its modulus; EC: by
// a challenge. Throws as answer_of(), and as the stores do.
std::set<KeyPlace> own_keys(const TokenSet& tokens, store::AccountStore& accounts, store::JournalStore& journal,
                            const std::vector<PlacedKey>& listed, Deadline deadline);

}  // namespace hsmsigner::service
