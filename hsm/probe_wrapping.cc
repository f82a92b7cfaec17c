#include "hsm/probe_wrapping.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/algorithm.h"
#include "base/der.h"
#include "hsm/ck_result.h"
#include "hsm/key_template.h"
#include "hsm/mechanisms.h"
#include "hsm/software_crypto.h"

namespace hsmsigner::hsm {
namespace {

// PKCS#11 3.0 section 2.14; pkcs11.h here is of 2.40.
constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210b;
// PKCS#11 2.40 mechanisms, 2.1.21 and 2.3.10; pkcs11.h here has the numbers and not the parameters.
struct RsaAesParameters {
  CK_ULONG ulAESKeyBits;
  CK_RSA_PKCS_OAEP_PARAMS* pOAEPParams;
};
struct EcdhAesParameters {
  CK_ULONG ulAESKeyBits;
  CK_ULONG kdf;
  CK_ULONG ulSharedDataLen;
  CK_BYTE* pSharedData;
};
// More than any mechanism here makes of a 4096-bit RSA key.
constexpr std::size_t kRoom = 16384;

std::vector<CK_MECHANISM_TYPE> wrapping_mechanisms(Session& session) {
  CK_FUNCTION_LIST& ck = session.ck();
  CK_SESSION_INFO where{};
  check("C_GetSessionInfo", ck.C_GetSessionInfo(session.handle(), &where));
  CK_ULONG count = 0;
  check("C_GetMechanismList", ck.C_GetMechanismList(where.slotID, nullptr, &count));
  std::vector<CK_MECHANISM_TYPE> all(count);
  check("C_GetMechanismList", ck.C_GetMechanismList(where.slotID, all.data(), &count));
  all.resize(std::min<std::size_t>(count, all.size()));
  std::erase_if(all, [&](CK_MECHANISM_TYPE type) {
    CK_MECHANISM_INFO told{};
    return ck.C_GetMechanismInfo(where.slotID, type, &told) != CKR_OK || (told.flags & CKF_WRAP) == 0;
  });
  return all;
}

// Fewer octets than this are not the key: of RSA one prime is enough.
std::size_t least_size(const PublicKey& key) {
  return family_of(key) == KeyFamily::rsa ? bits_of(key) / 16 : (bits_of(key) + 7) / 8;
}

std::string number_of(CK_MECHANISM_TYPE type) {
  char text[32];
  std::snprintf(text, sizeof text, "mechanism 0x%lx", type);
  return text;
}

// CK_MECHANISM and what it points to.
struct MechanismBlock {
  CK_MECHANISM mechanism{};
  Bytes iv;
  CK_AES_CTR_PARAMS ctr{};
  CK_GCM_PARAMS gcm{};
  CK_RSA_PKCS_OAEP_PARAMS oaep{};
  RsaAesParameters rsa_aes{};
  EcdhAesParameters ecdh_aes{};

  void point_to(void* parameter, std::size_t size) {
    mechanism.pParameter = parameter;
    mechanism.ulParameterLen = size;
  }
};

}  // namespace

struct WrappingTrial::Way {
  CK_MECHANISM_TYPE type;
  const char* name;
  KeyKind key;
  Parameter parameter;
  std::optional<WrappingForm> form;  // how what comes out is opened, where it is
};

#define WAY(name, ...) \
  { name, #name, __VA_ARGS__ }
const WrappingTrial::Way WrappingTrial::kWays[] = {
    WAY(CKM_AES_KEY_WRAP, KeyKind::aes, Parameter::none, {}),
    WAY(CKM_AES_KEY_WRAP_PAD, KeyKind::aes, Parameter::none, WrappingForm::key_wrap_pad),
    {kAesKeyWrapKwp, "CKM_AES_KEY_WRAP_KWP", KeyKind::aes, Parameter::none, WrappingForm::key_wrap_pad},
    WAY(CKM_AES_CBC_PAD, KeyKind::aes, Parameter::iv16, WrappingForm::cbc_pad),
    WAY(CKM_AES_CBC, KeyKind::aes, Parameter::iv16, {}),
    WAY(CKM_AES_ECB, KeyKind::aes, Parameter::none, {}),
    WAY(CKM_AES_CTS, KeyKind::aes, Parameter::iv16, {}),
    WAY(CKM_AES_OFB, KeyKind::aes, Parameter::iv16, {}),
    WAY(CKM_AES_CFB8, KeyKind::aes, Parameter::iv16, {}),
    WAY(CKM_AES_CFB128, KeyKind::aes, Parameter::iv16, {}),
    WAY(CKM_AES_CTR, KeyKind::aes, Parameter::ctr, {}),
    WAY(CKM_AES_GCM, KeyKind::aes, Parameter::gcm, {}),
    WAY(CKM_DES3_CBC_PAD, KeyKind::des3, Parameter::iv8, {}),
    WAY(CKM_DES3_CBC, KeyKind::des3, Parameter::iv8, {}),
    WAY(CKM_DES3_ECB, KeyKind::des3, Parameter::none, {}),
    WAY(CKM_DES_CBC_PAD, KeyKind::des, Parameter::iv8, {}),
    WAY(CKM_DES_CBC, KeyKind::des, Parameter::iv8, {}),
    WAY(CKM_DES_ECB, KeyKind::des, Parameter::none, {}),
    WAY(CKM_RSA_PKCS, KeyKind::rsa, Parameter::none, {}),
    WAY(CKM_RSA_PKCS_OAEP, KeyKind::rsa, Parameter::oaep, {}),
    WAY(CKM_RSA_X_509, KeyKind::rsa, Parameter::none, {}),
    WAY(CKM_RSA_AES_KEY_WRAP, KeyKind::rsa, Parameter::rsa_aes, {}),
    // No derivation of the key suits every token.
    {CKM_ECDH_AES_KEY_WRAP, "CKM_ECDH_AES_KEY_WRAP with CKD_NULL", KeyKind::ec, Parameter::ecdh_aes, {}},
    {CKM_ECDH_AES_KEY_WRAP, "CKM_ECDH_AES_KEY_WRAP with CKD_SHA256_KDF", KeyKind::ec, Parameter::ecdh_aes_sha256, {}},
};
#undef WAY

ProbeOutcome outcome_of(CK_RV rv) noexcept {
  if (rv == CKR_OK) return ProbeOutcome::unchanged;
  return ck_class(rv) == CkClass::other && rv != CKR_BUFFER_TOO_SMALL ? ProbeOutcome::refused : ProbeOutcome::failed;
}

WrappingTrial::WrappingTrial(Session& session, const PublicKey& target, const SoftwareRsaKey& rsa)
    : session_(session), target_(target), rsa_(rsa) {}

WrappingTrial::~WrappingTrial() {
  for (const auto& [kind, key] : keys_) {
    if (key.handle == CK_INVALID_HANDLE) continue;
    const CK_RV rv = session_.ck().C_DestroyObject(session_.handle(), key.handle);
    if (rv != CKR_OK) session_.failed(rv);
  }
}

const WrappingTrial::WrappingKey& WrappingTrial::key_of(KeyKind kind) {
  const auto found = keys_.find(kind);
  if (found != keys_.end()) return found->second;
  const auto made = [&] {
    switch (kind) {
      case KeyKind::aes: return make_aes();
      case KeyKind::des: return make_symmetric(CKK_DES, CKM_DES_KEY_GEN, 0);
      case KeyKind::des3: return make_symmetric(CKK_DES3, CKM_DES3_KEY_GEN, 0);
      case KeyKind::ec: return make_ec();
      case KeyKind::rsa: break;
    }
    return make_rsa();
  };
  return keys_.emplace(kind, made()).first->second;
}

WrappingTrial::WrappingKey WrappingTrial::make_aes() {
  WrappingKey key;
  Bytes value(kWrappingKeySize);
  key.made_by = "C_GenerateRandom";
  key.rv = session_.ck().C_GenerateRandom(session_.handle(), value.data(), value.size());
  if (key.rv == CKR_OK) {
    Template object;
    object.add(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY})
        .add(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
        .add(CKA_TOKEN, false)
        .add(CKA_WRAP, true)
        .refer(CKA_VALUE, value);
    key.rv = session_.ck().C_CreateObject(session_.handle(), object.data(), object.size(), &key.handle);
  }
  if (key.rv == CKR_OK) key.value = Secret(ByteView(value));
  cleanse(value);
  if (key.rv == CKR_OK) return key;
  // Tokens that take no key in the clear make one.
  return make_symmetric(CKK_AES, CKM_AES_KEY_GEN, kWrappingKeySize);
}

WrappingTrial::WrappingKey WrappingTrial::make_symmetric(CK_KEY_TYPE type, CK_MECHANISM_TYPE generate, CK_ULONG size) {
  WrappingKey key;
  Template object;
  object.add(CKA_CLASS, CK_ULONG{CKO_SECRET_KEY}).add(CKA_KEY_TYPE, type).add(CKA_TOKEN, false).add(CKA_WRAP, true);
  if (size > 0) object.add(CKA_VALUE_LEN, size);
  CK_MECHANISM mechanism{generate, nullptr, 0};
  key.made_by = "C_GenerateKey";
  key.rv = session_.ck().C_GenerateKey(session_.handle(), &mechanism, object.data(), object.size(), &key.handle);
  return key;
}

WrappingTrial::WrappingKey WrappingTrial::make_rsa() {
  const RsaPublicKey& known = rsa_.public_key();
  WrappingKey key;
  Template object;
  object.add(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .add(CKA_KEY_TYPE, CK_ULONG{CKK_RSA})
      .add(CKA_TOKEN, false)
      .add(CKA_MODULUS, ByteView(known.modulus))
      .add(CKA_PUBLIC_EXPONENT, ByteView(known.exponent))
      .add(CKA_WRAP, true);
  key.made_by = "C_CreateObject";
  key.rv = session_.ck().C_CreateObject(session_.handle(), object.data(), object.size(), &key.handle);
  return key;
}

WrappingTrial::WrappingKey WrappingTrial::make_ec() {
  Bytes point;
  append_der(point, der_tag::octet_string, ec_.point());
  WrappingKey key;
  Template object;
  object.add(CKA_CLASS, CK_ULONG{CKO_PUBLIC_KEY})
      .add(CKA_KEY_TYPE, CK_ULONG{CKK_EC})
      .add(CKA_TOKEN, false)
      .add(CKA_EC_PARAMS, info(KeyAlgorithm::ec_p256).ec_parameters)
      .add(CKA_EC_POINT, ByteView(point))
      .add(CKA_WRAP, true);
  key.made_by = "C_CreateObject";
  key.rv = session_.ck().C_CreateObject(session_.handle(), object.data(), object.size(), &key.handle);
  return key;
}

std::vector<WrapFinding> WrappingTrial::all(CK_OBJECT_HANDLE key) {
  std::vector<WrapFinding> findings;
  for (const CK_MECHANISM_TYPE type : wrapping_mechanisms(session_)) {
    bool known = false;
    for (const Way& way : kWays) {
      if (way.type != type) continue;
      known = true;
      findings.push_back(wrap(way, key));
    }
    if (known) continue;
    findings.push_back(
        {number_of(type), CKR_OK, ProbeOutcome::not_tried, "this program does not know how to use it", false});
  }
  return findings;
}

WrapFinding WrappingTrial::wrap(const Way& way, CK_OBJECT_HANDLE key) {
  WrapFinding found;
  found.mechanism = way.name;
  const WrappingKey& with = key_of(way.key);
  if (with.rv != CKR_OK) {
    found.rv = with.rv;
    found.remark = "no key to wrap with: " + std::string(with.made_by) + " " + ck_name(with.rv);
    return found;
  }
  MechanismBlock block;
  block.mechanism.mechanism = way.type;
  // Nothing is kept secret here: zeros will do.
  block.iv.assign(way.parameter == Parameter::iv8 ? 8 : kAesBlock, 0);
  switch (way.parameter) {
    case Parameter::none: break;
    case Parameter::iv8:
    case Parameter::iv16: block.point_to(block.iv.data(), block.iv.size()); break;
    case Parameter::ctr:
      block.ctr.ulCounterBits = 128;
      block.point_to(&block.ctr, sizeof block.ctr);
      break;
    case Parameter::gcm:
      block.gcm.pIv = block.iv.data();
      block.gcm.ulIvLen = 12;
      block.gcm.ulIvBits = 96;
      block.gcm.ulTagBits = 128;
      block.point_to(&block.gcm, sizeof block.gcm);
      break;
    case Parameter::oaep:
    case Parameter::rsa_aes:
      block.oaep = {CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, nullptr, 0};
      block.rsa_aes = {8 * kWrappingKeySize, &block.oaep};
      if (way.parameter == Parameter::oaep) {
        block.point_to(&block.oaep, sizeof block.oaep);
      } else {
        block.point_to(&block.rsa_aes, sizeof block.rsa_aes);
      }
      break;
    case Parameter::ecdh_aes:
    case Parameter::ecdh_aes_sha256:
      block.ecdh_aes = {8 * kWrappingKeySize,
                        way.parameter == Parameter::ecdh_aes ? CK_ULONG{CKD_NULL} : CK_ULONG{CKD_SHA256_KDF}, 0,
                        nullptr};
      block.point_to(&block.ecdh_aes, sizeof block.ecdh_aes);
      break;
  }
  Bytes wrapped(kRoom);
  CK_ULONG size = wrapped.size();
  found.rv = session_.ck().C_WrapKey(session_.handle(), &block.mechanism, with.handle, key, wrapped.data(), &size);
  found.outcome = outcome_of(found.rv);
  if (found.rv != CKR_OK) return found;
  if (size > wrapped.size()) {
    found.outcome = ProbeOutcome::failed;
    found.remark = "it says that it wrote more than there is room for";
    return found;
  }
  wrapped.resize(size);
  if (size < least_size(target_)) {
    found.remark = std::to_string(size) + " octets came out, too few to be the key";
    return found;
  }
  found.outcome = ProbeOutcome::leaked;
  judge(found, way, with, block.iv, wrapped);
  return found;
}

std::optional<Secret> WrappingTrial::open(const Way& way, const WrappingKey& with, ByteView iv,
                                          ByteView wrapped) const {
  if (way.form && !with.value.empty()) {
    return open_key(*way.form, with.value.bytes(), *way.form == WrappingForm::cbc_pad ? iv : ByteView(), wrapped);
  }
  if (way.type == CKM_RSA_PKCS || way.type == CKM_RSA_PKCS_OAEP) {
    return rsa_.open(wrapped, way.parameter == Parameter::oaep);
  }
  // An AES key, hidden in what comes first, and the key under it.
  const bool by_rsa = way.type == CKM_RSA_AES_KEY_WRAP;
  if (!by_rsa && way.type != CKM_ECDH_AES_KEY_WRAP) return std::nullopt;
  const std::size_t first = by_rsa ? rsa_.public_key().modulus.size() : ec_.point().size();
  if (wrapped.size() <= first) return std::nullopt;
  const AgreementKdf kdf = way.parameter == Parameter::ecdh_aes ? AgreementKdf::none : AgreementKdf::sha256;
  const std::optional<Secret> aes =
      by_rsa ? rsa_.open(wrapped.first(first), true) : ec_.agree(wrapped.first(first), kdf);
  if (!aes || aes->size() != kWrappingKeySize) return std::nullopt;
  return open_key(WrappingForm::key_wrap_pad, aes->bytes(), {}, wrapped.subspan(first));
}

void WrappingTrial::judge(WrapFinding& found, const Way& way, const WrappingKey& with, ByteView iv,
                          ByteView wrapped) const {
  const std::string size = std::to_string(wrapped.size()) + " octets came out";
  const std::optional<Secret> opened = open(way, with, iv, wrapped);
  found.proven = opened && is_private_half(opened->bytes(), target_);
  found.remark = !opened        ? size + "; not opened here"
                 : found.proven ? size + " and open to the private key itself, which signs"
                                : size + " and open, but not to this key";
}

}  // namespace hsmsigner::hsm
