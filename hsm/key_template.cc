#include "hsm/key_template.h"

#include <cstring>

#include "hsm/ck_result.h"
#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::uint8_t kExponent65537[] = {0x01, 0x00, 0x01};

Template private_key_template(const Uuid& id, const std::string& label, KeyFamily family, bool block_export) {
  Template key;
  key.add(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY})
      .add(CKA_KEY_TYPE, mechanisms_of(family).key_type)
      .add(CKA_TOKEN, true)
      .add(CKA_PRIVATE, true)
      .add(CKA_SENSITIVE, true)
      .add(CKA_EXTRACTABLE, !block_export)
      .add(CKA_ID, id.bytes())
      .add(CKA_LABEL, label)
      .add(CKA_SIGN, true)
      .add(CKA_SIGN_RECOVER, false)
      .add(CKA_DECRYPT, false)
      .add(CKA_UNWRAP, false)
      .add(CKA_DERIVE, false);
  return key;
}

}  // namespace

Template& Template::add_octets(CK_ATTRIBUTE_TYPE type, const void* data, std::size_t size) {
  Bytes& value = values_.emplace_back(size);
  if (size > 0) std::memcpy(value.data(), data, size);
  attributes_.push_back(CK_ATTRIBUTE{type, value.data(), value.size()});
  return *this;
}

Template& Template::add(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL flag = value ? 1 : 0;
  return add_octets(type, &flag, sizeof flag);
}
Template& Template::add(CK_ATTRIBUTE_TYPE type, CK_ULONG value) { return add_octets(type, &value, sizeof value); }
Template& Template::add(CK_ATTRIBUTE_TYPE type, ByteView value) { return add_octets(type, value.data(), value.size()); }
Template& Template::add(CK_ATTRIBUTE_TYPE type, std::string_view text) {
  return add_octets(type, text.data(), text.size());
}

Template& Template::refer(CK_ATTRIBUTE_TYPE type, ByteView value) {
  attributes_.push_back(CK_ATTRIBUTE{type, ck_input(value), value.size()});
  return *this;
}

std::string key_label(const Uuid& id) { return "hsm-signer " + id.to_string(); }

KeyPairTemplates key_pair_templates(const KeyRequest& request) {
  const KeyAlgorithmInfo& algorithm = info(request.algorithm);
  const FamilyMechanisms& family = mechanisms_of(algorithm.family);
  const std::string label = request.label.empty() ? key_label(request.id) : request.label;
  KeyPairTemplates pair{
      family.generate, private_key_template(request.id, label, algorithm.family, request.block_export), {}};
  // The certificate holds the public key: this object is read and destroyed, and goes with its session at the latest.
  pair.public_key.add(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .add(CKA_KEY_TYPE, family.key_type)
      .add(CKA_TOKEN, false)
      .add(CKA_PRIVATE, false)
      .add(CKA_ID, request.id.bytes())
      .add(CKA_LABEL, label)
      .add(CKA_VERIFY, true)
      .add(CKA_ENCRYPT, false)
      .add(CKA_WRAP, false);
  if (algorithm.family == KeyFamily::rsa) {
    pair.public_key.add(CKA_MODULUS_BITS, CK_ULONG{algorithm.bits}).add(CKA_PUBLIC_EXPONENT, ByteView(kExponent65537));
  } else {
    pair.public_key.add(CKA_EC_PARAMS, algorithm.ec_parameters);
  }
  return pair;
}

Template imported_key_template(const ImportRequest& request, KeyFamily family) {
  return private_key_template(request.id, key_label(request.id), family, request.block_export);
}

Template imported_key_template(const ImportRequest& request, const PrivateKey& key) {
  if (const auto* rsa = std::get_if<RsaPrivateKey>(&key.parts)) {
    Template object = imported_key_template(request, KeyFamily::rsa);
    object.add(CKA_MODULUS, ByteView(rsa->public_key.modulus))
        .add(CKA_PUBLIC_EXPONENT, ByteView(rsa->public_key.exponent))
        .refer(CKA_PRIVATE_EXPONENT, rsa->private_exponent.bytes())
        .refer(CKA_PRIME_1, rsa->prime_1.bytes())
        .refer(CKA_PRIME_2, rsa->prime_2.bytes())
        .refer(CKA_EXPONENT_1, rsa->exponent_1.bytes())
        .refer(CKA_EXPONENT_2, rsa->exponent_2.bytes())
        .refer(CKA_COEFFICIENT, rsa->coefficient.bytes());
    return object;
  }
  const auto& ec = std::get<EcPrivateKey>(key.parts);
  Template object = imported_key_template(request, KeyFamily::ec);
  object.add(CKA_EC_PARAMS, info(ec.public_key.curve).ec_parameters).refer(CKA_VALUE, ec.value.bytes());
  return object;
}

Template private_keys_query() {
  Template query;
  query.add(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY});
  return query;
}

Template private_keys_query(std::string_view label) {
  Template query = private_keys_query();
  query.add(CKA_LABEL, label);
  return query;
}

Template private_key_query(const Uuid& id) {
  Template query = private_keys_query();
  query.add(CKA_ID, id.bytes());
  return query;
}

}  // namespace hsmsigner::hsm
