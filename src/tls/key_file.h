// A private key from a file's contents.
#pragma once

#include <memory>
#include <string>
#include <string_view>

// OpenSSL's own tag: EVP_PKEY.
struct evp_pkey_st;

namespace hsmsigner::tls {

// Unencrypted PEM: PKCS#8 or the traditional forms. Throws Error{invalid_object}, "`setting`: …".
std::shared_ptr<evp_pkey_st> key_from_pem(std::string_view pem, const std::string& setting = "tls.key_file");

}  // namespace hsmsigner::tls
