// Which token a new key goes to, and which one has a key. Three real tokens behind the fault module.
#include "service/token_set.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "service/certificate_facts.h"
#include "support/faults.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using service::KeyUse;
using service::ServiceToken;
using service::TokenSet;
using service::TokenUses;

namespace {

constexpr TokenUses kCa{true, false, true};
constexpr TokenUses kLeaves{false, true, false};

Deadline soon() { return deadline_in(std::chrono::seconds(20)); }

class World {
 public:
  World() {
    faults.install();
    for (const char* label : {"leaf-a", "leaf-b"}) hsm_.add_token(label);
    for (const char* label : {"test-token", "leaf-a", "leaf-b"}) {
      tokens_.push_back(hsm::Token::open({.module_path = test_support::Faults::module_path(), .selector = {label, ""}},
                                         Secret(hsm_.pin())));
    }
  }

  hsm::Token& at(std::size_t place) { return *tokens_[place]; }
  // Leaves over all but the first.
  std::vector<ServiceToken> spread(std::size_t count = 3) {
    std::vector<ServiceToken> all{{at(0), kCa}};
    for (std::size_t place = 1; place < count; ++place) all.push_back({at(place), kLeaves});
    return all;
  }
  std::size_t keys(std::size_t place) { return at(place).count_private_keys(soon()); }

  test_support::Faults faults{test_support::SoftHsm::module_path()};

 private:
  test_support::SoftHsm hsm_;
  std::vector<std::unique_ptr<hsm::Token>> tokens_;
};

Uuid numbered(std::uint32_t number) {
  Bytes octets(16, 0);
  for (std::size_t i = 0; i < 4; ++i) octets[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return *Uuid::from_bytes(octets);
}

TokenSet::Make generating(std::vector<hsm::Token*>* asked = nullptr) {
  return [asked](hsm::Token& token, const Uuid& id) {
    if (asked != nullptr) asked->push_back(&token);
    return token.generate({id, KeyAlgorithm::ec_p256, true}, soon());
  };
}

store::KeyRecord record_in(const std::string& serial, const std::string& label = "x") {
  store::KeyRecord record;
  record.token_serial = serial;
  record.token_label = label;
  return record;
}

template <typename Call>
std::string refusal(ErrorKind kind, Call call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.details().empty() ? "" : error.details().front();
  }
  FAIL("was not refused");
  return "";
}

}  // namespace

TEST_CASE("new keys go where their use is held, by a rule that is the same tomorrow, and evenly") {
  World world;
  const TokenSet set(world.spread());
  CHECK(set.for_new(KeyUse::authority, numbered(1)) == std::vector<hsm::Token*>{&world.at(0)});
  std::map<hsm::Token*, int> first;
  constexpr int kIds = 1000;
  for (std::uint32_t i = 0; i < kIds; ++i) {
    const std::vector<hsm::Token*> order = set.for_new(KeyUse::leaf, numbered(i));
    REQUIRE(order.size() == 2);
    CHECK(order[0] != order[1]);
    CHECK(order == set.for_new(KeyUse::leaf, numbered(i)));
    ++first[order[0]];
  }
  CHECK(first.size() == 2);
  // Serial numbers are others each time: five standard deviations.
  for (const auto& each : first) CHECK(std::abs(each.second - kIds / 2) < 80);
}

TEST_CASE("one more token takes its share from each, and changes nothing among the others") {
  World world;
  std::vector<ServiceToken> all = world.spread();
  all[0].uses = TokenUses{};  // for leaves too
  const TokenSet three(all);
  all.pop_back();
  const TokenSet two(all);
  int taken = 0;
  constexpr int kIds = 1000;
  for (std::uint32_t i = 0; i < kIds; ++i) {
    std::vector<hsm::Token*> of_three = three.for_new(KeyUse::leaf, numbered(i));
    taken += of_three[0] == &world.at(2) ? 1 : 0;
    std::erase(of_three, &world.at(2));
    CHECK(of_three == two.for_new(KeyUse::leaf, numbered(i)));
  }
  CHECK(std::abs(taken - kIds / 3) < 80);
}

TEST_CASE("a token that is full is passed over, for this key and the next ones, and its neighbour takes them") {
  World world;
  TokenSet set(world.spread());
  world.faults.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY times=1\n");
  std::vector<hsm::Token*> asked;
  {
    TokenSet::Made made = set.make(KeyUse::leaf, KeyAlgorithm::ec_p256, generating(&asked));
    REQUIRE(asked.size() == 2);
    CHECK(asked[0] != asked[1]);
    CHECK(&made.token == asked[1]);
    made.key.keep();
  }
  CHECK(world.keys(0) == 0);
  CHECK(world.keys(1) + world.keys(2) == 1);
  for (std::uint32_t i = 0; i < 50; ++i) {
    // Last, but not out: when all others fail it is asked.
    CHECK(set.for_new(KeyUse::leaf, numbered(i)) == std::vector<hsm::Token*>{asked[1], asked[0]});
  }

  // All of them full: the last one's own words.
  world.faults.plan("C_GenerateKeyPair rv=CKR_DEVICE_MEMORY\n");
  const std::string told =
      refusal(ErrorKind::token_unavailable, [&] { set.make(KeyUse::leaf, KeyAlgorithm::ec_p256, generating()); });
  CHECK(told == "the token is full");
}

TEST_CASE("what is no fault of the token is not tried elsewhere") {
  World world;
  TokenSet set(world.spread());
  int asked = 0;
  for (const ErrorKind kind : {ErrorKind::internal_error, ErrorKind::too_many_requests}) {
    asked = 0;
    refusal(kind, [&] {
      set.make(KeyUse::leaf, std::nullopt, [&](hsm::Token&, const Uuid&) -> hsm::GeneratedKey {
        ++asked;
        throw Error(kind);
      });
    });
    CHECK(asked == 1);
  }
  // A key of a size that one does not take may suit the other; neither is set aside for it.
  std::vector<Uuid> ids;
  refusal(ErrorKind::invalid_object, [&] {
    set.make(KeyUse::leaf, std::nullopt, [&](hsm::Token&, const Uuid& id) -> hsm::GeneratedKey {
      ids.push_back(id);
      throw Error(ErrorKind::invalid_object, {"key_file: no"});
    });
  });
  REQUIRE(ids.size() == 2);
  CHECK(ids[0] != ids[1]);
  std::map<hsm::Token*, int> first;
  for (std::uint32_t i = 0; i < 50; ++i) ++first[set.for_new(KeyUse::leaf, numbered(i))[0]];
  CHECK(first.size() == 2);
}

TEST_CASE("a key is found by its token's serial number, also by one of before") {
  World world;
  std::vector<ServiceToken> all = world.spread();
  all[1].former_serials = {"0123", "4567"};
  const TokenSet set(all);
  for (std::size_t place = 0; place < 3; ++place) {
    CHECK(&set.holding(record_in(world.at(place).info().serial)) == &world.at(place));
    CHECK(set.place_of(record_in(world.at(place).info().serial)) == place);
  }
  CHECK(&set.holding(record_in("4567")) == &world.at(1));
  CHECK(&set.for_service() == &world.at(0));
  CHECK(set.service_place() == 0);
  // The label is not asked where there is a serial number: labels are given twice.
  CHECK(refusal(ErrorKind::token_unavailable, [&] { set.holding(record_in("89ab", "leaf-a")); }) ==
        "the token 89ab, which has the key, is not configured");
  const TokenSet only(world.at(0));
  refusal(ErrorKind::token_unavailable, [&] { only.holding(record_in(world.at(1).info().serial)); });
}

TEST_CASE("sets that leave a use to nobody, or to too many, or a token twice, are refused") {
  World world;
  const auto fault = [](std::vector<ServiceToken> tokens) {
    return refusal(ErrorKind::invalid_object, [&] { const TokenSet set(std::move(tokens)); });
  };
  CHECK(fault({}) == "exactly one token must hold the service's own keys");
  CHECK(fault({{world.at(0), {}}, {world.at(1), {}}}) == "exactly one token must hold the service's own keys");
  CHECK(fault({{world.at(0), kCa}}) == "no token holds keys of leaves");
  CHECK(fault({{world.at(0), {false, true, true}}}) == "no token holds keys of authorities");
  const std::string serial = world.at(0).info().serial;
  CHECK(fault({{world.at(0), kCa}, {world.at(0), kLeaves}}) ==
        "two of the configured tokens have the serial number " + serial);
  CHECK(fault({{world.at(0), kCa}, {world.at(1), kLeaves, {serial}}}) ==
        "two of the configured tokens have the serial number " + serial);
}

TEST_CASE("a token that does not answer in time is asked last from then on") {
  World world;
  TokenSet set(world.spread());
  hsm::Token* slow = nullptr;
  refusal(ErrorKind::session_timeout, [&] {
    set.make(KeyUse::leaf, std::nullopt, [&](hsm::Token& token, const Uuid&) -> hsm::GeneratedKey {
      CHECK(slow == nullptr);
      slow = &token;
      throw Error(ErrorKind::session_timeout);
    });
  });
  REQUIRE(slow != nullptr);
  for (std::uint32_t i = 0; i < 50; ++i) CHECK(set.for_new(KeyUse::leaf, numbered(i)).back() == slow);
}

TEST_CASE("a token that holds nothing gets no new keys, and those that are in it are found") {
  World world;
  std::vector<ServiceToken> all = world.spread();
  all[1].uses = {false, false, false};
  const TokenSet set(all);
  for (std::uint32_t i = 0; i < 50; ++i) {
    CHECK(set.for_new(KeyUse::leaf, numbered(i)) == std::vector<hsm::Token*>{&world.at(2)});
  }
  CHECK(&set.holding(record_in(world.at(1).info().serial)) == &world.at(1));
}
