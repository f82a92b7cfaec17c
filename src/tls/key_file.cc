#include "tls/key_file.h"

#include <openssl/pem.h>

#include "tls/openssl.h"

namespace hsmsigner::tls {

std::shared_ptr<evp_pkey_st> key_from_pem(std::string_view pem, const std::string& setting) {
  ERR_clear_error();
  const BioPtr in = reader_of(pem);
  bool asked = false;
  // Never OpenSSL's own prompt on the terminal.
  const auto ask = [](char*, int, int, void* was_asked) {
    *static_cast<bool*>(was_asked) = true;
    return -1;
  };
  std::shared_ptr<evp_pkey_st> key(PEM_read_bio_PrivateKey(in.get(), nullptr, ask, &asked), EVP_PKEY_free);
  const std::string cause = openssl_errors();
  if (asked) {
    throw Error(ErrorKind::invalid_object,
                {setting + ": the key in it is encrypted, and there is nobody to ask for its passphrase when a server "
                           "starts; give an unencrypted key in a file of mode 0600, or keep the key in the token and "
                           "set tls.certificate"})
        .with_cause(cause);
  }
  if (!key) {
    throw Error(ErrorKind::invalid_object, {setting + ": holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"})
        .with_cause(cause);
  }
  return key;
}

}  // namespace hsmsigner::tls
