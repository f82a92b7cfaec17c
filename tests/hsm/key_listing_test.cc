// Listing every private key, when the token is well and when it is not.
#include <doctest/doctest.h>

#include <utility>
#include <vector>

#include "faulty_token.h"

using namespace hsm_faults;

TEST_CASE("one search lists every key, and those it found sign without another") {
  const FaultyToken token;
  std::vector<std::pair<Uuid, PublicKey>> made;
  {
    const auto opened = token.open();
    for (int i = 0; i < 3; ++i) {
      GeneratedKey key = FaultyToken::generate(*opened);
      key.keep();
      made.emplace_back(key.key()->id(), key.key()->public_key());
    }
  }
  const auto opened = token.open();
  token.faults.plan("");
  const std::vector<ListedKey> listed = opened->private_keys(soon());
  CHECK(listed.size() == 3);
  CHECK(token.faults.calls("C_FindObjectsInit") == 1);
  for (const auto& each : made) opened->key(each.first, each.second)->sign(Digest::sha256, Bytes(32, 7), soon());
  CHECK(token.faults.calls("C_FindObjectsInit") == 1);
}

TEST_CASE("a key that was destroyed since it was listed is not found by its handle") {
  const FaultyToken token;
  const auto opened = token.open();
  GeneratedKey key = FaultyToken::generate(*opened);
  key.keep();
  const std::vector<ListedKey> listed = opened->private_keys(soon());
  REQUIRE(listed.size() == 1);
  opened->destroy(key.key()->id(), soon());
  CHECK_FALSE(key.key()->is_present(soon()));
  CHECK(opened->private_keys(soon()).empty());
  CHECK_THROWS_AS(FaultyToken::sign(key), Error);
}

TEST_CASE("a listing in a session that lost its login is made again in a good one") {
  const FaultyToken token;
  const auto opened = token.open();
  CHECK(opened->private_keys(soon()).empty());
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_FindObjectsInit rv=CKR_USER_NOT_LOGGED_IN times=1");
  CHECK(opened->private_keys(soon()).size() == 1);
}

TEST_CASE("a listing that breaks is tried once more, and one past its deadline is told") {
  const FaultyToken token;
  const auto opened = token.open();
  const GeneratedKey key = FaultyToken::generate(*opened);
  token.faults.plan("C_GetAttributeValue rv=CKR_SESSION_HANDLE_INVALID times=1");
  CHECK(opened->private_keys(soon()).size() == 1);
  token.faults.plan("");
  CHECK(told_by([&] { opened->private_keys(deadline_in(milliseconds(0))); }).kind == ErrorKind::session_timeout);
}
