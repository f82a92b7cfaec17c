// What this room does when the token fails or lies: the fault module in front of SoftHSM.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "faulty_token.h"

using namespace hsm_faults;

namespace {

// The keeper's session is gone too, so that a login is needed.
const std::string kAllSessionsLost =
    "C_SignInit rv=CKR_SESSION_HANDLE_INVALID\n"
    "C_GetSessionInfo rv=CKR_SESSION_HANDLE_INVALID\n";

// Whether a token that was left alone for a while is taken up again.
bool signs_again(const GeneratedKey& key) {
  for (int i = 0; i < 100; ++i) {
    std::this_thread::sleep_for(milliseconds(100));
    try {
      return !FaultyToken::sign(key).empty();
    } catch (const Error&) {
      continue;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("CKR_PIN_INCORRECT: told, and the PIN is not sent a second time") {
  const FaultyToken token;
  token.faults.plan("C_Login rv=CKR_PIN_INCORRECT");
  Told told = told_by([&] { token.open(); });
  CHECK(told.kind == ErrorKind::token_unavailable);
  CHECK_MESSAGE(says(told, "refused the PIN"), told.text);
  CHECK_MESSAGE(says(told, "CKR_PIN_INCORRECT"), told.text);
  CHECK(token.faults.calls("C_Login") == 1);
  token.faults.plan("");
  told = told_by([&] { token.open(); });
  CHECK_MESSAGE(says(told, "not sent again"), told.text);
  CHECK(token.faults.calls("C_Login") == 1);
}

TEST_CASE("CKR_PIN_LOCKED: told as what it is, and the PIN is not sent a second time") {
  const FaultyToken token;
  token.faults.plan("C_Login rv=CKR_PIN_LOCKED");
  const Told told = told_by([&] { token.open(); });
  CHECK(told.kind == ErrorKind::token_unavailable);
  CHECK_MESSAGE(says(told, "locked"), told.text);
  told_by([&] { token.open(); });
  CHECK(token.faults.calls("C_Login") == 1);
}

TEST_CASE("a token that has no better word for a wrong PIN than CKR_FUNCTION_FAILED gets it once") {
  const FaultyToken token;
  token.faults.plan("C_Login rv=CKR_FUNCTION_FAILED");
  for (int i = 0; i < 3; ++i) CHECK(told_by([&] { token.open(); }).kind == ErrorKind::token_unavailable);
  CHECK(token.faults.calls("C_Login") == 1);
}

TEST_CASE("a PIN that is locked or at its final try is not sent at all") {
  const FaultyToken token;
  for (const std::string flag : {"CKF_USER_PIN_LOCKED", "CKF_USER_PIN_FINAL_TRY"}) {
    CAPTURE(flag);
    token.faults.plan("C_GetTokenInfo flag=" + flag);
    const Told told = told_by([&] { token.open(); });
    CHECK(told.kind == ErrorKind::token_unavailable);
    CHECK_MESSAGE(says(told, flag == "CKF_USER_PIN_LOCKED" ? "locked" : "final try"), told.text);
  }
  CHECK(token.faults.calls("C_Login") == 0);
}

TEST_CASE("a PIN that stops being good while the token is lost is sent once") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan(kAllSessionsLost + "C_Login rv=CKR_PIN_INCORRECT");
  for (int i = 0; i < 5; ++i) {
    CHECK(told_by([&] { FaultyToken::sign(key); }).kind == ErrorKind::token_unavailable);
    std::this_thread::sleep_for(milliseconds(150));
  }
  CHECK(token.faults.calls("C_Login") == 2);  // the good one at first, and the one that was refused
  token.faults.plan("");
}

TEST_CASE("CKR_DEVICE_MEMORY: the token is full, and nothing stays of the attempt") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY");
  const Told told = told_by([&] { FaultyToken::generate(*opened); });
  CHECK(told.kind == ErrorKind::token_unavailable);
  CHECK_MESSAGE(says(told, "full"), told.text);
  token.faults.plan("");
  CHECK(token.keys() == 0);
  CHECK_FALSE(FaultyToken::sign(FaultyToken::generate(*opened)).empty());
}

TEST_CASE("CKR_SESSION_COUNT: the pool lives with the sessions it gets, and none at all is told") {
  const FaultyToken token;
  SUBCASE("three besides the keeper's") {
    token.faults.plan("C_OpenSession rv=CKR_SESSION_COUNT skip=4");
    const auto opened = token.open();
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    const GeneratedKey key = FaultyToken::generate(*opened);
    for (int i = 0; i < 12; ++i) {
      threads.emplace_back([&] { good += FaultyToken::sign(key).empty() ? 0 : 1; });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == 12);
  }
  SUBCASE("a token that says so beforehand is not asked for more") {
    token.faults.plan("C_GetTokenInfo sessions=3");
    const auto opened = token.open();
    CHECK(token.faults.calls("C_OpenSession") == 3);
    CHECK_FALSE(FaultyToken::sign(FaultyToken::generate(*opened)).empty());
  }
  SUBCASE("none") {
    token.faults.plan("C_OpenSession rv=CKR_SESSION_COUNT");
    const Told told = told_by([&] { token.open(); });
    CHECK(told.kind == ErrorKind::token_unavailable);
    CHECK_MESSAGE(says(told, "session"), told.text);
  }
  SUBCASE("none but the keeper's") {
    token.faults.plan("C_OpenSession rv=CKR_SESSION_COUNT skip=1");
    const Told told = told_by([&] { token.open(); });
    CHECK(told.kind == ErrorKind::token_unavailable);
    CHECK_MESSAGE(says(told, "session"), told.text);
  }
}

TEST_CASE("an attribute other than asked: an error that names it, and the key is destroyed") {
  const FaultyToken token;
  const auto opened = token.open();
  struct Row {
    const char* attribute;
    const char* lie;
    bool block;
    const char* named;
  };
  const Row rows[] = {
      {"extractable", "true", true, "CKA_EXTRACTABLE"},
      {"extractable", "false", false, "CKA_EXTRACTABLE"},
      {"never_extractable", "false", true, "CKA_NEVER_EXTRACTABLE"},
      {"never_extractable", "true", false, "CKA_NEVER_EXTRACTABLE"},
      {"sensitive", "false", true, "CKA_SENSITIVE"},
      {"sensitive", "false", false, "CKA_SENSITIVE"},
      {"always_sensitive", "false", true, "CKA_ALWAYS_SENSITIVE"},
      {"always_sensitive", "false", false, "CKA_ALWAYS_SENSITIVE"},
      {"local", "false", true, "CKA_LOCAL"},
      {"local", "false", false, "CKA_LOCAL"},
      {"token", "false", true, "CKA_TOKEN"},
      {"private", "false", true, "CKA_PRIVATE"},
      {"sign", "false", true, "CKA_SIGN"},
      {"decrypt", "true", true, "CKA_DECRYPT"},
      {"unwrap", "true", true, "CKA_UNWRAP"},
      {"derive", "true", true, "CKA_DERIVE"},
  };
  for (const Row& row : rows) {
    for (const KeyAlgorithm algorithm : {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_1024}) {
      CAPTURE(row.attribute);
      CAPTURE(row.block);
      token.faults.plan("C_GetAttributeValue report=" + std::string(row.attribute) + ":" + row.lie);
      const Told told = told_by([&] { FaultyToken::generate(*opened, algorithm, row.block); });
      CHECK(told.kind == ErrorKind::internal_error);
      CHECK_MESSAGE(says(told, row.named), told.text);
      token.faults.plan("");
      CHECK(token.keys() == 0);
    }
  }
}

TEST_CASE("a key that cannot be destroyed at once is destroyed when the token lets us") {
  const FaultyToken token;
  const auto opened = token.open();
  SUBCASE("the next generation brings it about") {
    token.faults.plan("C_GetAttributeValue report=local:false\nC_DestroyObject rv=CKR_FUNCTION_FAILED");
    told_by([&] { FaultyToken::generate(*opened); });
    CHECK(token.keys() == 1);
    token.faults.plan("");
    { const GeneratedKey other = FaultyToken::generate(*opened); }
    CHECK(token.comes_to(0));
  }
  SUBCASE("so does a request that fails after its key was made") {
    token.faults.plan("C_DestroyObject rv=CKR_FUNCTION_FAILED");
    { const GeneratedKey dropped = FaultyToken::generate(*opened); }
    CHECK(token.keys() == 1);
    token.faults.plan("");
    { const GeneratedKey other = FaultyToken::generate(*opened); }
    CHECK(token.comes_to(0));
  }
}

TEST_CASE("a key that was made before the connection broke is found and destroyed") {
  const FaultyToken token;
  const auto opened = token.open();
  for (const std::string rv : {"CKR_DEVICE_ERROR", "CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED", "CKR_DEVICE_REMOVED",
                               "CKR_SESSION_CLOSED", "CKR_HOST_MEMORY"}) {
    CAPTURE(rv);
    token.faults.plan("C_GenerateKeyPair rv=" + rv + " after times=1");
    const std::size_t calls = token.faults.calls("C_GenerateKeyPair");
    told_by([&] { FaultyToken::generate(*opened); });
    CHECK(token.faults.calls("C_GenerateKeyPair") == calls + 1);  // nobody knows, so it is not tried again
    CHECK(token.comes_to(0));
  }
}

TEST_CASE("a session that is lost: a signature is tried once more in a new one") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened);
  for (const std::string rv : {"CKR_GENERAL_ERROR", "CKR_DEVICE_ERROR", "CKR_DEVICE_REMOVED", "CKR_TOKEN_NOT_PRESENT",
                               "CKR_TOKEN_NOT_RECOGNIZED", "CKR_SESSION_HANDLE_INVALID", "CKR_SESSION_CLOSED",
                               "CKR_USER_NOT_LOGGED_IN", "CKR_CRYPTOKI_NOT_INITIALIZED", "CKR_OPERATION_ACTIVE",
                               "CKR_KEY_HANDLE_INVALID", "CKR_OBJECT_HANDLE_INVALID"}) {
    for (const std::string call : {"C_SignInit", "C_Sign"}) {
      CAPTURE(rv);
      CAPTURE(call);
      token.faults.plan(call + " rv=" + rv + " times=1");
      CHECK_FALSE(FaultyToken::sign(key).empty());
    }
  }
  // One after another, each of them mended: no reason to leave the token alone.
  token.faults.plan("");
  CHECK_FALSE(FaultyToken::sign(key).empty());
}

TEST_CASE("what stays wrong is told, then left alone for a while, then tried again") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_SignInit rv=CKR_DEVICE_ERROR");
  for (int i = 0; i < 100; ++i) {
    CHECK(told_by([&] { FaultyToken::sign(key); }).kind == ErrorKind::token_unavailable);
    std::this_thread::sleep_for(milliseconds(15));
  }
  CHECK(token.faults.calls("C_SignInit") < 100);  // of 200, with a second try for each
  token.faults.plan("");
  CHECK(signs_again(key));
}

TEST_CASE("a search that sees nothing because the login was lost is not believed") {
  const FaultyToken token;
  const auto opened = token.open();
  const Uuid id = Uuid::random();
  GeneratedKey key = opened->generate({id, KeyAlgorithm::ec_p256, true}, soon());
  key.keep();
  REQUIRE(token.keys() == 1);
  // As if another program had logged everybody out: SoftHSM then shows no private objects.
  token.faults.plan("C_FindObjectsInit rv=CKR_USER_NOT_LOGGED_IN times=1");
  CHECK(opened->attributes(id, soon()).never_extractable);
  token.faults.plan("");
  opened->destroy(id, soon());
  CHECK(token.keys() == 0);
}

TEST_CASE("a token that takes too long: the caller goes at its deadline, and what is made late is destroyed") {
  const FaultyToken token;
  const auto opened = token.open();
  SUBCASE("a signature") {
    const GeneratedKey key = FaultyToken::generate(*opened);
    token.faults.plan("C_Sign delay_ms=1500 times=1");
    const auto begin = std::chrono::steady_clock::now();
    const Told told = told_by([&] { FaultyToken::sign(key, deadline_in(milliseconds(200))); });
    CHECK(told.kind == ErrorKind::session_timeout);
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds(1200));
    CHECK_FALSE(FaultyToken::sign(key).empty());  // the other sessions go on
  }
  SUBCASE("a generation") {
    token.faults.plan("C_GenerateKeyPair delay_ms=1500 times=1");
    const Told told = told_by([&] {
      opened->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, deadline_in(milliseconds(200)));
    });
    CHECK(told.kind == ErrorKind::session_timeout);
    std::this_thread::sleep_for(milliseconds(1500));
    CHECK(token.comes_to(0));
  }
}

TEST_CASE("a key that is made while the token is being closed is destroyed") {
  const FaultyToken token;
  {
    const auto opened = token.open();
    token.faults.plan("C_GenerateKeyPair delay_ms=1000 times=1");
    const Told told = told_by([&] {
      opened->generate({Uuid::random(), KeyAlgorithm::ec_p256, true}, deadline_in(milliseconds(100)));
    });
    CHECK(told.kind == ErrorKind::session_timeout);
  }
  CHECK(token.keys() == 0);
}

TEST_CASE("a key that may have been made is not searched for again and again") {
  const FaultyToken token;
  const auto opened = token.open();
  token.faults.plan("C_GenerateKeyPair rv=CKR_DEVICE_ERROR times=1");
  told_by([&] { FaultyToken::generate(*opened); });
  std::this_thread::sleep_for(milliseconds(300));  // the first search
  const std::size_t searches = token.faults.calls("C_FindObjectsInit");
  CHECK(searches >= 1);
  for (int i = 0; i < 10; ++i) {
    GeneratedKey key = FaultyToken::generate(*opened);
    key.keep();
  }
  CHECK(token.faults.calls("C_FindObjectsInit") == searches);
}

TEST_CASE("a link that is half up when a PIN that was good is sent again: backed off from, and back") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan(kAllSessionsLost + "C_Login rv=CKR_FUNCTION_FAILED");
  CHECK(told_by([&] { FaultyToken::sign(key); }).kind != ErrorKind::session_timeout);
  CHECK(token.faults.calls("C_Login") == 2);  // once in this recovery
  token.faults.plan("");
  CHECK(signs_again(key));
}

TEST_CASE("signatures go before generations, and a full queue refuses") {
  FaultyToken token;
  TokenOptions options = token.options();
  options.sessions = 3;
  options.parallel_generations = 16;  // more than there are sessions
  options.queue_limit = 4;
  const auto opened = Token::open(options, Secret(token.softhsm.pin()));
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_GenerateKeyPair delay_ms=700");
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&] {
      try {
        FaultyToken::generate(*opened);
      } catch (const Error& error) {
        refused += error.kind() == ErrorKind::too_many_requests ? 1 : 0;
      }
    });
  }
  std::this_thread::sleep_for(milliseconds(200));
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(FaultyToken::sign(key).empty());
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(500));
  for (std::thread& thread : threads) thread.join();
  CHECK(refused >= 1);
  token.faults.plan("");
  CHECK(token.comes_to(1));
}
