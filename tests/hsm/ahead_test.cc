// Keys made ahead: after every request, a few at once, none where there is no room; and keys found by one walk.
#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "faulty_token.h"

using namespace hsm_faults;

namespace {

KeyRequest p256() { return {Uuid::random(), KeyAlgorithm::ec_p256, true}; }

}  // namespace

TEST_CASE("a generation ahead begins only when no request waits, and so many at once as set") {
  FaultyToken world;
  TokenOptions options = world.options();
  options.sessions = 4;
  options.parallel_generations = 3;
  options.parallel_ahead = 1;
  const auto token = Token::open(options, Secret(world.softhsm.pin()));
  world.faults.plan("C_GenerateKeyPair delay_ms=300\n");
  std::mutex mutex;
  std::vector<char> ended;
  const auto note = [&](char who) {
    const std::lock_guard lock(mutex);
    ended.push_back(who);
  };
  {
    std::vector<std::jthread> threads;
    // Three ahead, of which one may run, and then as many requests as may generate beside it.
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        token->generate_ahead(p256(), soon());
        note('a');
      });
    }
    std::this_thread::sleep_for(milliseconds(100));
    CHECK(world.faults.calls("C_GenerateKeyPair") == 1);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        token->generate(p256(), soon());
        note('r');
      });
    }
    std::this_thread::sleep_for(milliseconds(100));
    CHECK(world.faults.calls("C_GenerateKeyPair") == 3);
  }
  REQUIRE(ended.size() == 7);
  // The one that ran already, then three requests before the next one ahead ends; the last one ahead is the last of
  // all.
  CHECK(std::count(ended.begin(), ended.begin() + 4, 'a') == 1);
  CHECK(ended[6] == 'a');
}

TEST_CASE("the load is told by kind, what runs and what waits, until all is done") {
  FaultyToken world;
  TokenOptions options = world.options();
  options.sessions = 4;
  options.parallel_generations = 2;
  options.parallel_ahead = 1;
  const auto token = Token::open(options, Secret(world.softhsm.pin()));
  const GeneratedKey key = FaultyToken::generate(*token);
  const auto is = [&token](const TokenLoad::Operations& calls, const TokenLoad::Operations& generations,
                           const TokenLoad::Operations& ahead) {
    const auto same = [](const TokenLoad::Operations& one, const TokenLoad::Operations& other) {
      return one.running == other.running && one.waiting == other.waiting;
    };
    const Deadline end = deadline_in(seconds(20));
    while (std::chrono::steady_clock::now() < end) {
      const TokenLoad load = token->load();
      if (same(load.calls, calls) && same(load.generations, generations) && same(load.ahead, ahead)) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  };
  CHECK(token->load().sessions == 4);
  CHECK(is({0, 0}, {0, 0}, {0, 0}));
  world.faults.plan("C_GenerateKeyPair delay_ms=300\nC_Sign delay_ms=300\n");
  {
    std::vector<std::jthread> threads;
    const auto start = [&](int count, const auto& work) {
      for (int i = 0; i < count; ++i) threads.emplace_back(work);
    };
    start(2, [&] { token->generate_ahead(p256(), soon()); });
    CHECK(is({0, 0}, {0, 0}, {1, 1}));
    start(3, [&] { token->generate(p256(), soon()); });
    CHECK(is({0, 0}, {1, 2}, {1, 1}));
    start(3, [&] { FaultyToken::sign(key); });
    CHECK(is({2, 1}, {1, 2}, {1, 1}));
  }
  // What nobody kept is destroyed in the background.
  CHECK(is({0, 0}, {0, 0}, {0, 0}));
}

TEST_CASE("a token without room: nothing is made ahead, and that is no failure") {
  FaultyToken world;
  const auto token = world.open();
  for (const char* code : {"CKR_DEVICE_MEMORY", "CKR_HOST_MEMORY"}) {
    CAPTURE(code);
    world.faults.plan(std::string("C_GenerateKeyPair rv=") + code + "\n");
    CHECK_FALSE(token->generate_ahead(p256(), soon()).has_value());
  }
  world.faults.plan("C_GenerateKeyPair rv=CKR_FUNCTION_FAILED\n");
  CHECK_THROWS_AS(token->generate_ahead(p256(), soon()), Error);
  world.faults.plan("");
  {
    const auto key = token->generate_ahead(p256(), soon());
    REQUIRE(key.has_value());
    CHECK(world.keys() == 1);
    CHECK(key->key()->is_located());
  }
  CHECK(world.comes_to(0));  // not kept
}

TEST_CASE("one walk locates every key that is held, so that none costs a search of its own") {
  FaultyToken world;
  std::vector<std::pair<Uuid, PublicKey>> made;
  {
    const auto token = world.open();
    for (int i = 0; i < 5; ++i) {
      auto key = FaultyToken::generate(*token);
      made.emplace_back(key.key()->id(), key.key()->public_key());
      key.keep();
    }
  }
  const auto token = world.open();
  std::vector<std::shared_ptr<TokenKey>> held;
  for (const auto& key : made) held.push_back(token->key(key.first, key.second));
  const auto gone = token->key(Uuid::random(), made[0].second);
  for (const auto& key : held) CHECK_FALSE(key->is_located());
  const std::size_t before = world.faults.calls("C_FindObjectsInit");
  const std::vector<NamedKey> names = token->walk(soon());
  CHECK(names.size() == 5);
  for (const NamedKey& name : names) CHECK(name.label == key_label(*Uuid::from_bytes(name.id)));
  for (const auto& key : held) {
    CHECK(key->is_located());
    CHECK(key->sign(Digest::sha256, Bytes(32, 7), soon()).size() > 60);
    CHECK(token->describe(key->id(), soon()).attributes.never_extractable);
  }
  CHECK(world.faults.calls("C_FindObjectsInit") == before + 1);
  CHECK_FALSE(gone->is_located());
  CHECK_FALSE(token->free_memory(soon()).has_value());  // SoftHSM does not say
  token->destroy(made[0].first, soon());
  CHECK_FALSE(held[0]->is_located());
}
