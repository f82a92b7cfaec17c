#include "pki/certificate_file.h"

#include <ctime>
#include <string>

#include "base/base64.h"
#include "pki/certificate_impl.h"
#include "pki/der_reader.h"
#include "pki/imported_certificate.h"
#include "pki/pem_blocks.h"
#include "pki/refuse.h"

namespace hsmsigner::pki {
namespace {

std::string_view text_of(ByteView octets) { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }

constexpr std::size_t kMaxCertificate = 65536;  // octets of DER

bool is_date(const ASN1_TIME* time) {
  std::tm utc{};
  return ASN1_TIME_to_tm(time, &utc) == 1;
}

[[noreturn]] void refuse_private_key() {
  refuse(kCertificateFile, "holds a private key where only a certificate is taken; the key goes into key_file");
}

[[noreturn]] void refuse_without_certificate(const std::vector<PemBlock>& blocks) {
  for (const PemBlock& block : blocks) {
    if (is_request_label(block.label)) refuse(kCertificateFile, "holds a certification request, not a certificate");
    if (block.label.ends_with("PUBLIC KEY")) refuse(kCertificateFile, "holds a public key, not a certificate");
  }
  refuse(kCertificateFile, "holds no certificate");
}

// Why octets that are no certificate in DER are not.
[[noreturn]] void refuse_der(ByteView file) {
  if (looks_like_pem(text_of(file))) refuse(kCertificateFile, "is PEM, not DER");
  switch (shape_of(file)) {
    case DerShape::private_key_info:
    case DerShape::encrypted_private_key_info:
    case DerShape::rsa_private_key:
    case DerShape::ec_private_key: refuse_private_key();
    case DerShape::public_key: refuse(kCertificateFile, "holds a public key, not a certificate");
    case DerShape::pkcs12: refuse(kCertificateFile, "is a PKCS#12 file, whose format is pkcs12");
    case DerShape::certificate_like:
    case DerShape::unknown: break;
  }
  refuse(kCertificateFile, "holds no certificate");
}

}  // namespace

Certificate import_certificate(ByteView der) {
  const CleanErrorQueue clean;
  if (der.size() > kMaxCertificate) {
    refuse(kCertificateFile, "is longer than " + std::to_string(kMaxCertificate) + " octets");
  }
  const X509Ptr x509 = parse_x509(der);
  if (!x509) refuse(kCertificateFile, "holds a certificate that is damaged");
  // OpenSSL takes any octets for a date until it is asked what they say.
  if (!is_date(X509_get0_notBefore(x509.get())) || !is_date(X509_get0_notAfter(x509.get()))) {
    refuse(kCertificateFile, "holds a certificate with a malformed date");
  }
  Certificate certificate = Certificate::from_der(der);
  try {
    (void)certificate.public_key();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_object || error.details().empty()) throw;
    refuse(kCertificateFile, error.details().front());
  }
  return certificate;
}

Certificate parse_pem_certificate_file(ByteView file) {
  const CleanErrorQueue clean;
  const std::string_view text = text_of(file);
  if (!looks_like_pem(text) && !file.empty() && file.front() == der_tag::sequence && whole_sequence(file)) {
    refuse(kCertificateFile, "is DER, not PEM");
  }
  const auto blocks = split_pem(text);
  if (!blocks) refuse(kCertificateFile, "holds PEM that is damaged");
  const PemBlock* found = nullptr;
  std::size_t count = 0;
  for (const PemBlock& block : *blocks) {
    if (is_private_key_label(block.label)) refuse_private_key();
    if (!is_certificate_label(block.label)) continue;
    found = &block;
    ++count;
  }
  if (found == nullptr) refuse_without_certificate(*blocks);
  if (count > 1) refuse(kCertificateFile, "holds " + counted(count, "certificate") + ", of which one can be taken");
  const auto der = from_base64(found->base64);
  if (!der) refuse(kCertificateFile, "holds a certificate that is damaged");
  return import_certificate(*der);
}

Certificate parse_der_certificate_file(ByteView file) {
  const CleanErrorQueue clean;
  if (!parse_x509(file)) refuse_der(file);
  return import_certificate(file);
}

}  // namespace hsmsigner::pki
