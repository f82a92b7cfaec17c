// What a token does with a key that it must not give out. Attributes read back are the token's word for it, and not all
// tokens keep their word: here a throwaway key, made with the template of a certificate's key, is asked for in every
// way that PKCS#11 2.40 knows (docs/TOKEN-PROBE.md). Values only; Token::probe() makes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/algorithm.h"

namespace hsmsigner::hsm {

enum class ProbeOutcome {
  refused,    // the token said no
  unchanged,  // the token said CKR_OK, but nothing came out and the key is as protected as before
  leaked,     // the key or a part of it came out, or a key or copy is no longer protected
  failed,     // the call failed in a way that says nothing of the key (CKR_DEVICE_ERROR, a lost session)
  not_tried,  // there was no way to try
};
std::string_view to_string(ProbeOutcome outcome) noexcept;

struct ProbeAttempt {
  KeyAlgorithm algorithm;
  std::string call;        // "C_WrapKey"
  std::string detail;      // what it was tried with: "CKM_AES_KEY_WRAP_PAD", "CKA_EXTRACTABLE true"
  unsigned long code = 0;  // CK_RV of the call
  std::string code_name;   // "CKR_KEY_UNEXTRACTABLE"
  ProbeOutcome outcome = ProbeOutcome::not_tried;
  std::string remark;   // what came out, or why it was not tried; "": nothing to say
  bool proven = false;  // of a leak: what came out was opened, and signs as the key does
};

enum class ProbeVerdict { inconclusive, keeps_keys, gives_keys_out };
// "keeps its keys", "does not keep its keys", "inconclusive".
std::string_view to_string(ProbeVerdict verdict) noexcept;

// Of one throwaway key, which is destroyed.
struct AlgorithmProbe {
  KeyAlgorithm algorithm{};
  ProbeVerdict verdict = ProbeVerdict::inconclusive;
  std::string reason;  // why inconclusive, for the operator: it may hold a module's return codes. Else "".
  // An attribute that the token reports otherwise than the template said: the service issues no certificate for such
  // a key. Tried all the same. "": all as asked.
  std::string mismatch;
  std::vector<ProbeAttempt> attempts;
};

struct ProbeResult {
  std::vector<AlgorithmProbe> algorithms;

  // One key given out: gives_keys_out. Else one inconclusive, or none tried: inconclusive.
  ProbeVerdict verdict() const noexcept;
};

// Reading, wrapping, setting and copying must each have been tried to an end, and where the token offers wrapping, it
// must have refused it for the key's sake at least once: CKR_MECHANISM_PARAM_INVALID for all of them proves nothing.
// Sets `verdict` and `reason`.
void conclude(AlgorithmProbe& probe);

// "C_WrapKey CKM_AES_KEY_WRAP_PAD: CKR_OK (leaked)", for logs and events.
std::string sentence(const ProbeAttempt& attempt);
// What the token offers for wrapping and was not tried, each once: "CKM_DES_CBC", "mechanism 0x80000001".
std::vector<std::string> wrappings_not_tried(const ProbeResult& result);
// The attempts at one key by call, each return code once: "C_WrapKey CKR_KEY_UNEXTRACTABLE, C_CopyObject …".
std::string codes_of(const AlgorithmProbe& probe);

}  // namespace hsmsigner::hsm
