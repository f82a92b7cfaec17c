#include "base/algorithm.h"

#include <algorithm>
#include <array>
#include <bit>

namespace hsmsigner {
namespace {

constexpr std::uint8_t kP256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};  // 1.2.840.10045.3.1.7
constexpr std::uint8_t kP384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};                    // 1.3.132.0.34
constexpr std::uint8_t kP521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};                    // 1.3.132.0.35

// In the order of the enumerators: info() indexes it.
const std::array<KeyAlgorithmInfo, 8> kKeyAlgorithms = {{
    {KeyAlgorithm::rsa_512, "RSA-512", KeyFamily::rsa, 512, {}, "", true},
    {KeyAlgorithm::rsa_1024, "RSA-1024", KeyFamily::rsa, 1024, {}, "", true},
    {KeyAlgorithm::rsa_2048, "RSA-2048", KeyFamily::rsa, 2048, {}, "", false},
    {KeyAlgorithm::rsa_3072, "RSA-3072", KeyFamily::rsa, 3072, {}, "", false},
    {KeyAlgorithm::rsa_4096, "RSA-4096", KeyFamily::rsa, 4096, {}, "", false},
    {KeyAlgorithm::ec_p256, "P-256", KeyFamily::ec, 256, kP256, "prime256v1", false},
    {KeyAlgorithm::ec_p384, "P-384", KeyFamily::ec, 384, kP384, "secp384r1", false},
    {KeyAlgorithm::ec_p521, "P-521", KeyFamily::ec, 521, kP521, "secp521r1", false},
}};

// RFC 8017 9.2, note 1.
constexpr std::uint8_t kMd5[] = {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10};
constexpr std::uint8_t kSha1[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                  0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
constexpr std::uint8_t kSha256[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
constexpr std::uint8_t kSha384[] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                    0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};
constexpr std::uint8_t kSha512[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                    0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};

// In the order of the enumerators: info() indexes it.
const std::array<DigestAlgorithmInfo, 5> kDigests = {{
    {Digest::md5, "md5", 16, kMd5, false, true},
    {Digest::sha1, "sha1", 20, kSha1, true, true},
    {Digest::sha256, "sha256", 32, kSha256, true, false},
    {Digest::sha384, "sha384", 48, kSha384, true, false},
    {Digest::sha512, "sha512", 64, kSha512, true, false},
}};

}  // namespace

std::span<const KeyAlgorithmInfo> key_algorithms() noexcept { return kKeyAlgorithms; }

const KeyAlgorithmInfo& info(KeyAlgorithm algorithm) noexcept {
  return kKeyAlgorithms[static_cast<std::size_t>(algorithm)];
}

std::optional<KeyAlgorithm> curve_from_ec_parameters(ByteView ec_parameters) noexcept {
  for (const KeyAlgorithmInfo& row : kKeyAlgorithms) {
    if (row.family == KeyFamily::ec && std::ranges::equal(row.ec_parameters, ec_parameters)) return row.algorithm;
  }
  return std::nullopt;
}

std::string_view to_string(KeyFamily family) noexcept { return family == KeyFamily::rsa ? "RSA" : "EC"; }

std::span<const DigestAlgorithmInfo> digests() noexcept { return kDigests; }

const DigestAlgorithmInfo& info(Digest digest) noexcept { return kDigests[static_cast<std::size_t>(digest)]; }

std::optional<Digest> digest_from_name(std::string_view name) noexcept {
  for (const DigestAlgorithmInfo& row : kDigests) {
    if (row.name == name) return row.digest;
  }
  return std::nullopt;
}

KeyFamily family_of(const PublicKey& key) noexcept {
  return std::holds_alternative<RsaPublicKey>(key) ? KeyFamily::rsa : KeyFamily::ec;
}

unsigned bits_of(const PublicKey& key) noexcept {
  if (const auto* ec = std::get_if<EcPublicKey>(&key)) return info(ec->curve).bits;
  const Bytes& modulus = std::get<RsaPublicKey>(key).modulus;
  if (modulus.empty()) return 0;
  return static_cast<unsigned>((modulus.size() - 1) * 8) + static_cast<unsigned>(std::bit_width(modulus.front()));
}

std::optional<std::string> why_cannot_sign(KeyFamily family, unsigned bits, Digest digest) {
  const DigestAlgorithmInfo& hash = info(digest);
  if (family == KeyFamily::ec) {
    if (hash.ecdsa) return std::nullopt;
    return "no ECDSA signature exists with " + std::string(hash.name);
  }
  const std::size_t block = (bits + 7) / 8;
  const std::size_t needed = hash.digest_info_prefix.size() + hash.size + 11;
  if (block >= needed) return std::nullopt;
  return "an RSA key of " + std::to_string(bits) + " bits cannot sign " + std::string(hash.name) + ": its block of " +
         std::to_string(block) + " octets is shorter than the " + std::to_string(needed) + " needed";
}

}  // namespace hsmsigner
