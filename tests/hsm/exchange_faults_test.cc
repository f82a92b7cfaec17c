// What becomes of keys on their way into the token and out of it when the token fails or lies.
#include <doctest/doctest.h>

#include <string>

#include "faulty_token.h"
#include "session_objects.h"
#include "software_key.h"

using namespace hsm_faults;
using hsm_contract::count_session_objects;
using hsm_contract::public_key_der;
using hsm_contract::software_ec_key;
using hsm_contract::software_rsa_key;

namespace {

using SoftwareKey = std::shared_ptr<const PrivateKey>;

GeneratedKey import(Token& token, const SoftwareKey& key, bool block = true) {
  return token.import_key({Uuid::random(), block}, key, soon());
}

// After failures in a row a token is left alone for a moment; the next key brings about what was put off meanwhile.
bool is_taken_up_again(Token& token, const SoftwareKey& key) {
  for (int i = 0; i < 200; ++i) {
    try {
      import(token, key);
      return true;
    } catch (const Error&) {
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
  return false;
}

// A token that cannot unwrap: its keys are created.
const std::string kNoWrapping = "C_GetMechanismInfo rv=CKR_MECHANISM_INVALID mechanism=CKM_AES_KEY_WRAP_PAD\n";

}  // namespace

TEST_CASE("an imported key other than asked: an error that names the attribute, and no key stays") {
  const FaultyToken token;
  const SoftwareKey rsa = software_rsa_key(1024);
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  struct Row {
    const char* attribute;
    const char* lie;
    bool block;
    const char* named;
  };
  const Row rows[] = {
      {"local", "true", true, "CKA_LOCAL"},
      {"local", "true", false, "CKA_LOCAL"},
      {"extractable", "true", true, "CKA_EXTRACTABLE"},
      {"extractable", "false", false, "CKA_EXTRACTABLE"},
      {"sensitive", "false", true, "CKA_SENSITIVE"},
      {"sensitive", "false", false, "CKA_SENSITIVE"},
      {"token", "false", true, "CKA_TOKEN"},
      {"private", "false", true, "CKA_PRIVATE"},
      {"sign", "false", true, "CKA_SIGN"},
      {"decrypt", "true", true, "CKA_DECRYPT"},
      {"unwrap", "true", true, "CKA_UNWRAP"},
      {"derive", "true", true, "CKA_DERIVE"},
  };
  const auto opened = token.open();
  for (const Row& row : rows) {
    for (const SoftwareKey& key : {rsa, ec}) {
      CAPTURE(row.attribute);
      CAPTURE(row.block);
      token.faults.plan("C_GetAttributeValue report=" + std::string(row.attribute) + ":" + row.lie);
      const Told told = told_by([&] { import(*opened, key, row.block); });
      CHECK(told.kind == ErrorKind::internal_error);
      CHECK_MESSAGE(says(told, row.named), told.text);
      token.faults.plan("");
      CHECK(token.keys() == 0);
    }
  }
  CHECK(count_session_objects(token.options()) == 0);
}

TEST_CASE("what a token says of an imported key's past is reported and not judged") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  for (const std::string attribute : {"always_sensitive", "never_extractable"}) {
    CAPTURE(attribute);
    token.faults.plan("C_GetAttributeValue report=" + attribute + ":true");
    const KeyAttributes told = import(*opened, ec).attributes();
    CHECK(told.always_sensitive == (attribute == "always_sensitive"));
    CHECK(told.never_extractable == (attribute == "never_extractable"));
  }
}

TEST_CASE("a token that does not unwrap keys as asked gets them from their parts, and is not asked again") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  token.faults.plan("C_GetAttributeValue report=sensitive:false times=1");
  {
    const GeneratedKey key = import(*opened, ec);
    CHECK(token.keys() == 1);  // not the one that was unwrapped as well
    CHECK(key.attributes().sensitive);
    CHECK_FALSE(FaultyToken::sign(key).empty());
  }
  const GeneratedKey second = import(*opened, ec);
  CHECK(token.keys() == 1);
  CHECK(token.faults.calls("C_UnwrapKey") == 1);
  CHECK(token.faults.calls("C_CreateObject") == 3);  // the session AES key, and two keys
  CHECK(count_session_objects(token.options()) == 0);
}

TEST_CASE("a key unwrapped other than asked that cannot be destroyed is not brought in twice") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  // The first call destroys the session AES key.
  token.faults.plan(
      "C_GetAttributeValue report=sensitive:false times=1\nC_DestroyObject rv=CKR_FUNCTION_FAILED skip=1");
  told_by([&] { import(*opened, ec); });
  CHECK(token.keys() == 1);
  CHECK(token.faults.calls("C_CreateObject") == 1);
  token.faults.plan("");
  { const GeneratedKey other = import(*opened, ec); }
  CHECK(token.comes_to(0));
}

TEST_CASE("a key that may have been created after one was unwrapped other than asked does not stay") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  // The first C_CreateObject makes the session AES key.
  token.faults.plan(
      "C_GetAttributeValue report=sensitive:false times=1\n"
      "C_CreateObject rv=CKR_DEVICE_ERROR after skip=1 times=1");
  told_by([&] { import(*opened, ec); });
  CHECK(token.faults.calls("C_UnwrapKey") == 1);
  CHECK(token.faults.calls("C_CreateObject") == 2);
  token.faults.plan("");
  CHECK(is_taken_up_again(*opened, ec));
  CHECK(token.comes_to(0));
}

TEST_CASE("whether a token unwraps keys as asked is remembered for blocked keys and for others by themselves") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  token.faults.plan("C_GetAttributeValue report=extractable:true times=1");
  import(*opened, ec, true);
  CHECK(token.faults.calls("C_UnwrapKey") == 1);
  import(*opened, ec, true);
  CHECK(token.faults.calls("C_UnwrapKey") == 1);
  import(*opened, ec, false);
  import(*opened, ec, false);
  CHECK(token.faults.calls("C_UnwrapKey") == 3);
}

TEST_CASE("a token that refuses to unwrap a key gets it from its parts") {
  const FaultyToken token;
  const auto opened = token.open();
  const SoftwareKey rsa = software_rsa_key(1024);
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p384);
  for (const std::string rv : {"CKR_MECHANISM_INVALID", "CKR_MECHANISM_PARAM_INVALID", "CKR_FUNCTION_NOT_SUPPORTED",
                               "CKR_TEMPLATE_INCONSISTENT", "CKR_TEMPLATE_INCOMPLETE", "CKR_ATTRIBUTE_READ_ONLY",
                               "CKR_ATTRIBUTE_VALUE_INVALID", "CKR_WRAPPED_KEY_INVALID", "CKR_WRAPPED_KEY_LEN_RANGE",
                               "CKR_UNWRAPPING_KEY_SIZE_RANGE", "CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT"}) {
    CAPTURE(rv);
    token.faults.plan("C_UnwrapKey rv=" + rv);
    for (const SoftwareKey& software : {rsa, ec}) {
      const GeneratedKey key = import(*opened, software, false);
      CHECK(key.attributes().sensitive);
      CHECK(key.attributes().extractable);
      CHECK_FALSE(FaultyToken::sign(key).empty());
      CHECK(public_key_der(opened->export_key(key.key()->id(), soon())) == public_key_der(software->public_key()));
    }
  }
  CHECK(token.keys() == 0);
  CHECK(count_session_objects(token.options()) == 0);
}

TEST_CASE("a token that takes no session AES key gets the key from its parts, and exports none") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_CreateObject rv=CKR_ATTRIBUTE_SENSITIVE times=1");
  const GeneratedKey key = import(*opened, software_rsa_key(1024), false);
  CHECK(token.faults.calls("C_UnwrapKey") == 0);
  CHECK(token.keys() == 1);
  token.faults.plan("C_CreateObject rv=CKR_ATTRIBUTE_SENSITIVE");
  CHECK(told_by([&] { opened->export_key(key.key()->id(), soon()); }).kind == ErrorKind::token_unavailable);
}

TEST_CASE("a token without a wrapping mechanism takes keys from their parts, and exports none") {
  const FaultyToken token;
  token.faults.plan(kNoWrapping);
  const auto opened = token.open();
  const GeneratedKey key = import(*opened, software_ec_key(KeyAlgorithm::ec_p256), false);
  CHECK(token.keys() == 1);
  CHECK(token.faults.calls("C_UnwrapKey") == 0);
  const Told told = told_by([&] { opened->export_key(key.key()->id(), soon()); });
  CHECK(told.kind == ErrorKind::token_unavailable);
  CHECK_MESSAGE(says(told, "cannot wrap keys"), told.text);
  CHECK(token.faults.calls("C_WrapKey") == 0);
}

TEST_CASE("an import of which nobody knows whether it was done: told, not tried again, and no key stays") {
  const FaultyToken token;
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  struct Way {
    std::string at_open;
    std::string call;
  };
  for (const Way& way : {Way{"", "C_UnwrapKey"}, Way{kNoWrapping, "C_CreateObject"}}) {
    token.faults.plan(way.at_open);
    const auto opened = token.open();
    for (const std::string rv : {"CKR_DEVICE_ERROR", "CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED", "CKR_DEVICE_REMOVED",
                                 "CKR_SESSION_CLOSED", "CKR_HOST_MEMORY", "CKR_DEVICE_MEMORY"}) {
      for (const std::string when : {" after", ""}) {
        CAPTURE(way.call);
        CAPTURE(rv);
        CAPTURE(when);
        token.faults.plan(way.call + " rv=" + rv + when + " times=1");
        const std::size_t calls = token.faults.calls(way.call);
        told_by([&] { import(*opened, ec); });
        CHECK(token.faults.calls(way.call) == calls + 1);
        token.faults.plan("");
        CHECK(is_taken_up_again(*opened, ec));
        CHECK(token.comes_to(0));
      }
    }
    CHECK(count_session_objects(token.options()) == 0);
  }
}

TEST_CASE("an import into a session that was lost before is tried once more, and makes one key") {
  const FaultyToken token;
  const auto opened = token.open();
  for (const std::string rv : {"CKR_SESSION_HANDLE_INVALID", "CKR_USER_NOT_LOGGED_IN", "CKR_TOKEN_NOT_PRESENT",
                               "CKR_OPERATION_ACTIVE", "CKR_UNWRAPPING_KEY_HANDLE_INVALID"}) {
    CAPTURE(rv);
    token.faults.plan("C_UnwrapKey rv=" + rv + " times=1");
    const std::size_t calls = token.faults.calls("C_UnwrapKey");
    const GeneratedKey key = import(*opened, software_ec_key(KeyAlgorithm::ec_p256));
    CHECK(token.faults.calls("C_UnwrapKey") == calls + 2);
    CHECK(token.keys() == 1);
  }
}

TEST_CASE("a key that the token does not take is the caller's fault, and told by its kind") {
  const FaultyToken token;
  SUBCASE("its mechanism says so") {
    token.faults.plan("C_GetMechanismInfo largest=1024 mechanism=CKM_RSA_PKCS");
    const auto opened = token.open();
    const Told told = told_by([&] { import(*opened, software_rsa_key(2048)); });
    CHECK(told.kind == ErrorKind::invalid_object);
    CHECK_MESSAGE(says(told, "key_file: the token does not take RSA keys of 2048 bits"), told.text);
    CHECK(token.faults.calls("C_UnwrapKey") + token.faults.calls("C_CreateObject") == 0);
    CHECK(FaultyToken::sign(import(*opened, software_rsa_key(1024))).size() == 128);
  }
  SUBCASE("its answer says so") {
    const auto opened = token.open();
    for (const std::string rv : {"CKR_CURVE_NOT_SUPPORTED", "CKR_DOMAIN_PARAMS_INVALID", "CKR_KEY_SIZE_RANGE"}) {
      CAPTURE(rv);
      // The first C_CreateObject makes the session AES key.
      token.faults.plan("C_UnwrapKey rv=" + rv + "\nC_CreateObject rv=CKR_TEMPLATE_INCONSISTENT skip=1");
      const Told told = told_by([&] { import(*opened, software_ec_key(KeyAlgorithm::ec_p521)); });
      CHECK(told.kind == ErrorKind::invalid_object);
      CHECK_MESSAGE(says(told, "key_file: the token does not take EC keys on P-521"), told.text);
    }
    CHECK(token.keys() == 0);
  }
  SUBCASE("a refusal that has nothing to do with the key is not") {
    const auto opened = token.open();
    token.faults.plan("C_UnwrapKey rv=CKR_MECHANISM_INVALID\nC_CreateObject rv=CKR_TEMPLATE_INCONSISTENT skip=1");
    CHECK(told_by([&] { import(*opened, software_rsa_key(1024)); }).kind == ErrorKind::internal_error);
  }
}

TEST_CASE("an imported key must sign as its public key demands, else it does not stay") {
  const FaultyToken token;
  const auto opened = token.open();
  SUBCASE("a signature that is none") {
    for (const SoftwareKey& software : {software_rsa_key(1024), software_ec_key(KeyAlgorithm::ec_p256)}) {
      token.faults.plan("C_Sign flip");
      const Told told = told_by([&] { import(*opened, software); });
      CHECK(told.kind == ErrorKind::internal_error);
      CHECK_MESSAGE(says(told, "does not sign as its public key demands"), told.text);
    }
  }
  SUBCASE("a private key that belongs to another public key") {
    const SoftwareKey one = software_ec_key(KeyAlgorithm::ec_p256);
    const SoftwareKey other = software_ec_key(KeyAlgorithm::ec_p256);
    EcPrivateKey parts{std::get<EcPrivateKey>(other->parts).public_key,
                       std::get<EcPrivateKey>(one->parts).value.clone()};
    const auto mixed = std::make_shared<PrivateKey>(PrivateKey{one->pkcs8.clone(), std::move(parts)});
    CHECK(told_by([&] { import(*opened, mixed); }).kind == ErrorKind::internal_error);
  }
  SUBCASE("a token that does not sign") {
    token.faults.plan("C_SignInit rv=CKR_KEY_FUNCTION_NOT_PERMITTED");
    CHECK(told_by([&] { import(*opened, software_rsa_key(1024)); }).kind == ErrorKind::internal_error);
  }
  token.faults.plan("");
  CHECK(token.comes_to(0));
}

TEST_CASE("a session AES key that cannot be destroyed goes with its session") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey exportable = FaultyToken::generate(*opened, KeyAlgorithm::ec_p256, false);
  const auto closed = [&] { return token.faults.calls("C_CloseSession"); };
  for (const std::string rv : {"CKR_FUNCTION_FAILED", "CKR_DEVICE_ERROR", "CKR_SESSION_HANDLE_INVALID"}) {
    CAPTURE(rv);
    const std::size_t before = closed();
    token.faults.plan("C_DestroyObject rv=" + rv + " times=1");
    CHECK_FALSE(opened->export_key(exportable.key()->id(), soon()).empty());
    // A session that is said to be none may be another one's by now: it is not closed.
    if (rv != "CKR_SESSION_HANDLE_INVALID") {
      CHECK(closed() == before + 1);
      CHECK(count_session_objects(token.options()) == 0);
    }
  }
  const std::size_t before = closed();
  const std::size_t objects = count_session_objects(token.options());
  token.faults.plan("C_DestroyObject rv=CKR_FUNCTION_FAILED times=1");
  const GeneratedKey key = import(*opened, software_rsa_key(1024));
  CHECK(closed() > before);
  CHECK(count_session_objects(token.options()) == objects);
  CHECK(token.keys() == 2);
}

TEST_CASE("the token's refusals to wrap a key, each told as what it is") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened, KeyAlgorithm::rsa_1024, false);
  const auto answer = [&](const std::string& plan) {
    CAPTURE(plan);
    token.faults.plan(plan);
    return told_by([&] { opened->export_key(key.key()->id(), soon()); });
  };
  for (const std::string rv : {"CKR_KEY_UNEXTRACTABLE", "CKR_KEY_NOT_WRAPPABLE", "CKR_ATTRIBUTE_SENSITIVE"}) {
    const Told told = answer("C_WrapKey rv=" + rv);
    CHECK(told.kind == ErrorKind::private_key_export_blocked);
    CHECK_MESSAGE(says(told, "the token does not give this key out"), told.text);
  }
  for (const std::string rv : {"CKR_MECHANISM_INVALID", "CKR_FUNCTION_NOT_SUPPORTED", "CKR_WRAPPING_KEY_SIZE_RANGE",
                               "CKR_WRAPPING_KEY_TYPE_INCONSISTENT", "CKR_KEY_FUNCTION_NOT_PERMITTED"}) {
    const Told told = answer("C_WrapKey rv=" + rv);
    CHECK(told.kind == ErrorKind::token_unavailable);
    CHECK_MESSAGE(says(told, "cannot wrap keys"), told.text);
  }
  CHECK(answer("C_WrapKey rv=CKR_FUNCTION_FAILED").kind == ErrorKind::internal_error);
  CHECK(answer("C_WrapKey flip").kind == ErrorKind::internal_error);  // RFC 5649 notices
  CHECK(count_session_objects(token.options()) == 0);
}

TEST_CASE("an export in a session that is lost, or by a handle that is stale, is tried once more") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened, KeyAlgorithm::ec_p256, false);
  for (const std::string rv :
       {"CKR_DEVICE_ERROR", "CKR_SESSION_HANDLE_INVALID", "CKR_USER_NOT_LOGGED_IN", "CKR_KEY_HANDLE_INVALID",
        "CKR_OBJECT_HANDLE_INVALID", "CKR_WRAPPING_KEY_HANDLE_INVALID"}) {
    CAPTURE(rv);
    token.faults.plan("C_WrapKey rv=" + rv + " times=1");
    CHECK(public_key_der(opened->export_key(key.key()->id(), soon())) == public_key_der(key.key()->public_key()));
  }
}

TEST_CASE("a key that is imported too late, or while the token is being closed, is destroyed") {
  const FaultyToken token;
  const SoftwareKey ec = software_ec_key(KeyAlgorithm::ec_p256);
  const auto late = [&](Token& opened) {
    token.faults.plan("C_UnwrapKey delay_ms=1000 times=1");
    const Told told = told_by([&] { opened.import_key({Uuid::random(), true}, ec, deadline_in(milliseconds(150))); });
    CHECK(told.kind == ErrorKind::session_timeout);
  };
  auto opened = token.open();
  late(*opened);
  std::this_thread::sleep_for(milliseconds(1000));
  CHECK(token.comes_to(0));
  late(*opened);
  opened.reset();
  CHECK(token.faults.calls("C_UnwrapKey") == 2);
  CHECK(token.keys() == 0);
}
