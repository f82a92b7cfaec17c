// The templates a key is generated or imported with: everything said, nothing left to a token's defaults.
#pragma once

#include <p11-kit/pkcs11.h>

#include <deque>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/private_key.h"
#include "hsm/key.h"

namespace hsmsigner::hsm {

// An attribute list that owns its values, but for those it is told to refer to.
class Template {
 public:
  Template& add(CK_ATTRIBUTE_TYPE type, bool value);
  Template& add(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& add(CK_ATTRIBUTE_TYPE type, ByteView value);
  Template& add(CK_ATTRIBUTE_TYPE type, std::string_view text);
  // A secret value is not copied: it must outlive this.
  Template& refer(CK_ATTRIBUTE_TYPE type, ByteView value);

  // Valid until the next add(). Cryptoki wants it not const and leaves it alone.
  CK_ATTRIBUTE* data() noexcept { return attributes_.data(); }
  CK_ULONG size() const noexcept { return attributes_.size(); }

 private:
  Template& add_octets(CK_ATTRIBUTE_TYPE type, const void* data, std::size_t size);

  std::deque<Bytes> values_;  // a deque: growing it leaves the values where they are
  std::vector<CK_ATTRIBUTE> attributes_;
};

struct KeyPairTemplates {
  CK_MECHANISM_TYPE mechanism;  // of C_GenerateKeyPair
  Template private_key;
  Template public_key;
};

KeyPairTemplates key_pair_templates(const KeyRequest& request);

// The private key alone, for a key that comes from outside: to be unwrapped, or with its parts to be created.
Template imported_key_template(const ImportRequest& request, KeyFamily family);
Template imported_key_template(const ImportRequest& request, const PrivateKey& key);

// What finds the private key of this id, and private keys as such.
Template private_key_query(const Uuid& id);
Template private_keys_query();

}  // namespace hsmsigner::hsm
