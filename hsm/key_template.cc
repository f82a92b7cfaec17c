#include "hsm/key_template.h"

#include <cstring>

#include "hsm/mechanisms.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::uint8_t kExponent65537[] = {0x01, 0x00, 0x01};

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

std::string key_label(const Uuid& id) { return "hsm-signer " + id.to_string(); }

KeyPairTemplates key_pair_templates(const KeyRequest& request) {
  const KeyAlgorithmInfo& algorithm = info(request.algorithm);
  const FamilyMechanisms& family = mechanisms_of(algorithm.family);
  const std::string label = key_label(request.id);

  KeyPairTemplates pair{family.generate, {}, {}};
  pair.private_key.add(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY})
      .add(CKA_KEY_TYPE, family.key_type)
      .add(CKA_TOKEN, true)
      .add(CKA_PRIVATE, true)
      .add(CKA_SENSITIVE, true)
      .add(CKA_EXTRACTABLE, !request.block_export)
      .add(CKA_ID, request.id.bytes())
      .add(CKA_LABEL, label)
      .add(CKA_SIGN, true)
      .add(CKA_SIGN_RECOVER, false)
      .add(CKA_DECRYPT, false)
      .add(CKA_UNWRAP, false)
      .add(CKA_DERIVE, false);
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

Template private_keys_query() {
  Template query;
  query.add(CKA_CLASS, CK_ULONG{CKO_PRIVATE_KEY});
  return query;
}

Template private_key_query(const Uuid& id) {
  Template query = private_keys_query();
  query.add(CKA_ID, id.bytes());
  return query;
}

}  // namespace hsmsigner::hsm
