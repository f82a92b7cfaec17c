#include "service/key_inventory.h"

#include <algorithm>

#include "base/algorithm.h"
#include "base/error.h"
#include "pki/certificate.h"

namespace hsmsigner::service {
namespace {

using std::chrono::days;

// NIST SP 800-57 part 1, table 2: what 112 bits of strength take.
bool is_weak(const PublicKey& key) { return bits_of(key) < (family_of(key) == KeyFamily::rsa ? 2048U : 224U); }

std::string key_name(std::string_view type, unsigned bits) {
  return (type == "RSA" ? "RSA-" : "P-") + std::to_string(bits);
}

// Nothing for a certificate that cannot be read, or a key of another kind than RSA and the curves known here.
std::optional<PublicKey> certified_key(const store::CertificateRecord& record) {
  try {
    return pki::Certificate::from_pem(record.certificate_pem).public_key();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object) throw;
    return std::nullopt;
  }
}

report::Finding finding(const store::CertificateRecord& record, std::string detail) {
  return {record.id.to_string(), record.name, record.container.to_string(), std::move(detail)};
}

std::string as_words(bool value) { return value ? "true" : "false"; }

// The first attribute that is not as the record says; "" when all are. Extractable and sensitive are told by
// themselves.
std::string first_difference(const store::KeyRecord& record, const hsm::KeyAttributes& attributes) {
  struct Row {
    const char* name;
    bool recorded, reported;
  };
  for (const Row& row :
       {Row{"CKA_ALWAYS_SENSITIVE", record.always_sensitive, attributes.always_sensitive},
        Row{"CKA_NEVER_EXTRACTABLE", record.never_extractable, attributes.never_extractable},
        Row{"CKA_LOCAL", record.local, attributes.local}, Row{"CKA_PRIVATE", true, attributes.is_private},
        Row{"CKA_SIGN", true, attributes.sign}, Row{"CKA_DECRYPT", false, attributes.decrypt},
        Row{"CKA_UNWRAP", false, attributes.unwrap}, Row{"CKA_DERIVE", false, attributes.derive}}) {
    if (row.recorded == row.reported) continue;
    return std::string("the record demands ") + row.name + " to be " + as_words(row.recorded) + ", the token reports " +
           as_words(row.reported);
  }
  const std::string recorded = key_name(record.type, record.bits);
  const std::string reported = key_name(to_string(attributes.family), attributes.bits);
  return recorded == reported ? "" : "the record says " + recorded + ", the token reports " + reported;
}

std::string describe(const hsm::ListedKey& key) {
  if (!key.attributes) return "neither RSA nor EC, or the token does not tell all of its attributes";
  return key_name(to_string(key.attributes->family), key.attributes->bits) +
         (key.attributes->extractable ? ", exportable" : ", not exportable") +
         (key.attributes->local ? ", made in the token" : ", imported");
}

}  // namespace

KeyInventory::KeyInventory(const TokenSet& tokens, std::vector<PlacedKey> keys, std::set<KeyPlace> service_keys,
                           UnixTime now)
    : tokens_(tokens),
      keys_(std::move(keys)),
      service_keys_(std::move(service_keys)),
      now_(now),
      key_algorithms_(tokens.all().size()) {
  for (const PlacedKey& each : keys_) by_place_.emplace(KeyPlace{each.token, each.key.id}, &each);
  inventory_.token_private_keys = keys_.size();
  for (auto at = by_place_.begin(); at != by_place_.end(); at = by_place_.upper_bound(at->first)) {
    const auto& [place, placed] = *at;
    const std::size_t count = by_place_.count(place);
    if (service_keys_.contains(place)) {
      inventory_.service_keys += count;
      note_algorithm(*placed);
    }
    if (count > 1) {
      inventory_.duplicates.add({to_hex(place.id), placed->key.label, "",
                                 std::to_string(count) + " private keys have this CKA_ID" + in_token(place.token)});
    }
  }
}

// The end of a sentence where there are several tokens.
std::string KeyInventory::in_token(std::size_t place) const {
  return tokens_.all().size() == 1 ? "" : ", in the token " + name_of(tokens_.all()[place].token.info());
}

void KeyInventory::add(const store::CertificateRecord& record) {
  if (!seen_.insert(record.id).second) return;
  std::optional<PublicKey> certified;
  if (record.pending()) {
    ++inventory_.pending;
  } else {
    certified = certified_key(record);
    judge_certificate(record, certified);
  }
  if (!record.key) return;
  ++inventory_.with_key;
  const std::optional<Bytes> id = from_hex(record.key->id);
  if (!id) {
    inventory_.mismatches.add(finding(record, "the record's CKA_ID is not hexadecimal"));
    ++not_challengeable_.mismatching;
    return;
  }
  const std::optional<std::size_t> token = tokens_.place_of(*record.key);
  if (!token) {
    inventory_.missing.add(finding(record, "the token " + token_name(*record.key) + " is not configured"));
    return;
  }
  const KeyPlace place{*token, *id};
  wanted_.insert(place);
  const auto [first, last] = by_place_.equal_range(place);
  if (first == last) {
    missing_.push_back(record);
    return;
  }
  bool sound = true;
  for (auto at = first; at != last; ++at) sound = compare(record, certified, *at->second) && sound;
  // One of several of the same id could not be told from the others.
  const auto uuid = Uuid::from_bytes(*id);
  if (!uuid || first->second->key.found == nullptr) {
    ++not_challengeable_.ambiguous;
  } else if (!sound) {
    ++not_challengeable_.mismatching;
  } else if (record.pending()) {
    ++not_challengeable_.pending;
  } else {
    challengeable_.push_back({place.token, *uuid, *std::move(certified), record.name, record.container});
  }
}

void KeyInventory::judge_certificate(const store::CertificateRecord& record,
                                     const std::optional<PublicKey>& certified) {
  ++inventory_.certificates;
  if (record.certificate_authority) ++inventory_.authorities;
  if (!record.key) ++inventory_.without_key;
  const std::string expires = "expires " + date_time(record.not_after);
  if (record.not_after < now_) {
    inventory_.expired.add(finding(record, "expired " + date_time(record.not_after)));
    return;
  }
  if (record.not_after <= now_ + days(30)) {
    inventory_.expiring_30.add(finding(record, expires));
  } else if (record.not_after <= now_ + days(60)) {
    inventory_.expiring_60.add(finding(record, expires));
  } else if (record.not_after <= now_ + days(90)) {
    inventory_.expiring_90.add(finding(record, expires));
  }
  // The certificate's own word: whether its key is here does not matter to who relies on it.
  if (!certified) {
    inventory_.unjudged.add(finding(record, "the certificate's key is neither RSA nor of a curve that is known here"));
  } else if (is_weak(*certified)) {
    inventory_.weak.add(finding(record, key_name(to_string(family_of(*certified)), bits_of(*certified))));
  }
  const auto digest = digest_from_name(record.digest);
  if (digest && info(*digest).weak) inventory_.weak_digests.add(finding(record, "signed with " + record.digest));
}

void KeyInventory::note_algorithm(const PlacedKey& placed) {
  const hsm::ListedKey& key = placed.key;
  if (!key.attributes) return;
  key_algorithms_[placed.token].insert(key_name(to_string(key.attributes->family), key.attributes->bits));
}

bool KeyInventory::compare(const store::CertificateRecord& record, const std::optional<PublicKey>& certified,
                           const PlacedKey& placed) {
  const hsm::ListedKey& key = placed.key;
  if (!key.attributes) {
    inventory_.mismatches.add(finding(record, "the token does not tell all attributes of the key"));
    return false;
  }
  note_algorithm(placed);
  const hsm::KeyAttributes& attributes = *key.attributes;
  if (attributes.sensitive && !attributes.extractable) ++inventory_.non_exportable;
  if (attributes.extractable && record.key->extractable) {
    inventory_.exportable.add(finding(record, "CKA_EXTRACTABLE is true"));
  }
  if (attributes.extractable && !record.key->extractable) {
    inventory_.weakened.add(finding(record, "recorded as not extractable; the token reports CKA_EXTRACTABLE true"));
  } else if (!attributes.sensitive && record.key->sensitive) {
    inventory_.weakened.add(finding(record, "recorded as sensitive; the token reports CKA_SENSITIVE false"));
  }
  if (!attributes.local) inventory_.imported.add(finding(record, "CKA_LOCAL is false"));
  if (const std::string difference = first_difference(*record.key, attributes); !difference.empty()) {
    inventory_.mismatches.add(finding(record, difference));
    return false;
  }
  if (record.pending()) return true;
  if (!certified) {
    inventory_.mismatches.add(finding(record, "the recorded certificate, or its key, cannot be read"));
    return false;
  }
  if (const auto* const rsa = std::get_if<RsaPublicKey>(&*certified)) {
    if (rsa->modulus != key.modulus) {
      inventory_.mismatches.add(finding(record, "the modulus in the token is not the certificate's"));
      return false;
    }
    ++compared_;
  }
  return true;
}

std::vector<KeyPlace> KeyInventory::orphan_candidates() const {
  std::vector<KeyPlace> places;
  for (const auto& [place, key] : by_place_) {
    if (!wanted_.contains(place) && !service_keys_.contains(place) && (places.empty() || places.back() != place)) {
      places.push_back(place);
    }
  }
  return places;
}

void KeyInventory::add_orphan(const KeyPlace& place) {
  const auto [first, last] = by_place_.equal_range(place);
  for (auto at = first; at != last; ++at) {
    const hsm::ListedKey& key = at->second->key;
    inventory_.orphans.add({to_hex(place.id), key.label, "", describe(key) + in_token(place.token)});
  }
}

void KeyInventory::add_missing(const store::CertificateRecord& record) {
  const std::string where = tokens_.all().size() == 1 ? "the token" : "the token " + token_name(*record.key);
  inventory_.missing.add(finding(record, "no private key in " + where + " has this CKA_ID"));
}

void KeyInventory::add_mismatch(const ChallengeableKey& key, const std::string& why) {
  inventory_.mismatches.add({key.id.to_string(), key.name, key.container.to_string(), why});
}

}  // namespace hsmsigner::service
