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
#include "store/certificate_record.h"

namespace hsmsigner::service {

// A key that can be asked to sign under its certificate.
struct ChallengeableKey {
  Uuid id;
  PublicKey public_key;
  std::string name;
  store::Container container;
};

class KeyInventory {
 public:
  // `service_keys`: CKA_IDs that belong to the service itself (own_keys.h).
  KeyInventory(std::vector<hsm::ListedKey> keys, std::set<Bytes> service_keys, UnixTime now);

  // Each record once; a second time is not counted.
  void add(const store::CertificateRecord& record);

  // What stands out after all records, and might be so only because something was made or deleted meanwhile.
  std::vector<Bytes> orphan_candidates() const;
  const std::vector<store::CertificateRecord>& missing_candidates() const noexcept { return missing_; }
  // Tells of one that was looked at again.
  void add_orphan(const Bytes& id);
  void add_missing(const store::CertificateRecord& record);
  void add_mismatch(const ChallengeableKey& key, const std::string& why);

  const std::vector<ChallengeableKey>& challengeable() const noexcept { return challengeable_; }
  std::size_t compared() const noexcept { return compared_; }
  // What was counted of those that are not challengeable; `missing` and `gone` are not known yet.
  const report::Challenges& not_challengeable() const noexcept { return not_challengeable_; }
  report::Inventory& inventory() noexcept { return inventory_; }

 private:
  // `certified`: the certificate's key; none: pending, or it cannot be told. True when the key is as it should be.
  bool compare(const store::CertificateRecord& record, const std::optional<PublicKey>& certified,
               const hsm::ListedKey& key);
  void note_algorithm(const hsm::ListedKey& key);
  void judge_certificate(const store::CertificateRecord& record, const std::optional<PublicKey>& certified);

  const std::vector<hsm::ListedKey> keys_;
  std::multimap<Bytes, const hsm::ListedKey*> by_id_;
  const std::set<Bytes> service_keys_;
  const UnixTime now_;
  std::unordered_set<Uuid> seen_;
  std::set<Bytes> wanted_;  // CKA_IDs that a record names
  std::vector<store::CertificateRecord> missing_;
  std::vector<ChallengeableKey> challengeable_;
  std::size_t compared_ = 0;
  report::Challenges not_challengeable_;
  report::Inventory inventory_;
};

}  // namespace hsmsigner::service
