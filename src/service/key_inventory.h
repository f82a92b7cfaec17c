// Compares the keys in the token with the records of certificates, for the compliance report. Private to this room.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/signer.h"
#include "hsm/token.h"
#include "report/model.h"
#include "service/token_set.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

// Where a key is.
struct KeyPlace {
  std::size_t token = 0;  // place in TokenSet::all()
  Bytes id;               // CKA_ID; may be any octets

  auto operator<=>(const KeyPlace&) const = default;
};

struct PlacedKey {
  std::size_t token = 0;
  hsm::ListedKey key;
};

// A key that can be asked to sign under its certificate.
struct ChallengeableKey {
  std::size_t token = 0;
  Uuid id;
  PublicKey public_key;
  std::string name;
  store::Container container;
};

class KeyInventory {
 public:
  // `service_keys` belong to the service itself. The tokens outlive this object.
  KeyInventory(const TokenSet& tokens, std::vector<PlacedKey> keys, std::set<KeyPlace> service_keys, UnixTime now);

  // Each record once; a second time is not counted.
  void add(const store::CertificateRecord& record);

  // What stands out after all records, and might be so only because something was made or deleted meanwhile.
  std::vector<KeyPlace> orphan_candidates() const;
  const std::vector<store::CertificateRecord>& missing_candidates() const noexcept { return missing_; }
  // Tells of one that was looked at again.
  void add_orphan(const KeyPlace& place);
  void add_missing(const store::CertificateRecord& record);
  void add_mismatch(const ChallengeableKey& key, const std::string& why);

  const std::vector<ChallengeableKey>& challengeable() const noexcept { return challengeable_; }
  std::size_t compared() const noexcept { return compared_; }
  report::Inventory& inventory() noexcept { return inventory_; }

 private:
  void compare(const store::CertificateRecord& record, const PlacedKey& placed);
  std::string in_token(std::size_t place) const;
  void judge_certificate(const store::CertificateRecord& record);

  const TokenSet& tokens_;
  const std::vector<PlacedKey> keys_;
  std::multimap<KeyPlace, const PlacedKey*> by_place_;
  const std::set<KeyPlace> service_keys_;
  const UnixTime now_;
  std::unordered_set<Uuid> seen_;
  std::set<KeyPlace> wanted_;  // those that a record names
  std::vector<store::CertificateRecord> missing_;
  std::vector<ChallengeableKey> challengeable_;
  std::size_t compared_ = 0;
  report::Inventory inventory_;
};

}  // namespace hsmsigner::service
