#include "hsm/key_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "hsm/ck_result.h"
#include "hsm/key_template.h"
#include "hsm/mechanisms.h"
#include "hsm/object_search.h"

namespace hsmsigner::hsm {
namespace {

// Room for any of the attributes read here: a 16384-bit modulus.
constexpr std::size_t kRoom = 2048;

Error not_allowed(const char* cause, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::internal_error, {"the token gave an answer that cannot be right"}, where).with_cause(cause);
}

// NSS softokn gives a CK_ULONG as the four octets of its database unless there is room for a CK_ULONG and no more.
std::size_t room_for(CK_ATTRIBUTE_TYPE type) {
  const bool number = type == CKA_KEY_TYPE || type == CKA_KEY_GEN_MECHANISM;
  return number ? sizeof(CK_ULONG) : kRoom;
}

// Reads a list of attributes in one call.
class Reader {
 public:
  explicit Reader(std::initializer_list<CK_ATTRIBUTE_TYPE> types) : values_(types.size()) {
    for (const CK_ATTRIBUTE_TYPE type : types) {
      Bytes& value = values_[attributes_.size()];
      value.resize(room_for(type));
      attributes_.push_back(CK_ATTRIBUTE{type, value.data(), value.size()});
    }
  }

  void read(Session& session, CK_OBJECT_HANDLE object) {
    const CK_RV rv = session.ck().C_GetAttributeValue(session.handle(), object, attributes_.data(), attributes_.size());
    // These three say that some attributes were not given, marked by their length, and the others were.
    if (rv != CKR_ATTRIBUTE_SENSITIVE && rv != CKR_ATTRIBUTE_TYPE_INVALID && rv != CKR_BUFFER_TOO_SMALL) {
      check("C_GetAttributeValue", rv);
    }
  }

  // Nothing for an attribute the token did not give.
  std::optional<ByteView> octets(CK_ATTRIBUTE_TYPE type) const {
    const auto found = std::ranges::find(attributes_, type, &CK_ATTRIBUTE::type);
    if (found == attributes_.end() || found->ulValueLen > kRoom) return std::nullopt;
    return ByteView(static_cast<const std::uint8_t*>(found->pValue), found->ulValueLen);
  }
  bool flag(CK_ATTRIBUTE_TYPE type) const {
    const auto value = octets(type);
    if (!value || value->size() != sizeof(CK_BBOOL)) throw not_allowed("a CK_BBOOL attribute of the key is not told");
    return value->front() != CK_FALSE;
  }
  // Nothing also for CK_UNAVAILABLE_INFORMATION.
  std::optional<CK_ULONG> number(CK_ATTRIBUTE_TYPE type) const {
    const auto value = octets(type);
    CK_ULONG number = CK_UNAVAILABLE_INFORMATION;
    if (!value || value->size() != sizeof number) return std::nullopt;
    std::memcpy(&number, value->data(), sizeof number);
    return number == CK_UNAVAILABLE_INFORMATION ? std::nullopt : std::optional(number);
  }

 private:
  std::vector<Bytes> values_;
  std::vector<CK_ATTRIBUTE> attributes_;
};

Bytes without_leading_zeros(ByteView number) {
  const auto first = std::ranges::find_if(number, [](std::uint8_t octet) { return octet != 0; });
  return Bytes(first, number.end());
}

unsigned bit_length(ByteView number) {
  const Bytes significant = without_leading_zeros(number);
  if (significant.empty()) return 0;
  return static_cast<unsigned>(significant.size() * 8) - static_cast<unsigned>(std::countl_zero(significant.front()));
}

struct Demand {
  const Uuid& id;
  bool block_export;
  bool local;  // else from outside
  KeyFamily family;
  unsigned bits;
};

std::optional<Mismatch> first_mismatch(const Demand& demand, const KeyAttributes& attributes) {
  struct Row {
    const char* name;
    bool reported;
    bool demanded;
    bool of_export_block = true;
  };
  const Row rows[] = {
      {"CKA_TOKEN", attributes.token, true},
      {"CKA_PRIVATE", attributes.is_private, true},
      {"CKA_SENSITIVE", attributes.sensitive, true},
      {"CKA_ALWAYS_SENSITIVE", attributes.always_sensitive, demand.local || attributes.always_sensitive},
      {"CKA_EXTRACTABLE", attributes.extractable, !demand.block_export},
      {"CKA_NEVER_EXTRACTABLE", attributes.never_extractable,
       demand.local ? demand.block_export : attributes.never_extractable},
      {"CKA_LOCAL", attributes.local, demand.local},
      {"CKA_SIGN", attributes.sign, true},
      {"CKA_DECRYPT", attributes.decrypt, false},
      {"CKA_UNWRAP", attributes.unwrap, false},
      {"CKA_DERIVE", attributes.derive, false},
      {"CKA_ID", std::ranges::equal(attributes.id, demand.id.bytes()), true, false},
      {"CKA_KEY_TYPE", attributes.family == demand.family, true, false},
      {attributes.family == KeyFamily::rsa ? "CKA_MODULUS" : "CKA_EC_PARAMS", attributes.bits == demand.bits, true,
       false},
  };
  for (const Row& row : rows) {
    if (row.reported != row.demanded) {
      return Mismatch{std::string("the token reports another ") + row.name + " than was asked for",
                      row.of_export_block};
    }
  }
  return std::nullopt;
}

}  // namespace

KeyAttributes read_attributes(Session& session, CK_OBJECT_HANDLE private_key) {
  Reader common{CKA_KEY_TYPE,
                CKA_ID,
                CKA_LABEL,
                CKA_TOKEN,
                CKA_PRIVATE,
                CKA_SENSITIVE,
                CKA_ALWAYS_SENSITIVE,
                CKA_EXTRACTABLE,
                CKA_NEVER_EXTRACTABLE,
                CKA_LOCAL,
                CKA_SIGN,
                CKA_DECRYPT,
                CKA_UNWRAP,
                CKA_DERIVE};
  common.read(session, private_key);
  KeyAttributes key;
  if (const auto id = common.octets(CKA_ID)) key.id.assign(id->begin(), id->end());
  if (const auto label = common.octets(CKA_LABEL)) key.label.assign(label->begin(), label->end());
  key.token = common.flag(CKA_TOKEN);
  key.is_private = common.flag(CKA_PRIVATE);
  key.sensitive = common.flag(CKA_SENSITIVE);
  key.always_sensitive = common.flag(CKA_ALWAYS_SENSITIVE);
  key.extractable = common.flag(CKA_EXTRACTABLE);
  key.never_extractable = common.flag(CKA_NEVER_EXTRACTABLE);
  key.local = common.flag(CKA_LOCAL);
  key.sign = common.flag(CKA_SIGN);
  key.decrypt = common.flag(CKA_DECRYPT);
  key.unwrap = common.flag(CKA_UNWRAP);
  key.derive = common.flag(CKA_DERIVE);

  CK_KEY_TYPE type = 0;
  const auto type_octets = common.octets(CKA_KEY_TYPE);
  if (!type_octets || type_octets->size() != sizeof type) throw not_allowed("no CKA_KEY_TYPE");
  std::copy(type_octets->begin(), type_octets->end(), reinterpret_cast<std::uint8_t*>(&type));
  // Apart from the rest, since a key has one or the other and some tokens give nothing after a stranger.
  if (type == mechanisms_of(KeyFamily::rsa).key_type) {
    Reader value{CKA_MODULUS, CKA_KEY_GEN_MECHANISM};
    value.read(session, private_key);
    key.generation_mechanism = value.number(CKA_KEY_GEN_MECHANISM);
    if (const auto modulus = value.octets(CKA_MODULUS)) key.bits = bit_length(*modulus);
  } else if (type == mechanisms_of(KeyFamily::ec).key_type) {
    key.family = KeyFamily::ec;
    Reader value{CKA_EC_PARAMS, CKA_KEY_GEN_MECHANISM};
    value.read(session, private_key);
    key.generation_mechanism = value.number(CKA_KEY_GEN_MECHANISM);
    const auto parameters = value.octets(CKA_EC_PARAMS);
    const auto curve = parameters ? curve_from_ec_parameters(*parameters) : std::nullopt;
    if (curve) key.bits = info(*curve).bits;
  } else {
    throw not_allowed("CKA_KEY_TYPE is neither RSA nor EC");
  }
  return key;
}

PublicKey read_public_key(Session& session, CK_OBJECT_HANDLE public_key, KeyAlgorithm algorithm) {
  if (info(algorithm).family == KeyFamily::rsa) {
    Reader value{CKA_MODULUS, CKA_PUBLIC_EXPONENT};
    value.read(session, public_key);
    const auto modulus = value.octets(CKA_MODULUS);
    const auto exponent = value.octets(CKA_PUBLIC_EXPONENT);
    if (!modulus || !exponent) throw not_allowed("the public key has no CKA_MODULUS or CKA_PUBLIC_EXPONENT");
    if (bit_length(*modulus) != info(algorithm).bits) throw not_allowed("CKA_MODULUS has not the bits asked for");
    return RsaPublicKey{without_leading_zeros(*modulus), without_leading_zeros(*exponent)};
  }
  Reader value{CKA_EC_POINT};
  value.read(session, public_key);
  const auto octets = value.octets(CKA_EC_POINT);
  auto point = octets ? ec_point_from_attribute(*octets, info(algorithm).bits) : std::nullopt;
  if (!point) throw not_allowed("CKA_EC_POINT is not an uncompressed point of the curve");
  return EcPublicKey{algorithm, std::move(*point)};
}

std::optional<Bytes> ec_point_from_attribute(ByteView value, unsigned field_bits) {
  const std::size_t point_size = 1 + 2 * ((std::size_t{field_bits} + 7) / 8);
  // DER: tag 04, then the length in one octet below 128, else 81 and one octet (no curve here needs more).
  const std::size_t header = point_size < 128 ? 2 : 3;
  if (value.size() == point_size + header && value[0] == 0x04 && value[header - 1] == point_size &&
      (header == 2 || value[1] == 0x81)) {
    value = value.subspan(header);
  }
  if (value.size() != point_size || value[0] != 0x04) return std::nullopt;
  return Bytes(value.begin(), value.end());
}

std::vector<CK_OBJECT_HANDLE> find_private_keys(Session& session, const Uuid& id) {
  std::vector<CK_OBJECT_HANDLE> found;
  {
    ObjectSearch search(session, private_key_query(id));
    // Fewer than asked for need not be the end.
    std::array<CK_OBJECT_HANDLE, 16> handles{};
    while (const std::size_t count = search.next(handles))
      found.insert(found.end(), handles.begin(), handles.begin() + count);
  }
  if (found.empty()) require_login(session);
  return found;
}

std::optional<CK_OBJECT_HANDLE> find_private_key(Session& session, const Uuid& id) {
  const std::vector<CK_OBJECT_HANDLE> found = find_private_keys(session, id);
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) {
    throw Error(ErrorKind::internal_error).with_cause("several keys in the token have the id " + id.to_string());
  }
  return found.front();
}

std::size_t count_private_keys(Session& session) {
  ObjectSearch search(session, private_keys_query());
  std::array<CK_OBJECT_HANDLE, 256> handles{};
  std::size_t total = 0;
  while (const std::size_t count = search.next(handles)) total += count;
  return total;
}

std::vector<CK_OBJECT_HANDLE> private_key_handles(Session& session) {
  ObjectSearch search(session, private_keys_query());
  std::vector<CK_OBJECT_HANDLE> all;
  std::array<CK_OBJECT_HANDLE, 256> handles{};
  while (const std::size_t count = search.next(handles)) {
    all.insert(all.end(), handles.begin(), handles.begin() + static_cast<std::ptrdiff_t>(count));
  }
  if (all.empty()) require_login(session);
  return all;
}

std::optional<NamedKey> read_name(Session& session, CK_OBJECT_HANDLE key) {
  NamedKey named;
  Reader name{CKA_ID, CKA_LABEL};
  try {
    name.read(session, key);
  } catch (const CkFailure& failure) {
    if (failure.rv() == CKR_OBJECT_HANDLE_INVALID) return std::nullopt;  // destroyed since it was found
    throw;
  }
  if (const auto id = name.octets(CKA_ID)) named.id.assign(id->begin(), id->end());
  if (const auto label = name.octets(CKA_LABEL)) named.label.assign(label->begin(), label->end());
  return named;
}

std::optional<RsaPublicKey> read_rsa_public_half(Session& session, CK_OBJECT_HANDLE private_key) {
  Reader value{CKA_MODULUS, CKA_PUBLIC_EXPONENT};
  value.read(session, private_key);
  const auto modulus = value.octets(CKA_MODULUS);
  const auto exponent = value.octets(CKA_PUBLIC_EXPONENT);
  if (!modulus || !exponent) return std::nullopt;
  return RsaPublicKey{without_leading_zeros(*modulus), without_leading_zeros(*exponent)};
}

namespace {

ListedKey read_listed_key(Session& session, CK_OBJECT_HANDLE handle) {
  ListedKey key;
  Reader name{CKA_ID, CKA_LABEL};
  name.read(session, handle);
  if (const auto id = name.octets(CKA_ID)) key.id.assign(id->begin(), id->end());
  if (const auto label = name.octets(CKA_LABEL)) key.label.assign(label->begin(), label->end());
  try {
    key.attributes = read_attributes(session, handle);
  } catch (const Error&) {
    return key;  // a stranger's key, or one that the token is silent about: it is listed as such
  }
  if (key.attributes->family == KeyFamily::rsa) {
    Reader value{CKA_MODULUS};
    value.read(session, handle);
    if (const auto modulus = value.octets(CKA_MODULUS)) key.modulus = without_leading_zeros(*modulus);
  }
  return key;
}

}  // namespace

std::vector<WalkedKey> walk_private_keys(Session& session) {
  const std::vector<CK_OBJECT_HANDLE> handles = private_key_handles(session);
  std::vector<WalkedKey> keys;
  keys.reserve(handles.size());
  for (const CK_OBJECT_HANDLE handle : handles) {
    if (std::chrono::steady_clock::now() > session.deadline()) {
      throw Error(ErrorKind::session_timeout, {"the token has more keys than could be read in time"});
    }
    try {
      keys.push_back({handle, read_listed_key(session, handle)});
    } catch (const CkFailure& failure) {
      if (failure.rv() != CKR_OBJECT_HANDLE_INVALID) throw;
    }
  }
  return keys;
}

std::optional<Mismatch> first_mismatch(const KeyRequest& request, const KeyAttributes& attributes) {
  const KeyAlgorithmInfo& algorithm = info(request.algorithm);
  return first_mismatch({request.id, request.block_export, true, algorithm.family, algorithm.bits}, attributes);
}

std::optional<std::string> why_not_as_asked(const KeyRequest& request, const KeyAttributes& attributes) {
  const std::optional<Mismatch> mismatch = first_mismatch(request, attributes);
  return mismatch ? std::optional(mismatch->sentence) : std::nullopt;
}

std::optional<Mismatch> first_mismatch(const ImportRequest& request, const PublicKey& key,
                                       const KeyAttributes& attributes) {
  return first_mismatch({request.id, request.block_export, false, family_of(key), bits_of(key)}, attributes);
}

}  // namespace hsmsigner::hsm
