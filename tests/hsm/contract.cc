#include "contract.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/error.h"
#include "exchange_contract.h"
#include "software_key.h"

namespace hsm_contract {
namespace {

using namespace hsmsigner;
using namespace hsmsigner::hsm;

Deadline soon() { return deadline_in(std::chrono::seconds(60)); }

void check_key(Token& token, KeyAlgorithm algorithm, bool block_export) {
  CAPTURE(info(algorithm).name);
  CAPTURE(block_export);
  const std::size_t before = token.count_private_keys(soon());
  const Uuid id = Uuid::random();
  {
    const GeneratedKey key = token.generate({id, algorithm, block_export}, soon());
    CHECK(token.count_private_keys(soon()) == before + 1);
    CHECK(bits_of(key.key()->public_key()) == info(algorithm).bits);
    const KeyAttributes attributes = token.attributes(id, soon());
    CHECK(attributes.extractable == !block_export);
    CHECK(attributes.never_extractable == block_export);
    CHECK(attributes.sensitive);
    CHECK(attributes.always_sensitive);
    CHECK(attributes.local);
    CHECK(attributes.sign);
    CHECK_FALSE(attributes.decrypt);
    CHECK_FALSE(attributes.unwrap);
    CHECK_FALSE(attributes.derive);
    // A token need not tell it; one that does says the one that it was asked for.
    if (attributes.generation_mechanism) {
      CHECK(generation_mechanism_name(*attributes.generation_mechanism) ==
            (info(algorithm).family == KeyFamily::ec ? "CKM_EC_KEY_PAIR_GEN" : "CKM_RSA_PKCS_KEY_PAIR_GEN"));
    }

    const std::vector<ListedKey> listed = token.private_keys(soon());
    CHECK(listed.size() == before + 1);
    const auto mine = std::ranges::find(listed, attributes.id, &ListedKey::id);
    REQUIRE(mine != listed.end());
    CHECK(mine->label == attributes.label);
    REQUIRE(mine->attributes);
    CHECK(mine->attributes->bits == attributes.bits);
    CHECK(mine->attributes->extractable == !block_export);
    CHECK(mine->found != nullptr);
    const auto* const rsa = std::get_if<RsaPublicKey>(&key.key()->public_key());
    CHECK(mine->modulus == (rsa == nullptr ? Bytes() : rsa->modulus));

    const Bytes challenge(info(Digest::sha256).size, 0x5c);
    const KeyExamination shown = token.examine(id, key.key()->public_key(), Digest::sha256, challenge, soon());
    CHECK(shown.private_keys == 1);
    REQUIRE(shown.attributes);
    CHECK(shown.attributes->id == attributes.id);
    CHECK(shown.attributes->extractable == !block_export);
    REQUIRE(shown.signature);
    CHECK(signature_is_good(key.key()->public_key(), Digest::sha256, challenge, *shown.signature));
    const KeyExamination nothing =
        token.examine(Uuid::random(), key.key()->public_key(), Digest::sha256, challenge, soon());
    CHECK(nothing.private_keys == 0);
    CHECK_FALSE(nothing.attributes);
    CHECK_FALSE(nothing.signature);
    CHECK(attributes.label == "hsm-signer " + id.to_string());
    for (const DigestAlgorithmInfo& digest : digests()) {
      CAPTURE(digest.name);
      const Bytes value(digest.size, 0xa5);
      if (why_cannot_sign(info(algorithm).family, info(algorithm).bits, digest.digest)) {
        CHECK_THROWS_AS(key.key()->sign(digest.digest, value, soon()), Error);
      } else {
        CHECK(signature_is_good(key.key()->public_key(), digest.digest, value,
                                key.key()->sign(digest.digest, value, soon())));
      }
    }
  }
  CHECK(token.count_private_keys(soon()) == before);  // not kept, so destroyed
}

}  // namespace

void check_contract(const Target& target) {
  const Uuid id = Uuid::random();
  PublicKey public_key = RsaPublicKey{};
  const Bytes value(32, 0x5a);
  {
    const auto token = Token::open(target.options, Secret(target.pin));
    CHECK(token->random(33, soon()).size() == 33);
    for (const KeyAlgorithmInfo& row : key_algorithms()) {
      if (!token->can_generate(row.algorithm) || row.bits == 4096 || row.bits == 3072) continue;  // slow, not different
      check_key(*token, row.algorithm, true);
      check_key(*token, row.algorithm, false);
    }
    check_exchange(*token, target);
    GeneratedKey key = token->generate({id, KeyAlgorithm::rsa_2048, true}, soon());
    key.keep();
    public_key = key.key()->public_key();

    std::atomic<unsigned> good = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10; ++n) {
          good += signature_is_good(public_key, Digest::sha256, value, key.key()->sign(Digest::sha256, value, soon()))
                      ? 1
                      : 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == 80);
  }
  const auto token = Token::open(target.options, Secret(target.pin));
  const auto key = token->key(id, public_key);
  CHECK(signature_is_good(public_key, Digest::sha256, value, key->sign(Digest::sha256, value, soon())));
  token->destroy(id, soon());
  CHECK_THROWS_AS(token->destroy(id, soon()), Error);
  CHECK_THROWS_AS(token->attributes(id, soon()), Error);
  CHECK_THROWS_AS(key->sign(Digest::sha256, value, soon()), Error);
}

}  // namespace hsm_contract
