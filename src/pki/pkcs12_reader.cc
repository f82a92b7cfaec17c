#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "pki/certificate_file.h"
#include "pki/certificate_impl.h"
#include "pki/der_reader.h"
#include "pki/imported_certificate.h"
#include "pki/password_encryption.h"
#include "pki/pem_blocks.h"
#include "pki/pkcs12.h"
#include "pki/private_key_decoder.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

constexpr std::size_t kMaxCertificates = 32;  // each may be compared with each
constexpr int kMaxDepth = 4;                  // of SafeContents in SafeContents

[[noreturn]] void refuse_damaged(SourcePlace where = SourcePlace::here()) {
  refuse(kCertificateFile, "is a PKCS#12 file that is damaged", where);
}

void wipe_data(PKCS7* safe) noexcept {
  if (safe == nullptr || !PKCS7_type_is_data(safe) || safe->d.data == nullptr) return;
  OPENSSL_cleanse(safe->d.data->data, static_cast<std::size_t>(safe->d.data->length));
}

// OpenSSL gives out copies of it only (RFC 7292 4, authSafe); where it stands the structure's template tells.
PKCS7* authenticated_safe(PKCS12* file) noexcept {
  const ASN1_ITEM* item = ASN1_ITEM_rptr(PKCS12);
  for (long i = 0; i < item->tcount; ++i) {
    const ASN1_TEMPLATE& field = item->templates[i];
    if (ASN1_ITEM_ptr(field.item) != ASN1_ITEM_rptr(PKCS7)) continue;
    return *reinterpret_cast<PKCS7**>(reinterpret_cast<char*>(file) + field.offset);
  }
  return nullptr;
}

ReadFilePtr decode_file(ByteView file) {
  if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) refuse(kCertificateFile, "is too large");
  const unsigned char* begin = file.data();
  ReadFilePtr pkcs12(d2i_PKCS12(nullptr, &begin, static_cast<long>(file.size())));
  if (pkcs12 && begin == file.data() + file.size()) return pkcs12;
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (looks_like_pem(text)) refuse(kCertificateFile, "is PEM, not PKCS#12");
  if (pkcs12 || shape_of(file) == DerShape::pkcs12) refuse_damaged();
  refuse(kCertificateFile, "is no PKCS#12 file");
}

SafeBagsPtr decode_bags(ByteView der) {
  const unsigned char* begin = der.data();
  SafeBagsPtr bags(reinterpret_cast<STACK_OF(PKCS12_SAFEBAG)*>(
      ASN1_item_d2i(nullptr, &begin, static_cast<long>(der.size()), ASN1_ITEM_rptr(PKCS12_SAFEBAGS))));
  ERR_clear_error();
  return bags;
}

// Takes certificates and keys out of the file.
class Reader {
 public:
  explicit Reader(const Secret& passphrase) : passphrase_(passphrase.view()), budget_(kCertificateFile) {
    if (passphrase.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) refuse_passphrase();
  }

  void read(PKCS12* file) {
    check_mac(file);
    const ReadSafesPtr safes(PKCS12_unpack_authsafes(file));
    if (!safes) refuse_damaged();
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) read_safe(sk_PKCS7_value(safes.get(), i));
  }

  std::vector<Certificate> certificates;  // each once
  std::vector<WipedBytes> keys;           // PrivateKeyInfo

 private:
  [[noreturn]] void refuse_passphrase() const {
    refuse("passphrase", passphrase_.empty() ? "is needed, the file is encrypted" : "is wrong");
  }

  // Whoever had the file had the key.
  [[noreturn]] static void refuse_key_in_the_clear() {
    refuse(kCertificateFile, "its private key is not encrypted; write the file anew with a passphrase for the key");
  }

  // An empty passphrase is either of two things, and only the MAC tells which.
  void check_mac(PKCS12* file) {
    candidates_ = {Passphrase(passphrase_)};
    if (passphrase_.empty()) candidates_.emplace_back(std::nullopt);
    if (PKCS12_mac_present(file) != 1) return;
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_INTEGER* iterations = nullptr;
    PKCS12_get0_mac(nullptr, &algorithm, nullptr, &iterations, file);
    const ASN1_OBJECT* digest = nullptr;
    X509_ALGOR_get0(&digest, nullptr, nullptr, algorithm);
    if (EVP_get_digestbyobj(digest) == nullptr) refuse(kCertificateFile, "has a MAC of a kind that is not supported");
    std::int64_t rounds = 1;  // RFC 7292 4: DEFAULT 1
    if (iterations != nullptr && ASN1_INTEGER_get_int64(&rounds, iterations) != 1) rounds = 0;
    for (const Passphrase& candidate : candidates_) {
      budget_.spend_rounds(rounds);
      if (PKCS12_verify_mac(file, data_of(candidate), size_of(candidate)) == 1) {
        candidates_ = {Passphrase(candidate)};
        return;
      }
    }
    refuse_passphrase();
  }

  // The first result of `parse` that is one.
  template <typename Parse>
  auto decrypt(const X509_ALGOR* algorithm, const ASN1_OCTET_STRING* octets, Parse parse) {
    for (const Passphrase& candidate : candidates_) {
      auto plain = decrypt_with_passphrase(algorithm, candidate, content_of(octets), budget_);
      if (!plain) continue;
      if (auto result = parse(std::move(*plain))) return result;
    }
    refuse_passphrase();
  }

  void read_safe(PKCS7* safe) {
    if (PKCS7_type_is_data(safe)) {
      if (safe->d.data == nullptr) refuse_damaged();
      const SafeBagsPtr bags = decode_bags(content_of(safe->d.data));
      if (!bags) refuse_damaged();
      return read_bags(bags.get(), false, 0);
    }
    if (!PKCS7_type_is_encrypted(safe)) refuse(kCertificateFile, "is not encrypted with a passphrase");
    if (safe->d.encrypted == nullptr || safe->d.encrypted->enc_data == nullptr) refuse_damaged();
    const PKCS7_ENC_CONTENT* content = safe->d.encrypted->enc_data;
    if (content->algorithm == nullptr || content->enc_data == nullptr) refuse_damaged();
    const SafeBagsPtr bags =
        decrypt(content->algorithm, content->enc_data, [](const WipedBytes& plain) { return decode_bags(plain); });
    read_bags(bags.get(), true, 0);
  }

  void read_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, bool encrypted, int depth) {
    if (depth > kMaxDepth) refuse_damaged();
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
      switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag:
          if (!encrypted) refuse_key_in_the_clear();
          read_key(bag);
          break;
        case NID_pkcs8ShroudedKeyBag: read_shrouded_key(bag); break;
        case NID_certBag: read_certificate(bag); break;
        case NID_safeContentsBag: read_bags(PKCS12_SAFEBAG_get0_safes(bag), encrypted, depth + 1); break;
        default: break;  // lists of revoked certificates, secrets
      }
    }
  }

  void read_key(const PKCS12_SAFEBAG* bag) {
    const PKCS8_PRIV_KEY_INFO* key = PKCS12_SAFEBAG_get0_p8inf(bag);
    const int size = i2d_PKCS8_PRIV_KEY_INFO(key, nullptr);
    if (size <= 0) refuse_damaged();
    WipedBytes der(static_cast<std::size_t>(size));
    unsigned char* end = der.data();
    if (i2d_PKCS8_PRIV_KEY_INFO(key, &end) != size) refuse_damaged();
    keys.push_back(std::move(der));
  }

  void read_shrouded_key(const PKCS12_SAFEBAG* bag) {
    const X509_SIG* shrouded = PKCS12_SAFEBAG_get0_pkcs8(bag);
    if (shrouded == nullptr) refuse_damaged();
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_OCTET_STRING* octets = nullptr;
    X509_SIG_get0(shrouded, &algorithm, &octets);
    auto key = decrypt(algorithm, octets, [](WipedBytes&& plain) {
      return whole_sequence(plain) ? std::optional(std::move(plain)) : std::nullopt;
    });
    keys.push_back(std::move(*key));
  }

  void read_certificate(const PKCS12_SAFEBAG* bag) {
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return;
    const X509Ptr x509(PKCS12_SAFEBAG_get1_cert(bag));
    if (!x509) refuse(kCertificateFile, "holds a certificate that is damaged");
    const Certificate certificate =
        Certificate::from_der(i2d([&](unsigned char** out) { return i2d_X509(x509.get(), out); }));
    const Bytes der = certificate.der();
    if (std::ranges::any_of(certificates, [&](const Certificate& other) { return other.der() == der; })) return;
    if (certificates.size() == kMaxCertificates) {
      refuse(kCertificateFile, "holds more than " + counted(kMaxCertificates, "certificate"));
    }
    certificates.push_back(certificate);
  }

  std::string_view passphrase_;
  std::vector<Passphrase> candidates_;
  DerivationBudget budget_;
};

// Old roots do not say that they are authorities (version 1): they are known by what they have signed.
bool is_authority(const Certificate& candidate, const std::vector<Certificate>& all) {
  if (candidate.is_certificate_authority()) return true;
  EVP_PKEY* key = X509_get0_pubkey(candidate.impl().with_key());
  if (key == nullptr) return false;
  return std::ranges::any_of(all, [&](const Certificate& other) {
    return &other != &candidate && other.issuer() == candidate.subject() &&
           X509_verify(other.impl().with_key(), key) == 1;
  });
}

std::vector<const Certificate*> end_entities(const std::vector<Certificate>& all) {
  std::vector<const Certificate*> result;
  for (const Certificate& certificate : all) {
    if (!is_authority(certificate, all)) result.push_back(&certificate);
  }
  return result;
}

[[noreturn]] void refuse_several(std::size_t number, const std::string& noun, const std::string& whose = {}) {
  refuse(kCertificateFile, "holds " + counted(number, noun) + whose + ", of which one can be taken");
}

const Certificate& choose_without_key(const std::vector<Certificate>& all) {
  if (all.size() == 1) return all.front();
  const auto leaves = end_entities(all);
  if (leaves.empty()) refuse_several(all.size(), "certificate");
  if (leaves.size() > 1) refuse_several(leaves.size(), "end-entity certificate");
  return *leaves.front();
}

bool belongs_to(const Certificate& certificate, const PublicKey& key) {
  try {
    return certificate.public_key() == key;
  } catch (const Error&) {
    return false;  // an authority's of a kind that is not taken
  }
}

const Certificate& choose_with_key(const std::vector<Certificate>& all, const PublicKey& key) {
  const Certificate* found = nullptr;
  std::size_t count = 0;
  for (const Certificate& certificate : all) {
    if (!belongs_to(certificate, key)) continue;
    found = &certificate;
    ++count;
  }
  if (found == nullptr) refuse(kCertificateFile, "holds no certificate that belongs to its private key");
  if (count > 1) refuse_several(count, "certificate", " of its private key");
  auto leaves = end_entities(all);
  if (std::ranges::find(leaves, found) == leaves.end()) leaves.push_back(found);
  if (leaves.size() > 1) refuse_several(leaves.size(), "end-entity certificate");
  return *found;
}

}  // namespace

void free_read_safes(STACK_OF(PKCS7) * safes) noexcept {
  for (int i = 0; i < sk_PKCS7_num(safes); ++i) wipe_data(sk_PKCS7_value(safes, i));
  free_safes(safes);
}

void free_read_file(PKCS12* file) noexcept {
  wipe_data(authenticated_safe(file));
  PKCS12_free(file);
}

Pkcs12 parse_pkcs12(const Secret& file, const Secret& passphrase) {
  const CleanErrorQueue clean;
  const ReadFilePtr pkcs12 = decode_file(file.bytes());
  Reader reader(passphrase);
  reader.read(pkcs12.get());
  if (reader.certificates.empty()) refuse(kCertificateFile, "holds no certificate");
  if (reader.keys.empty()) {
    return Pkcs12{import_certificate(choose_without_key(reader.certificates).der()), std::nullopt};
  }
  if (reader.keys.size() > 1) refuse_several(reader.keys.size(), "private key");
  PrivateKey key = decode_private_key_info(reader.keys.front(), kCertificateFile);
  Certificate certificate = import_certificate(choose_with_key(reader.certificates, key.public_key()).der());
  return Pkcs12{std::move(certificate), std::move(key)};
}

}  // namespace hsmsigner::pki
