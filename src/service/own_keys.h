// Whether the service's own keys in the token are those on record, for the compliance report. Whoever can write the
// database can put a row there for any key: a row counts only as far as the token bears it out. Private to this room.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "hsm/token.h"
#include "report/model.h"
#include "store/account_store.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

// Nothing for a row that is no key: then it is nobody's.
std::optional<PublicKey> public_key_of(const store::AuditKeyRecord& record);

// Has the key of this id sign a challenge (key_challenges.h), which is verified under this public key. Throws as
// challenge().
report::KeyAnswer answer_of(hsm::Token& token, const Uuid& id, const PublicKey& key, Deadline deadline);

// CKA_IDs, among those listed, of the keys that sign access tokens, checkpoints and reports: where the one private key
// of that id is the one on record. RSA: by its modulus; EC: by a challenge. Throws as answer_of(), and as the stores
// do.
std::set<Bytes> own_key_ids(hsm::Token& token, store::AccountStore& accounts, store::JournalStore& journal,
                            const std::vector<hsm::ListedKey>& listed, Deadline deadline);

}  // namespace hsmsigner::service
