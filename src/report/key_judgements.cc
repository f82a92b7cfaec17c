#include <algorithm>

#include "report/judgements.h"

namespace hsmsigner::report {
namespace {

// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

// Why keys were not challenged, with how many each.
std::vector<std::string> reasons_of(const Challenges& challenges) {
  std::vector<std::string> reasons;
  const auto add = [&](std::size_t count, const std::string& why) {
    if (count > 0) reasons.push_back(number(count) + " " + why);
  };
  add(challenges.eligible - challenges.challenged, "not drawn for this report's sample");
  add(challenges.pending, "of signing requests without a certificate yet");
  add(challenges.missing, "missing in the token");
  add(challenges.ambiguous, "not singled out by an identifier");
  add(challenges.mismatching, "known to be another than the certificate's");
  add(challenges.gone, "deleted while this report was made");
  return reasons;
}

}  // namespace

Judgement key_attributes(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"keys_non_exportable", inventory.non_exportable},
                       {"keys_exportable", inventory.exportable.total()},
                       {"keys_weakened", inventory.weakened.total()}};
  if (inventory.with_key == 0) {
    judgement.evidence = {"No record here has a key in the token."};
    return judgement;
  }
  judgement.evidence = {
      "CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_EXTRACTABLE and CKA_NEVER_EXTRACTABLE were read from the token for "
      "each "
      "private key, not from the record.",
      counted(inventory.non_exportable, "key is", "keys are") + " sensitive and not extractable; " +
          counted(inventory.exportable.total(), "key is", "keys are") + " exportable; " +
          counted(inventory.weakened.total(), "key", "keys") +
          " recorded as not exportable, or reported as sensitive no more, contradict their record."};
  judgement.verdict = inventory.weakened.total() > 0     ? Verdict::fail
                      : inventory.exportable.total() > 0 ? Verdict::attention
                                                         : Verdict::pass;
  return judgement;
}

Judgement token_keeps_keys(const Facts& facts) {
  Judgement judgement;
  const std::vector<ProbedToken> tokens = all_tokens(facts);
  if (std::ranges::any_of(tokens, [](const ProbedToken& each) { return !each.probe; })) {
    judgement.verdict = Verdict::attention;
    judgement.evidence = {std::string(tokens.size() == 1 ? "The token was not" : "Not every token was") +
                          " probed for this report. What it says of a key is not proof that it keeps the key."};
    return judgement;
  }
  std::uint64_t tried = 0, given = 0, unprobed = 0;
  std::vector<std::string> probed, notes;
  for (const auto& [token, probe] : tokens) {
    const std::string whose = tokens.size() == 1 ? "" : "token " + token.label + ": ";
    tried += static_cast<std::uint64_t>(std::ranges::count(probe->attempts, true, &ProbeAttempt::tried));
    given += static_cast<std::uint64_t>(std::ranges::count(probe->attempts, true, &ProbeAttempt::given_away));
    for (const std::string& algorithm : probe->algorithms) {
      if (std::ranges::find(probed, algorithm) == probed.end()) probed.push_back(algorithm);
    }
    std::vector<std::string> left_out;
    for (const std::string& algorithm : token.key_algorithms) {
      if (std::ranges::find(probe->algorithms, algorithm) == probe->algorithms.end()) left_out.push_back(algorithm);
    }
    unprobed += left_out.size();
    if (!left_out.empty()) {
      notes.push_back("The token " + (tokens.size() == 1 ? "" : token.label + " ") + "holds keys of " +
                      listed(left_out) + " for this service, and no such key was probed.");
    }
    for (const std::string& reason : probe->reasons) notes.push_back("To note: " + whose + reason);
  }
  const auto any = [&](ProbeOutcome outcome) {
    return std::ranges::any_of(tokens, [outcome](const ProbedToken& each) { return each.probe->outcome == outcome; });
  };
  judgement.figures = {{"algorithms_probed", probed.size()},
                       {"algorithms_not_probed", unprobed},
                       {"attempts", tried},
                       {"given_away", given}};
  judgement.evidence = {"Throwaway keys" + (probed.empty() ? "" : " of " + listed(probed)) +
                            " were made with the attributes of a blocked key, and " +
                            (tokens.size() == 1 ? "the token was" : "each token was") + " asked to give them away: " +
                            counted(tried, "attempt", "attempts") + ", " + number(given) + " successful.",
                        "The probe was made at " + date_time(facts.probe->at) + "."};
  judgement.evidence.insert(judgement.evidence.end(), notes.begin(), notes.end());
  judgement.verdict = given > 0 || any(ProbeOutcome::gives_keys_out)
                          ? Verdict::fail
                          : attention_if(any(ProbeOutcome::inconclusive) || unprobed > 0);
  return judgement;
}

Judgement validated_module(const Facts& facts) {
  Judgement judgement;
  const bool softhsm =
      std::ranges::any_of(all_tokens(facts), [](const ProbedToken& each) { return each.token.is_softhsm; });
  judgement.verdict = softhsm ? Verdict::fail : Verdict::attention;
  judgement.evidence = {
      softhsm
          ? "The token is SoftHSM, a program. It is not a validated module: whoever reads its files and knows the PIN "
            "has the keys."
          : "What the token says of itself is below. Whether this model and firmware hold a certificate is not told by "
            "PKCS#11: look them up in the validation lists."};
  return judgement;
}

Judgement key_for_each_certificate(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"records_with_key", inventory.with_key},
                       {"missing", inventory.missing.total()},
                       {"duplicates", inventory.duplicates.total()},
                       {"mismatches", inventory.mismatches.total()}};
  if (inventory.with_key == 0 && inventory.duplicates.total() == 0) {
    judgement.evidence = {"No record here has a key in the token."};
    return judgement;
  }
  judgement.evidence = {counted(inventory.with_key, "record", "records") +
                        " should have a key in the token: " + number(inventory.missing.total()) + " missing, " +
                        number(inventory.duplicates.total()) + " identifiers that several objects share, " +
                        number(inventory.mismatches.total()) + " that differ from their record or certificate."};
  judgement.verdict =
      fail_if(inventory.missing.total() + inventory.duplicates.total() + inventory.mismatches.total() > 0);
  return judgement;
}

Judgement possession(const Facts& facts) {
  Judgement judgement;
  if (!facts.challenges) {
    judgement.verdict = Verdict::attention;
    judgement.evidence = {"No key was challenged for this report."};
    return judgement;
  }
  const Challenges& challenges = *facts.challenges;
  const std::size_t failed = challenges.challenged - challenges.answered;
  const std::size_t unasked = facts.inventory.with_key - challenges.challenged;
  const std::vector<std::string> reasons = reasons_of(challenges);
  judgement.figures = {{"eligible", challenges.eligible},
                       {"challenged", challenges.challenged},
                       {"answered", challenges.answered},
                       {"not_challenged", unasked}};
  const std::string not_asked = counted(unasked, "key was", "keys were") + " not challenged" +
                                (reasons.empty() ? "." : ": " + listed(reasons) + ".");
  // A signing request has no certificate yet: nothing is left open with it.
  const bool left_open = unasked > challenges.pending + challenges.gone;
  if (challenges.eligible == 0) {
    judgement.evidence = {"There is no key to challenge."};
    if (unasked > 0) judgement.evidence.push_back(not_asked);
    if (left_open) judgement.verdict = Verdict::attention;
    return judgement;
  }
  judgement.evidence = {"Of " + counted(challenges.eligible, "key", "keys") + ", " + number(challenges.challenged) +
                            " signed 32 fresh octets of the token's generator; " + number(challenges.answered) +
                            " of the signatures verify under the certificate's public key, " + number(failed) +
                            " do not.",
                        not_asked,
                        "The modulus of " + counted(challenges.compared, "RSA key", "RSA keys") +
                            " in the token is the one in the certificate."};
  judgement.verdict = failed > 0 ? Verdict::fail : attention_if(left_open);
  return judgement;
}

Judgement keys_without_purpose(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"private_keys_in_token", inventory.token_private_keys},
                       {"of_the_service", inventory.service_keys},
                       {"orphans", inventory.orphans.total()}};
  if (inventory.token_private_keys == 0) {
    judgement.evidence = {"There is no private key in the token."};
    return judgement;
  }
  judgement.evidence = {counted(inventory.token_private_keys, "private key is", "private keys are") +
                        " in the token: " + number(inventory.service_keys) + " of the service itself, " +
                        number(inventory.orphans.total()) + " that belong to nothing here."};
  judgement.verdict = attention_if(inventory.orphans.total() > 0);
  return judgement;
}

Judgement key_strength(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"weak", inventory.weak.total()}, {"not_judged", inventory.unjudged.total()}};
  if (inventory.certificates == 0) {
    judgement.evidence = {"There is no certificate."};
    return judgement;
  }
  judgement.evidence = {counted(inventory.weak.total(), "unexpired certificate has", "unexpired certificates have") +
                        " a key of fewer than 112 bits of strength (RSA below 2048 bits), whether it is here or not."};
  if (inventory.unjudged.total() > 0) {
    judgement.evidence.push_back("Of " +
                                 counted(inventory.unjudged.total(), "other the key is", "others the keys are") +
                                 " of a kind whose strength this service cannot tell.");
  }
  judgement.verdict = inventory.weak.total() > 0 ? Verdict::fail : attention_if(inventory.unjudged.total() > 0);
  return judgement;
}

Judgement key_origin(const Facts& facts) {
  const Inventory& inventory = facts.inventory;
  Judgement judgement;
  judgement.figures = {{"imported", inventory.imported.total()}};
  if (inventory.with_key == 0) {
    judgement.evidence = {"No record here has a key in the token."};
    return judgement;
  }
  if (inventory.imported.total() == 0) {
    judgement.evidence = {"CKA_LOCAL is true for every key that was found: all were made in the token."};
  } else {
    judgement.evidence = {counted(inventory.imported.total(), "key was", "keys were") +
                          " not made in the token (CKA_LOCAL is false): copies may exist elsewhere."};
  }
  judgement.verdict = attention_if(inventory.imported.total() > 0);
  return judgement;
}

}  // namespace hsmsigner::report
