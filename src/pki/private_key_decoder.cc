#include "pki/private_key_decoder.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "pki/der_reader.h"
#include "pki/private_key_check.h"
#include "pki/refuse.h"
#include "pki/secret_der.h"

namespace hsmsigner::pki {
namespace {

constexpr unsigned kMinRsaBits = 512;
constexpr unsigned kMaxRsaBits = 16384;     // OpenSSL's OPENSSL_RSA_MAX_MODULUS_BITS
constexpr std::size_t kMaxRsaExponent = 8;  // octets: OpenSSL's OPENSSL_RSA_MAX_PUBEXP_BITS for large moduli

// The content octets of OBJECT IDENTIFIERs.
constexpr std::array<std::uint8_t, 9> kRsaEncryption{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
constexpr std::array<std::uint8_t, 9> kRsassaPss{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
constexpr std::array<std::uint8_t, 7> kEcPublicKey{0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
constexpr std::array<std::uint8_t, 7> kDsa{0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
constexpr std::array<std::uint8_t, 3> kEd25519{0x2b, 0x65, 0x70};
constexpr std::array<std::uint8_t, 3> kEd448{0x2b, 0x65, 0x71};

struct OtherKind {
  ByteView object_identifier;
  std::string_view name;
};
const std::array<OtherKind, 4>& other_kinds() {
  static const std::array<OtherKind, 4> kinds{{
      {kRsassaPss, "holds an RSA key that is for RSASSA-PSS only"},
      {kDsa, "holds a DSA key"},
      {kEd25519, "holds an Ed25519 key"},
      {kEd448, "holds an Ed448 key"},
  }};
  return kinds;
}

[[noreturn]] void refuse_malformed(std::string_view field, SourcePlace where = SourcePlace::here()) {
  refuse(field, "holds a private key that is damaged", where);
}

// For what the optional holds in a key that is as it must be.
template <typename T>
T need(std::optional<T> value, std::string_view field, SourcePlace where = SourcePlace::here()) {
  if (!value) refuse_malformed(field, where);
  return *value;
}

// RFC 5480 2.1.1: namedCurve, never specifiedCurve or implicitCurve.
KeyAlgorithm curve_of(ByteView ec_parameters, std::string_view field) {
  if (const auto curve = curve_from_ec_parameters(ec_parameters)) return *curve;
  if (DerReader(ec_parameters).next_tag() == der_tag::object_identifier) {
    refuse_kind(field, "holds an EC key on another curve");
  }
  refuse_kind(field, "holds an EC key that spells out its curve instead of naming it");
}

// PrivateKeyInfo around a key. `parameters` is DER: NULL or the curve's name.
Secret wrap(ByteView object_identifier, ByteView parameters, ByteView private_key) {
  WipedBytes algorithm;
  append_element(algorithm, der_tag::object_identifier, object_identifier);
  algorithm.insert(algorithm.end(), parameters.begin(), parameters.end());
  WipedBytes content;
  append_magnitude(content, {});  // version: v1(0)
  append_element(content, der_tag::sequence, algorithm);
  append_element(content, der_tag::octet_string, private_key);
  WipedBytes der;
  append_element(der, der_tag::sequence, content);
  return Secret(ByteView(der));
}

Secret encode_rsa(const RsaPrivateKey& key) {
  static constexpr std::array<std::uint8_t, 2> kNull{der_tag::null, 0};
  WipedBytes numbers;
  append_magnitude(numbers, {});  // version: two-prime(0)
  append_magnitude(numbers, key.public_key.modulus);
  append_magnitude(numbers, key.public_key.exponent);
  for (const Secret* number :
       {&key.private_exponent, &key.prime_1, &key.prime_2, &key.exponent_1, &key.exponent_2, &key.coefficient}) {
    append_magnitude(numbers, number->bytes());
  }
  WipedBytes der;
  append_element(der, der_tag::sequence, numbers);
  return wrap(kRsaEncryption, kNull, der);
}

// The curve stands in the AlgorithmIdentifier, once; the public key is there for readers that do not compute it.
Secret encode_ec(const EcPrivateKey& key) {
  static constexpr std::array<std::uint8_t, 1> kVersion{1};
  WipedBytes bits{0};  // no unused ones
  bits.insert(bits.end(), key.public_key.point.begin(), key.public_key.point.end());
  WipedBytes bit_string;
  append_element(bit_string, der_tag::bit_string, bits);
  WipedBytes content;
  append_magnitude(content, kVersion);
  append_element(content, der_tag::octet_string, key.value.bytes());
  append_element(content, der_tag::context_1, bit_string);
  WipedBytes der;
  append_element(der, der_tag::sequence, content);
  return wrap(kEcPublicKey, info(key.public_key.curve).ec_parameters, der);
}

// As long as the field, whatever was written: some writers drop leading zero octets.
Secret padded(ByteView value, std::size_t size) {
  WipedBytes octets(size - value.size());
  octets.insert(octets.end(), value.begin(), value.end());
  return Secret(ByteView(octets));
}

// The content of publicKey [1] BIT STRING, without the count of unused bits.
ByteView point_of(ByteView context_1, std::string_view field) {
  DerReader reader(context_1);
  const ByteView bits = need(reader.take(der_tag::bit_string), field);
  if (!reader.at_end() || bits.empty() || bits.front() != 0) refuse_malformed(field);
  return bits.subspan(1);
}

}  // namespace

void refuse_kind(std::string_view field, std::string_view what) {
  std::string curves;
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    if (row.family != KeyFamily::ec) continue;
    curves += curves.empty() ? "" : ", ";
    curves += row.name;
  }
  refuse(field, std::string(what) + "; taken are RSA keys of " + std::to_string(kMinRsaBits) + " to " +
                    std::to_string(kMaxRsaBits) + " bits and EC keys on the curves " + curves);
}

PrivateKey decode_rsa_private_key(ByteView der, std::string_view field) {
  DerReader reader(need(whole_sequence(der), field));
  const unsigned version = need(reader.take_small(), field);
  if (version == 1) refuse_kind(field, "holds an RSA key of more than two primes");
  if (version != 0) refuse_malformed(field);
  const auto next = [&] { return need(reader.take_unsigned(), field); };
  const auto next_octets = [&] {
    const ByteView magnitude = next();
    return Bytes(magnitude.begin(), magnitude.end());
  };
  // Braces, so that they are read in this order.
  RsaPrivateKey key{RsaPublicKey{next_octets(), next_octets()},
                    Secret(next()),
                    Secret(next()),
                    Secret(next()),
                    Secret(next()),
                    Secret(next()),
                    Secret(next())};
  if (!reader.at_end()) refuse_malformed(field);
  const unsigned bits = bits_of(PublicKey(key.public_key));
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    refuse_kind(field, "holds an RSA key of " + std::to_string(bits) + " bits");
  }
  const Bytes& exponent = key.public_key.exponent;
  if (exponent.size() > kMaxRsaExponent) refuse(field, "holds an RSA key whose public exponent is larger than 64 bits");
  const bool too_small = exponent.empty() || (exponent.size() == 1 && exponent.front() < 3);
  if (too_small || (exponent.back() & 1) == 0 || !is_consistent(key)) {
    refuse(field, "holds an RSA key whose numbers do not belong together");
  }
  Secret pkcs8 = encode_rsa(key);
  return PrivateKey{std::move(pkcs8), std::move(key)};
}

PrivateKey decode_ec_private_key(ByteView der, std::optional<KeyAlgorithm> curve, std::string_view field) {
  DerReader reader(need(whole_sequence(der), field));
  if (reader.take_small() != 1U) refuse_malformed(field);
  const ByteView value = without_leading_zeros(need(reader.take(der_tag::octet_string), field));
  if (const auto parameters = reader.take(der_tag::context_0)) {
    const KeyAlgorithm named = curve_of(*parameters, field);
    if (curve && *curve != named) refuse_malformed(field);
    curve = named;
  }
  if (!curve) refuse_kind(field, "holds an EC key that does not name its curve");
  const std::size_t size = (info(*curve).bits + 7) / 8;
  Bytes point = value.size() <= size ? public_point(*curve, value) : Bytes();
  if (point.empty()) refuse(field, "holds an EC key whose private value is not one of its curve");
  if (const auto given = reader.take(der_tag::context_1)) {
    if (uncompressed_point(*curve, point_of(*given, field)) != point) {
      refuse(field, "holds an EC key whose public and private half do not belong together");
    }
  }
  if (!reader.at_end()) refuse_malformed(field);
  EcPrivateKey key{EcPublicKey{*curve, std::move(point)}, padded(value, size)};
  Secret pkcs8 = encode_ec(key);
  return PrivateKey{std::move(pkcs8), std::move(key)};
}

PrivateKey decode_private_key_info(ByteView der, std::string_view field) {
  DerReader reader(need(whole_sequence(der), field));
  if (need(reader.take_small(), field) > 1) refuse_malformed(field);  // v1, and v2 of RFC 5958
  DerReader algorithm(need(reader.take(der_tag::sequence), field));
  const ByteView key = need(reader.take(der_tag::octet_string), field);
  if (reader.next_tag() == der_tag::context_0) need(reader.take_element(), field);                 // attributes
  if (!reader.at_end() && (reader.next_tag() & 0xdf) == 0x81) need(reader.take_element(), field);  // [1] publicKey
  if (!reader.at_end()) refuse_malformed(field);

  const ByteView kind = need(algorithm.take(der_tag::object_identifier), field);
  const ByteView parameters = algorithm.at_end() ? ByteView() : need(algorithm.take_element(), field);
  if (!algorithm.at_end()) refuse_malformed(field);
  if (std::ranges::equal(kind, kRsaEncryption)) return decode_rsa_private_key(key, field);
  if (std::ranges::equal(kind, kEcPublicKey)) {
    const auto curve = parameters.empty() ? std::nullopt : std::optional(curve_of(parameters, field));
    return decode_ec_private_key(key, curve, field);
  }
  for (const OtherKind& other : other_kinds()) {
    if (std::ranges::equal(kind, other.object_identifier)) refuse_kind(field, other.name);
  }
  refuse_kind(field, "holds a key of another kind");
}

}  // namespace hsmsigner::pki
