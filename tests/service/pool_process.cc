// Comes to one point of a key's way into the pool and out of it, says so, and waits to be killed.
//   pool_process MODULE LABEL PIN DATABASE POINT
#include <unistd.h>

#include <iostream>

#include "service/certificate_key.h"
#include "service/pool_batch.h"
#include "service/pool_world.h"

using namespace pool_test;

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const std::string point = argv[5];
  const auto token =
      hsm::Token::open({.module_path = argv[1], .selector = {argv[2], ""}}, Secret(std::string(argv[3])));
  Instance instance(*token, argv[4]);
  instance.fill({{kP256, 0, 0}});  // holds the lease, makes nothing
  store::KeyPoolStore& store = instance.store().key_pool();
  const auto never = std::atomic<bool>(false);
  if (point == "planned") {
    store.plan(token->info().serial, {Uuid::random(), Uuid::random()}, soon());
  } else if (point == "made") {
    for (const KeyClass& key_class : {kP256, kExportable, KeyClass{KeyAlgorithm::ec_p384, true},
                                      KeyClass{KeyAlgorithm::ec_p521, true}, KeyClass{KeyAlgorithm::rsa_1024, true}}) {
      const Uuid id = Uuid::random();
      store.plan(token->info().serial, {id}, soon());
      token->generate({id, key_class.algorithm, key_class.block_export}, soon()).keep();
    }
  } else if (point == "made by a request") {
    // On the heap, never to be destroyed.
    new service::CertificateKey(service::CertificateKey::make(*token, &instance.pool, kP256, soon()));
  } else if (point == "on record") {
    service::make_batch(*token, store, {.key_class = kP256, .count = 3}, system_now(), never, [] {});
  } else if (point == "claimed" || point == "issued") {
    instance.pool.add(
        service::make_batch(*token, store, {.key_class = kP256, .count = 2}, system_now(), never, [] {}).keys);
    if (point == "claimed") new service::PooledKey(instance.pool.claim(kP256).value());
    if (point == "issued") instance.generate(sample_request("x"));
  } else if (point == "withdrawn") {
    const auto keys =
        service::make_batch(*token, store, {.key_class = kP256, .count = 1}, system_now(), never, [] {}).keys;
    store.withdraw(keys.at(0).record.id, soon());
  } else if (point == "destroyed") {
    const auto keys =
        service::make_batch(*token, store, {.key_class = kP256, .count = 1}, system_now(), never, [] {}).keys;
    store.withdraw(keys.at(0).record.id, soon());
    token->destroy(keys.at(0).record.id, soon());
  } else {
    return 2;
  }
  std::cout << "there " << point << std::endl;
  ::pause();
}
