// The probe: a token that keeps its keys, tokens that lie in each way, and what is left in them afterwards.
#include "hsm/probe.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "faulty_token.h"
#include "hsm/probe_label.h"
#include "probe_table.h"

using namespace hsm_faults;

namespace {

constexpr std::array kOneOfEachFamily = {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048};
constexpr std::array kP256 = {KeyAlgorithm::ec_p256};

// A token that makes blocked keys which it can give out, and says of them what NSS softokn says.
const std::string kMadeExtractable =
    "C_GenerateKeyPair set=extractable:true\n"
    "C_GetAttributeValue report=extractable:false\n"
    "C_GetAttributeValue report=never_extractable:true\n";
const std::string kMadeReadable =
    "C_GenerateKeyPair set=sensitive:false\n"
    "C_GetAttributeValue report=sensitive:true\n"
    "C_GetAttributeValue report=always_sensitive:true\n";

std::vector<ProbeAttempt> with_outcome(const ProbeResult& result, ProbeOutcome outcome) {
  std::vector<ProbeAttempt> found;
  for (const AlgorithmProbe& probe : result.algorithms) {
    std::ranges::copy_if(probe.attempts, std::back_inserter(found),
                         [&](const ProbeAttempt& attempt) { return attempt.outcome == outcome; });
  }
  return found;
}

bool has(const std::vector<ProbeAttempt>& attempts, const std::string& text) {
  return std::ranges::any_of(
      attempts, [&](const ProbeAttempt& attempt) { return sentence(attempt).find(text) != std::string::npos; });
}

std::string all_of(const ProbeResult& result) {
  std::string text(to_string(result.verdict()));
  for (const AlgorithmProbe& probe : result.algorithms) {
    text += "\n" + std::string(info(probe.algorithm).name) + ": " + probe.reason + probe.mismatch;
    for (const ProbeAttempt& attempt : probe.attempts) text += "\n  " + sentence(attempt);
  }
  return text;
}

}  // namespace

TEST_CASE("SoftHSM 2.6.1 refuses every attempt of the probe, each for the right reason") {
  const FaultyToken token;
  const auto opened = token.open();
  const ProbeResult result = opened->probe(kOneOfEachFamily, soon());
  INFO(all_of(result));
  REQUIRE(result.algorithms.size() == 2);
  hsm_contract::write_rows(opened->info(), result);
  CHECK(result.verdict() == ProbeVerdict::keeps_keys);
  std::map<std::string, std::size_t> calls;
  for (const AlgorithmProbe& probe : result.algorithms) {
    CHECK(probe.verdict == ProbeVerdict::keeps_keys);
    CHECK(probe.reason.empty());
    CHECK(probe.mismatch.empty());
    for (const ProbeAttempt& attempt : probe.attempts) {
      CAPTURE(sentence(attempt));
      CHECK(attempt.algorithm == probe.algorithm);
      CHECK(attempt.outcome == ProbeOutcome::refused);
      ++calls[attempt.call];
      if (attempt.call == "C_GetAttributeValue") CHECK(attempt.code == 0x11);
      if (attempt.call == "C_SetAttributeValue" || attempt.call == "C_CopyObject") CHECK(attempt.code == 0x10);
      const bool des = attempt.detail.find("DES") != std::string::npos;  // listed for wrapping, and not taken
      if (attempt.call == "C_WrapKey" && !des) CHECK(attempt.code == 0x6a);
    }
  }
  CHECK(calls["C_GetAttributeValue"] == 1 + 6);
  CHECK(calls["C_WrapKey"] >= 2 * 5);
  CHECK(calls["C_SetAttributeValue"] == 2 * 2);
  CHECK(calls["C_CopyObject"] == 2 * 3);
  CHECK(token.keys() == 0);
}

TEST_CASE("a token that says never extractable and wraps the key out does not keep its keys") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan(kMadeExtractable);
  const ProbeResult result = opened->probe(kOneOfEachFamily, soon());
  INFO(all_of(result));
  CHECK(result.verdict() == ProbeVerdict::gives_keys_out);
  const auto leaks = with_outcome(result, ProbeOutcome::leaked);
  CHECK(has(leaks, "C_WrapKey CKM_AES_KEY_WRAP_PAD: CKR_OK (LEAKED)"));
  CHECK(has(leaks, "open to the private key itself, which signs"));
  CHECK_FALSE(has(leaks, "open, but not to this key"));
  for (const AlgorithmProbe& probe : result.algorithms) {
    CHECK(probe.verdict == ProbeVerdict::gives_keys_out);
    CHECK_MESSAGE(probe.mismatch == "", "its attributes alone do not tell");
    const auto pad = std::ranges::find(probe.attempts, "CKM_AES_KEY_WRAP_PAD", &ProbeAttempt::detail);
    REQUIRE(pad != probe.attempts.end());
    CHECK(pad->remark.find("the private key itself") != std::string::npos);
  }
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE(
    "a key that comes out by a wrap composed of RSA or ECDH and AES is opened, and one that does not is refused") {
  const FaultyToken token;
  const auto opened = token.open();
  std::string offers;
  for (const char* mechanism : {"CKM_RSA_AES_KEY_WRAP", "CKM_ECDH_AES_KEY_WRAP", "CKM_VENDOR_DEFINED"}) {
    for (const char* function : {"C_GetMechanismList", "C_GetMechanismInfo", "C_WrapKey"}) {
      offers += std::string(function) + " offer=" + mechanism + "\n";
    }
  }
  token.faults.plan(offers);
  ProbeResult result = opened->probe(kOneOfEachFamily, soon());
  CHECK_MESSAGE(result.verdict() == ProbeVerdict::keeps_keys, all_of(result));
  const auto refused = with_outcome(result, ProbeOutcome::refused);
  CHECK_MESSAGE(has(refused, "CKM_RSA_AES_KEY_WRAP: CKR_KEY_UNEXTRACTABLE"), all_of(result));
  CHECK_MESSAGE(has(refused, "CKM_ECDH_AES_KEY_WRAP with CKD_NULL: CKR_KEY_UNEXTRACTABLE"), all_of(result));
  CHECK(has(refused, "CKM_ECDH_AES_KEY_WRAP with CKD_SHA256_KDF: CKR_MECHANISM_PARAM_INVALID"));
  CHECK((wrappings_not_tried(result) == std::vector<std::string>{"mechanism 0x80000000"}));

  token.faults.plan(offers + kMadeExtractable);
  result = opened->probe(kOneOfEachFamily, soon());
  INFO(all_of(result));
  for (const AlgorithmProbe& probe : result.algorithms) {
    for (const char* mechanism : {"CKM_RSA_AES_KEY_WRAP", "CKM_ECDH_AES_KEY_WRAP with CKD_NULL"}) {
      CAPTURE(mechanism);
      const auto attempt = std::ranges::find(probe.attempts, mechanism, &ProbeAttempt::detail);
      REQUIRE(attempt != probe.attempts.end());
      CHECK(attempt->outcome == ProbeOutcome::leaked);
      CHECK(attempt->proven);
    }
  }
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("a token that says sensitive and lets the key be read does not keep its keys") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan(kMadeExtractable + kMadeReadable);
  const ProbeResult result = opened->probe(kOneOfEachFamily, soon());
  INFO(all_of(result));
  const auto leaks = with_outcome(result, ProbeOutcome::leaked);
  for (const char* attribute : {"CKA_VALUE", "CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_PRIME_2", "CKA_EXPONENT_1",
                                "CKA_EXPONENT_2", "CKA_COEFFICIENT"}) {
    CAPTURE(attribute);
    CHECK(has(leaks, std::string("C_GetAttributeValue ") + attribute + ": CKR_OK (LEAKED)"));
  }
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("a C_SetAttributeValue that unlocks the key is a leak, and one that says so and does nothing is none") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_SetAttributeValue rv=CKR_OK\n");
  ProbeResult result = opened->probe(kP256, soon());
  CHECK_MESSAGE(result.verdict() == ProbeVerdict::keeps_keys, all_of(result));
  CHECK(with_outcome(result, ProbeOutcome::unchanged).size() == 2);
  // The word of the token is not taken for it: the key is asked for again.
  CHECK_MESSAGE(has(with_outcome(result, ProbeOutcome::refused),
                    "CKM_AES_KEY_WRAP_PAD after C_SetAttributeValue CKA_EXTRACTABLE true: CKR_KEY_UNEXTRACTABLE"),
                all_of(result));
  for (const char* lie : {"extractable:true", "sensitive:false"}) {
    CAPTURE(lie);
    token.faults.plan(std::string("C_SetAttributeValue rv=CKR_OK\nC_GetAttributeValue report=") + lie +
                      " since=C_SetAttributeValue\n");
    result = opened->probe(kP256, soon());
    CHECK_MESSAGE(result.verdict() == ProbeVerdict::gives_keys_out, all_of(result));
    CHECK(has(with_outcome(result, ProbeOutcome::leaked), "C_SetAttributeValue CKA_EXTRACTABLE true: CKR_OK"));
  }
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("a copy that is unlocked is a leak, one that is not is none, and neither stays") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_CopyObject drop=extractable\n");
  ProbeResult result = opened->probe(kP256, soon());
  CHECK_MESSAGE(result.verdict() == ProbeVerdict::keeps_keys, all_of(result));
  CHECK(has(with_outcome(result, ProbeOutcome::unchanged), "C_CopyObject CKA_EXTRACTABLE true: CKR_OK"));
  CHECK_MESSAGE(has(with_outcome(result, ProbeOutcome::refused),
                    "CKM_AES_KEY_WRAP_PAD of the copy by C_CopyObject CKA_EXTRACTABLE true: CKR_KEY_UNEXTRACTABLE"),
                all_of(result));
  token.faults.plan("");
  CHECK(token.keys() == 0);
  token.faults.plan("C_CopyObject drop=extractable\nC_GetAttributeValue report=extractable:true since=C_CopyObject\n");
  result = opened->probe(kP256, soon());
  CHECK_MESSAGE(result.verdict() == ProbeVerdict::gives_keys_out, all_of(result));
  CHECK(has(with_outcome(result, ProbeOutcome::leaked), "C_CopyObject CKA_EXTRACTABLE true: CKR_OK"));
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("what cannot be tried to its end is inconclusive, with the reason, and nothing stays") {
  const FaultyToken token;
  const auto opened = token.open();
  struct Row {
    const char* plan;
    const char* reason;
  };
  const Row rows[] = {
      {"C_GenerateKeyPair rv=CKR_TEMPLATE_INCONSISTENT", "C_GenerateKeyPair: CKR_TEMPLATE_INCONSISTENT"},
      {"C_GetAttributeValue rv=CKR_DEVICE_ERROR skip=3", "C_GetAttributeValue CKA_VALUE: CKR_DEVICE_ERROR (failed)"},
      {"C_WrapKey rv=CKR_DEVICE_ERROR", "CKR_DEVICE_ERROR (failed)"},
      {"C_WrapKey rv=CKR_SESSION_HANDLE_INVALID skip=1", "CKR_SESSION_HANDLE_INVALID (failed)"},
      {"C_WrapKey rv=CKR_MECHANISM_PARAM_INVALID", "no refusal of C_WrapKey is about the key"},
      {"C_SetAttributeValue rv=CKR_GENERAL_ERROR", "C_SetAttributeValue CKA_EXTRACTABLE true: CKR_GENERAL_ERROR"},
      {"C_CopyObject rv=CKR_DEVICE_REMOVED", "C_CopyObject CKA_EXTRACTABLE true: CKR_DEVICE_REMOVED"},
      {"C_CopyObject drop=extractable rv=CKR_DEVICE_ERROR after",
       "C_CopyObject CKA_EXTRACTABLE true: CKR_DEVICE_ERROR"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.plan);
    token.faults.plan(row.plan);
    const ProbeResult result = opened->probe(kP256, soon());
    REQUIRE(result.algorithms.size() == 1);
    CHECK_MESSAGE(result.verdict() == ProbeVerdict::inconclusive, all_of(result));
    CHECK_MESSAGE(result.algorithms[0].reason.find(row.reason) != std::string::npos, all_of(result));
    token.faults.plan("");
    // What was left behind is swept on the way of the next key.
    FaultyToken::generate(*opened);
    CHECK(token.comes_to(0));
  }
}

TEST_CASE("one algorithm that leaks outweighs one that is inconclusive, and none at all is inconclusive") {
  const FaultyToken token;
  const auto opened = token.open();
  CHECK(opened->probe({}, soon()).verdict() == ProbeVerdict::inconclusive);
  token.faults.plan("C_GenerateKeyPair rv=CKR_FUNCTION_FAILED times=1\n" + kMadeExtractable);
  const ProbeResult result = opened->probe(kOneOfEachFamily, soon());
  INFO(all_of(result));
  CHECK(std::ranges::count(result.algorithms, ProbeVerdict::inconclusive, &AlgorithmProbe::verdict) == 1);
  CHECK(result.verdict() == ProbeVerdict::gives_keys_out);
  token.faults.plan("");
  CHECK(token.comes_to(0));
}

TEST_CASE("a copy that the token does not destroy at once is destroyed later") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_CopyObject drop=extractable\nC_DestroyObject rv=CKR_DEVICE_ERROR since=C_CopyObject times=3\n");
  opened->probe(kP256, soon());
  CHECK(token.comes_to(0));
  token.faults.plan("");
}

TEST_CASE("a probe destroys the keys of probes that did not end, and no other key") {
  const FaultyToken token;
  const auto opened = token.open();
  const auto make = [&](const Uuid& id, const std::string& label) {
    opened->generate({id, KeyAlgorithm::ec_p256, true, label}, soon()).keep();
    return id;
  };
  const UnixMillis now = system_now_millis();
  const std::string label(kProbeLabel);
  const Uuid old = make(probe_key_id(now - std::chrono::minutes(11)), label);
  const Uuid young = make(probe_key_id(now - std::chrono::minutes(9)), label);
  const Uuid other = make(probe_key_id(now - std::chrono::minutes(11)), "");
  const Uuid timeless = make(Uuid::random(), label);
  CHECK(time_of(young) == now - std::chrono::minutes(9));
  CHECK_FALSE(time_of(timeless).has_value());
  CHECK(opened->probe(kP256, soon()).verdict() == ProbeVerdict::keeps_keys);
  CHECK_THROWS(opened->attributes(old, soon()));
  for (const Uuid& id : {young, other, timeless}) CHECK_NOTHROW(opened->attributes(id, soon()));
  CHECK(token.keys() == 3);
}

TEST_CASE("a probe that is asked to stop makes no further attempt, and its key does not stay") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_WrapKey delay_ms=200\n");
  std::stop_source stop;
  std::thread later([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop.request_stop();
  });
  const ProbeResult result = opened->probe(kOneOfEachFamily, soon(), stop.get_token());
  later.join();
  REQUIRE(result.algorithms.size() == 2);
  for (const AlgorithmProbe& probe : result.algorithms) {
    CHECK(probe.verdict == ProbeVerdict::inconclusive);
    CHECK(probe.reason == "interrupted");
  }
  token.faults.plan("");
  CHECK(token.keys() == 0);
}

TEST_CASE("a probe that is out of time says so, and its key does not stay") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_WrapKey delay_ms=700\n");
  const ProbeResult result = opened->probe(kP256, deadline_in(milliseconds(600)));
  CHECK(result.verdict() == ProbeVerdict::inconclusive);
  CHECK_MESSAGE(result.algorithms.at(0).reason.find("in time") != std::string::npos, all_of(result));
  token.faults.plan("");
  CHECK(token.comes_to(0));
}
