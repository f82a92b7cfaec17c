#include "pki/certificate.h"

#include <arpa/inet.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <limits>

#include "pki/certificate_impl.h"
#include "pki/public_key.h"

namespace hsmsigner::pki {
namespace {

[[noreturn]] void throw_no_certificate() {
  throw Error(ErrorKind::invalid_object, {"these octets are not an X.509 certificate"});
}

std::string one_line(const X509_NAME* name) {
  const OpensslText text(X509_NAME_oneline(name, nullptr, 0));
  return require_pointer(text.get(), "X509_NAME_oneline");
}

std::string hash_old(const X509_NAME* name) {
  // The first four octets of the name's MD5, little-endian.
  const auto value = static_cast<std::uint32_t>(X509_NAME_hash_old(name));
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  return to_hex(octets);
}

UnixTime to_unix_time(const ASN1_TIME* time) {
  std::tm utc{};
  require(ASN1_TIME_to_tm(time, &utc), "ASN1_TIME_to_tm");
  return UnixTime(std::chrono::seconds(::timegm(&utc)));
}

std::string ip_text(ByteView address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == 4 ? AF_INET : AF_INET6;
  if (address.size() != 4 && address.size() != 16) return {};
  if (::inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::string text_of(const ASN1_STRING* string) {
  const ByteView content = content_of(string);
  return {content.begin(), content.end()};
}

// Nothing for the kinds of GeneralName that AlternativeName has no word for.
std::optional<AlternativeName> to_alternative_name(const GENERAL_NAME* name) {
  int type = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  switch (type) {
    case GEN_DNS: return AlternativeName{AlternativeName::Kind::dns, text_of(value)};
    case GEN_EMAIL: return AlternativeName{AlternativeName::Kind::email, text_of(value)};
    case GEN_IPADD: {
      std::string text = ip_text(content_of(value));
      if (text.empty()) return std::nullopt;
      return AlternativeName{AlternativeName::Kind::ip, std::move(text)};
    }
    default: return std::nullopt;
  }
}

// Instead of OpenSSL's own, which asks at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string AlternativeName::to_string() const {
  switch (kind) {
    case Kind::dns: return "DNS:" + value;
    case Kind::ip: return "IP:" + value;
    case Kind::email: return "email:" + value;
  }
  return value;
}

X509Ptr parse_x509(ByteView der) {
  if (der.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  const unsigned char* begin = der.data();
  X509Ptr x509(d2i_X509(nullptr, &begin, static_cast<long>(der.size())));
  if (x509 && begin != der.data() + der.size()) return nullptr;
  return x509;
}

Certificate Certificate::from_der(ByteView der) {
  const CleanErrorQueue clean;
  X509Ptr x509 = parse_x509(der);
  if (!x509) throw_no_certificate();
  return Certificate(std::make_shared<const Impl>(Impl{std::move(x509), Bytes(der.begin(), der.end())}));
}

Certificate Certificate::from_pem(std::string_view pem) {
  const CleanErrorQueue clean;
  if (pem.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) throw_no_certificate();
  const BioPtr bio =
      require_pointer(BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))), "BIO_new_mem_buf");
  unsigned char* octets = nullptr;
  long size = 0;
  if (PEM_bytes_read_bio(&octets, &size, nullptr, PEM_STRING_X509, bio.get(), no_passphrase, nullptr) != 1) {
    throw_no_certificate();
  }
  const OpensslBytes owner(octets);
  return from_der({octets, static_cast<std::size_t>(size)});
}

Bytes Certificate::der() const { return impl_->der; }

std::string Certificate::pem() const {
  // RFC 7468 2: 64 characters a line.
  static constexpr std::size_t kLineOctets = 48;
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  const ByteView der = impl_->der;
  pem.reserve(der.size() * 3 / 2 + 64);
  std::array<unsigned char, 65> line{};  // EVP_EncodeBlock ends it with NUL
  for (std::size_t at = 0; at < der.size(); at += kLineOctets) {
    const std::size_t size = std::min(kLineOctets, der.size() - at);
    const int length = EVP_EncodeBlock(line.data(), &der[at], static_cast<int>(size));
    pem.append(line.begin(), line.begin() + length);
    pem += '\n';
  }
  return pem += "-----END CERTIFICATE-----\n";
}

std::string Certificate::subject() const {
  const CleanErrorQueue clean;
  return one_line(X509_get_subject_name(impl_->x509.get()));
}

std::string Certificate::issuer() const {
  const CleanErrorQueue clean;
  return one_line(X509_get_issuer_name(impl_->x509.get()));
}

std::string Certificate::subject_hash_old() const {
  const CleanErrorQueue clean;
  return hash_old(X509_get_subject_name(impl_->x509.get()));
}

std::string Certificate::issuer_hash_old() const {
  const CleanErrorQueue clean;
  return hash_old(X509_get_issuer_name(impl_->x509.get()));
}

UnixTime Certificate::not_before() const {
  const CleanErrorQueue clean;
  return to_unix_time(X509_get0_notBefore(impl_->x509.get()));
}

UnixTime Certificate::not_after() const {
  const CleanErrorQueue clean;
  return to_unix_time(X509_get0_notAfter(impl_->x509.get()));
}

std::string Certificate::serial_number() const {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(impl_->x509.get());
  // RFC 5280 4.1.2.2 forbids negative numbers and asks readers to cope with them; ASN1_INTEGER holds the magnitude.
  const std::string sign = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER ? "-" : "";
  return sign + to_upper_hex(content_of(serial));
}

std::string Certificate::fingerprint_sha256() const {
  const CleanErrorQueue clean;
  return to_colon_hex(hash(Digest::sha256, impl_->der));
}

std::vector<AlternativeName> Certificate::alternative_names() const {
  const CleanErrorQueue clean;
  std::vector<AlternativeName> result;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(impl_->x509.get(), NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return result;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (auto name = to_alternative_name(sk_GENERAL_NAME_value(names.get(), i))) result.push_back(std::move(*name));
  }
  return result;
}

bool Certificate::is_certificate_authority() const {
  const CleanErrorQueue clean;
  const std::uint32_t flags = X509_get_extension_flags(impl_->x509.get());
  if ((flags & EXFLAG_INVALID) != 0 || (flags & EXFLAG_CA) == 0) return false;
  // All bits are set when there is no keyUsage, which then restricts nothing (RFC 5280 6.1.4 (n)).
  return (X509_get_key_usage(impl_->x509.get()) & KU_KEY_CERT_SIGN) != 0;
}

std::optional<unsigned> Certificate::path_length() const {
  const CleanErrorQueue clean;
  const long length = X509_get_pathlen(impl_->x509.get());
  if (length < 0) return std::nullopt;
  return static_cast<unsigned>(length);
}

bool Certificate::is_self_issued() const {
  const CleanErrorQueue clean;
  X509* x509 = impl_->x509.get();
  return X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
}

PublicKey Certificate::public_key() const {
  const CleanErrorQueue clean;
  return read_public_key(X509_get_X509_PUBKEY(impl_->x509.get()));
}

bool Certificate::verifies_with(const PublicKey& issuer_key) const {
  const CleanErrorQueue clean;
  const EvpPkeyPtr key = to_evp_pkey(issuer_key);
  return X509_verify(impl_->x509.get(), key.get()) == 1;
}

}  // namespace hsmsigner::pki
