// A process that is killed at any point of a key's way leaves nothing in the token that nobody knows of.
#include <doctest/doctest.h>

#include <csignal>

#include "service/pool_world.h"
#include "support/command.h"

using namespace pool_test;

namespace {

void run_and_kill(const World& world, const std::string& point) {
  test_support::BackgroundProcess process({POOL_PROCESS, test_support::SoftHsm::module_path(), world.softhsm.label(),
                                           world.softhsm.pin(), world.database(), point},
                                          world.softhsm.environment(), world.directory.file("output"));
  process.wait_for_line("there ", seconds(60));
  process.signal(SIGKILL);
  process.wait(seconds(30));
}

service::FillerPace impatient() {
  service::FillerPace pace = Instance::quick();
  pace.left_plans.longest_generation = std::chrono::minutes(0);
  return pace;
}

std::size_t plans(const World& world) {
  const std::string out = test_support::must_run({"sqlite3", world.database(),
                                                  "SELECT count(*) FROM planned_key WHERE owner NOT IN (SELECT "
                                                  "owner FROM pool_lease)"});
  return static_cast<std::size_t>(std::stoul(out));
}

}  // namespace

TEST_CASE("killed at any point: every key in the token is a certificate's or the pool's after the next start") {
  struct Row {
    const char* point;
    std::size_t stock;
    std::size_t keys;
    std::size_t adopted;
    std::size_t destroyed;
  };
  for (const Row& row : {Row{"planned", 0, 0, 0, 0}, Row{"made", 1, 5, 5, 0}, Row{"made by a request", 1, 1, 1, 0},
                         Row{"on record", 3, 3, 0, 0}, Row{"claimed", 2, 2, 0, 0}, Row{"issued", 1, 2, 0, 0},
                         Row{"withdrawn", 0, 0, 0, 1}, Row{"destroyed", 0, 0, 0, 1}}) {
    CAPTURE(row.point);
    World world;
    run_and_kill(world, row.point);
    const auto instance = world.instance();
    instance->fill({{kP256, 0, 0}}, 1000, impatient());
    const std::size_t stock = row.stock;
    CHECK(instance->comes_to_stock(stock));
    const std::size_t keys = row.keys;
    CHECK(comes([&] { return world.keys() == keys && plans(world) == 0; }));
    CHECK(comes([&] { return keys == instance->certificates() + instance->store().key_pool().ids().size(); }));
    CHECK(instance->events(audit::EventKind::pool_key_adopted).size() == row.adopted);
    CHECK(instance->events(audit::EventKind::key_destroyed).size() == row.destroyed);
    // What was adopted is as good as any other.
    for (std::size_t i = 0; i < stock; ++i) instance->generate(sample_request("after " + std::to_string(i)));
    CHECK(instance->figures().claims == stock);
    CHECK(world.keys() == keys);
  }
}

TEST_CASE("a key under a plan that is not as it should be is destroyed, and one under none is left alone") {
  World world;
  const auto dead = world.instance();
  const Uuid planned = Uuid::random();
  const Uuid stranger = Uuid::random();
  dead->store().key_pool().plan(world.token->info().serial, {planned}, soon());
  const auto make = [&](const Uuid& id, const std::string& label) {
    world.softhsm.pkcs11_tool(
        {"--keypairgen", "--key-type", "EC:prime256v1", "--id", to_hex(id.bytes()), "--label", label});
  };
  make(planned, "another one's");
  make(stranger, "hsm-signer " + stranger.to_string());
  const auto one = world.instance();
  one->fill({{kP256, 0, 0}}, 1000, impatient());
  CHECK(comes([&] { return one->events(audit::EventKind::key_destroyed).size() == 1; }));
  CHECK(one->events(audit::EventKind::key_destroyed)[0].object == planned.to_string());
  CHECK(world.keys() == 1);
  CHECK(world.token->attributes(stranger, soon()).label == "hsm-signer " + stranger.to_string());
  CHECK(one->figures().stock == 0);
}

TEST_CASE("what a running process has planned is not looked at") {
  World world;
  const auto running = world.instance();
  running->fill({{kP256, 0, 0}});
  const Uuid id = Uuid::random();
  running->store().key_pool().plan(world.token->info().serial, {id}, soon());
  auto key = world.token->generate({id, KeyAlgorithm::ec_p256, true}, soon());
  const auto one = world.instance();
  one->fill({{kP256, 0, 0}}, 1000, impatient());
  std::this_thread::sleep_for(milliseconds(1000));
  CHECK(one->figures().stock == 0);
  CHECK(world.keys() == 1);
}
