#include "exchange_contract.h"

#include <doctest/doctest.h>

#include <optional>

#include "base/error.h"
#include "pki/private_key_file.h"
#include "session_objects.h"
#include "software_key.h"

namespace hsm_contract {
namespace {

using namespace hsmsigner;
using namespace hsmsigner::hsm;

Deadline soon() { return deadline_in(std::chrono::seconds(60)); }

std::optional<ErrorKind> kind_thrown(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    CAPTURE(error.what());
    return error.kind();
  }
  return std::nullopt;
}

// The token itself says yes or no: nobody here looked at CKA_EXTRACTABLE first.
void check_export(Token& token, const Target& target, const Uuid& id, const PublicKey& public_key, bool block_export) {
  if (target.exports && !block_export) {
    const Secret pkcs8 = token.export_key(id, soon());
    CHECK(public_key_der(pkcs8) == public_key_der(public_key));
    CHECK(pki::parse_private_key(pkcs8, nullptr).public_key() == public_key);
  } else {
    CHECK(kind_thrown([&] { token.export_key(id, soon()); }) ==
          (target.exports ? ErrorKind::private_key_export_blocked : ErrorKind::token_unavailable));
  }
}

void check_import(Token& token, const Target& target, const std::shared_ptr<const PrivateKey>& software,
                  bool block_export) {
  CAPTURE(block_export);
  const PublicKey public_key = software->public_key();
  const std::size_t before = token.count_private_keys(soon());
  const Uuid id = Uuid::random();
  {
    const GeneratedKey key = token.import_key({id, block_export}, software, soon());
    CHECK(token.count_private_keys(soon()) == before + 1);
    CHECK(key.key()->public_key() == public_key);
    const KeyAttributes attributes = token.attributes(id, soon());
    CHECK(attributes.token);
    CHECK(attributes.is_private);
    CHECK(attributes.sensitive);
    CHECK(attributes.extractable == !block_export);
    CHECK_FALSE(attributes.local);
    // True in some tokens for a key that was created, although it was elsewhere before.
    CHECK(key.attributes().always_sensitive == attributes.always_sensitive);
    CHECK(key.attributes().never_extractable == attributes.never_extractable);
    CHECK(attributes.sign);
    CHECK_FALSE(attributes.decrypt);
    CHECK_FALSE(attributes.unwrap);
    CHECK_FALSE(attributes.derive);
    CHECK(attributes.label == "hsm-signer " + id.to_string());
    CHECK(attributes.family == family_of(public_key));
    CHECK(attributes.bits == bits_of(public_key));
    CHECK(key.attributes().local == attributes.local);
    CHECK(key.attributes().extractable == attributes.extractable);
    const Bytes value(32, 0x3c);
    CHECK(signature_is_good(public_key, Digest::sha256, value, key.key()->sign(Digest::sha256, value, soon())));
    check_export(token, target, id, public_key, block_export);
  }
  CHECK(token.count_private_keys(soon()) == before);  // not kept, so destroyed
  CHECK(kind_thrown([&] { token.export_key(id, soon()); }) == ErrorKind::object_not_present);
}

void check_generated(Token& token, const Target& target, KeyAlgorithm algorithm, bool block_export) {
  CAPTURE(info(algorithm).name);
  CAPTURE(block_export);
  const Uuid id = Uuid::random();
  const GeneratedKey key = token.generate({id, algorithm, block_export}, soon());
  check_export(token, target, id, key.key()->public_key(), block_export);
}

}  // namespace

void check_exchange(Token& token, const Target& target) {
  for (const bool block_export : {true, false}) {
    for (const KeyAlgorithmInfo& row : key_algorithms()) {
      if (row.bits == 4096 || row.bits == 3072) continue;  // slow, not different
      CAPTURE(row.name);
      const auto software = row.family == KeyFamily::rsa ? software_rsa_key(row.bits) : software_ec_key(row.algorithm);
      if (token.can_generate(row.algorithm)) {
        check_import(token, target, software, block_export);
        check_generated(token, target, row.algorithm, block_export);
      } else {
        CHECK(kind_thrown([&] {
                token.import_key({Uuid::random(), block_export}, software, soon());
              }) == ErrorKind::invalid_object);
      }
    }
    check_import(token, target, software_rsa_key(1536), block_export);  // of no row of our table
  }
  if (target.one_library) CHECK(count_session_objects(target.options) == 0);
}

}  // namespace hsm_contract
