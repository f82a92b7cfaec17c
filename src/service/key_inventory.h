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
  // `service_keys` belong to the service itself (own_keys.h). The tokens outlive this object.
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
  // "P-256": of the keys of records and of the service in that token, as it reports them.
  const std::set<std::string>& key_algorithms(std::size_t place) const { return key_algorithms_.at(place); }
  std::size_t compared() const noexcept { return compared_; }
  // What was counted of those that are not challengeable; `missing` and `gone` are not known yet.
  const report::Challenges& not_challengeable() const noexcept { return not_challengeable_; }
  report::Inventory& inventory() noexcept { return inventory_; }

 private:
  // `certified`: the certificate's key; none: pending, or it cannot be told. True when the key is as it should be.
  bool compare(const store::CertificateRecord& record, const std::optional<PublicKey>& certified,
               const PlacedKey& placed);
  std::string in_token(std::size_t place) const;
  void note_algorithm(const PlacedKey& placed);
  void judge_certificate(const store::CertificateRecord& record, const std::optional<PublicKey>& certified);

  const TokenSet& tokens_;
  const std::vector<PlacedKey> keys_;
  std::multimap<KeyPlace, const PlacedKey*> by_place_;
  const std::set<KeyPlace> service_keys_;
  const UnixTime now_;
  std::vector<std::set<std::string>> key_algorithms_;  // by the token's place
  std::unordered_set<Uuid> seen_;
  std::set<KeyPlace> wanted_;  // those that a record names
  std::vector<store::CertificateRecord> missing_;
  std::vector<ChallengeableKey> challengeable_;
  std::size_t compared_ = 0;
  report::Challenges not_challengeable_;
  report::Inventory inventory_;
};

}  // namespace hsmsigner::service
