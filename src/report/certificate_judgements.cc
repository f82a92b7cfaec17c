#include "report/judgements.h"

namespace hsmsigner::report {

Judgement serial_numbers(const Facts& facts) {
  const Issuance& issuance = facts.issuance;
  Judgement judgement;
  judgement.figures = {{"issued_here", issuance.issued_here},
                       {"shortest_bits", issuance.shortest_serial_bits},
                       {"below_64_bits", issuance.short_serials.total()},
                       {"repeated", issuance.repeated_serials.total()}};
  if (issuance.issued_here == 0) {
    judgement.evidence = {"This service has issued no certificate."};
    return judgement;
  }
  judgement.evidence = {counted(issuance.issued_here, "certificate was", "certificates were") +
                            " issued here. The shortest serial number has " + number(issuance.shortest_serial_bits) +
                            " bits; " + number(issuance.short_serials.total()) + " have fewer than 64; " +
                            number(issuance.repeated_serials.total()) + " repeat one of the same issuer.",
                        "The service takes 159 bits from the token's generator (C_GenerateRandom). A number's length "
                        "alone does not prove "
                        "that."};
  judgement.verdict = fail_if(issuance.short_serials.total() + issuance.repeated_serials.total() > 0);
  return judgement;
}

Judgement validity(const Facts& facts) {
  const Issuance& issuance = facts.issuance;
  Judgement judgement;
  judgement.figures = {{"end_entities", issuance.end_entities}, {"beyond_limit", issuance.beyond_tls_limit.total()}};
  if (issuance.end_entities == 0) {
    judgement.evidence = {"This service has issued no certificate to an end entity."};
    return judgement;
  }
  judgement.evidence = {
      "Of " + counted(issuance.end_entities, "certificate", "certificates") + " for end entities, " +
          number(issuance.beyond_tls_limit.total()) +
          " are valid for longer than the limit of the day of their issue: 398 days, 200 from 2026-03-15, 100 from "
          "2027-03-15, 47 from 2029-03-15.",
      "The limit binds publicly trusted TLS certificates only. Which of these are meant to be, this service does not "
      "know."};
  judgement.verdict = attention_if(issuance.beyond_tls_limit.total() > 0);
  return judgement;
}

Judgement signature_digests(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"md5_or_sha1", inventory.weak_digests.total()}};
  if (inventory.certificates == 0) {
    judgement.evidence = {"There is no certificate."};
    return judgement;
  }
  judgement.evidence = {
      counted(inventory.weak_digests.total(), "unexpired certificate is", "unexpired certificates are") +
      " signed with MD5 or SHA-1."};
  judgement.verdict = fail_if(inventory.weak_digests.total() > 0);
  return judgement;
}

Judgement expiry(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"expired", inventory.expired.total()},
                       {"within_30_days", inventory.expiring_30.total()},
                       {"within_31_to_60_days", inventory.expiring_60.total()},
                       {"within_61_to_90_days", inventory.expiring_90.total()}};
  if (inventory.certificates == 0) {
    judgement.evidence = {"There is no certificate."};
    return judgement;
  }
  judgement.evidence = {counted(inventory.expiring_30.total(), "certificate expires", "certificates expire") +
                            " within 30 days, " + number(inventory.expiring_60.total()) + " within 31 to 60, " +
                            number(inventory.expiring_90.total()) + " within 61 to 90.",
                        counted(inventory.expired.total(), "certificate has", "certificates have") +
                            " expired and still have their record, and their key if there is one."};
  judgement.verdict = attention_if(inventory.expiring_30.total() + inventory.expired.total() > 0);
  return judgement;
}

}  // namespace hsmsigner::report
