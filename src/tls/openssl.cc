#include "tls/openssl.h"

#include <openssl/pem.h>

namespace hsmsigner::tls {

BioPtr reader_of(std::string_view text) {
  return require_pointer(BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))), "BIO_new_mem_buf");
}

std::vector<X509Ptr> read_certificates(std::string_view pem, const std::string& setting) {
  ERR_clear_error();
  const BioPtr in = reader_of(pem);
  std::vector<X509Ptr> certificates;
  while (X509Ptr certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(certificate));
  }
  // The end of the text is an error of its own, of this reason.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string cause = openssl_errors();
  if (!at_end || certificates.empty()) {
    throw Error(
        ErrorKind::invalid_object,
        {setting + ": " +
         (certificates.empty() ? "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
                               : "certificate " + std::to_string(certificates.size() + 1) + " in it is broken")})
        .with_cause(cause);
  }
  return certificates;
}

std::string one_line(const X509_NAME* name) {
  const crypto::OpensslText text(require_pointer(X509_NAME_oneline(name, nullptr, 0), "X509_NAME_oneline"));
  return text.get();
}

}  // namespace hsmsigner::tls
