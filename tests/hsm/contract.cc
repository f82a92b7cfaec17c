#include "contract.h"

#include <doctest/doctest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <atomic>
#include <thread>

#include "base/error.h"

namespace hsm_contract {
namespace {

using namespace hsmsigner;
using namespace hsmsigner::hsm;

Deadline soon() { return deadline_in(std::chrono::seconds(60)); }

template <typename T, void (*release)(T*)>
struct Free {
  void operator()(T* value) const { release(value); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM, OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>>;

Number number(const Bytes& octets) {
  return Number(BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr));
}

Pkey openssl_key(const PublicKey& key) {
  const Builder builder(OSSL_PARAM_BLD_new());
  Number modulus;
  Number exponent;
  const char* type = "EC";
  if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
    type = "RSA";
    modulus = number(rsa->modulus);
    exponent = number(rsa->exponent);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  } else {
    const auto& ec = std::get<EcPublicKey>(key);
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, info(ec.curve).openssl.data(), 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, ec.point.data(), ec.point.size());
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) == 1);
  return Pkey(made);
}

bool verifies(const PublicKey& key, Digest digest, const Bytes& value, const Bytes& signature) {
  const Pkey pkey = openssl_key(key);
  const Context context(EVP_PKEY_CTX_new(pkey.get(), nullptr));
  const EVP_MD* md = EVP_get_digestbyname(info(digest).name.data());
  return EVP_PKEY_verify_init(context.get()) == 1 && EVP_PKEY_CTX_set_signature_md(context.get(), md) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), value.data(), value.size()) == 1;
}

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
    CHECK(attributes.label == "hsm-signer " + id.to_string());
    for (const DigestAlgorithmInfo& digest : digests()) {
      CAPTURE(digest.name);
      const Bytes value(digest.size, 0xa5);
      if (why_cannot_sign(info(algorithm).family, info(algorithm).bits, digest.digest)) {
        CHECK_THROWS_AS(key.key()->sign(digest.digest, value, soon()), Error);
      } else {
        CHECK(verifies(key.key()->public_key(), digest.digest, value, key.key()->sign(digest.digest, value, soon())));
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
    GeneratedKey key = token->generate({id, KeyAlgorithm::rsa_2048, true}, soon());
    key.keep();
    public_key = key.key()->public_key();

    std::atomic<unsigned> good = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10; ++n) {
          good += verifies(public_key, Digest::sha256, value, key.key()->sign(Digest::sha256, value, soon())) ? 1 : 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == 80);
  }
  const auto token = Token::open(target.options, Secret(target.pin));
  const auto key = token->key(id, public_key);
  CHECK(verifies(public_key, Digest::sha256, value, key->sign(Digest::sha256, value, soon())));
  token->destroy(id, soon());
  CHECK_THROWS_AS(token->destroy(id, soon()), Error);
  CHECK_THROWS_AS(token->attributes(id, soon()), Error);
  CHECK_THROWS_AS(key->sign(Digest::sha256, value, soon()), Error);
}

}  // namespace hsm_contract
