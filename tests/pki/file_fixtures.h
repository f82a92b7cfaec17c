// Key and certificate files that the openssl command made, and what is said when one is refused.
#pragma once

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/error.h"
#include "base/private_key.h"
#include "base/secret.h"
#include "pki/certificate.h"
#include "support/temporary_directory.h"

namespace test_support {

// PEM of PKCS#8 from `openssl genpkey`; each is generated once per process.
const std::string& openssl_key(hsmsigner::KeyAlgorithm algorithm, int which = 0);
// What `openssl <arguments>` writes to a file given by -out, with `input` in a file given by -in. Both are files of a
// directory that is gone afterwards.
std::string openssl_convert(std::vector<std::string> arguments, const std::string& input);
// The providers that openssl needs for encryption of long ago.
std::vector<std::string> with_legacy(std::vector<std::string> arguments);
// `openssl req -x509` for this key: a leaf unless `extension` says otherwise.
std::string openssl_certificate(const std::string& key, const std::string& common_name,
                                const std::string& extension = "basicConstraints=critical,CA:FALSE");
// `openssl pkcs12 -export` of these, in PEM; `chain` as -certfile.
std::string openssl_pkcs12(const std::string& key, const std::string& certificate, const std::string& passphrase,
                           std::vector<std::string> options = {}, const std::string& chain = "");

// Whether this is that key: PKCS#8 as openssl writes it, and a signature that openssl makes with ours and verifies()
// under the parsed public half.
void check_same_key(const hsmsigner::PrivateKey& parsed, const std::string& pem);

inline hsmsigner::ByteView octets(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string text(hsmsigner::ByteView octets) { return {octets.begin(), octets.end()}; }
inline std::string text(const hsmsigner::Secret& secret) { return std::string(secret.view()); }

// The one public sentence of the Error{invalid_object} that `action` throws; "" when it throws nothing.
std::string refusal(const auto& action) {
  try {
    action();
  } catch (const hsmsigner::Error& error) {
    CAPTURE(error.what());
    CHECK(error.kind() == hsmsigner::ErrorKind::invalid_object);
    CHECK(error.details().size() == 1);
    CHECK(ERR_peek_error() == 0);
    return error.details().empty() ? "(none)" : error.details().front();
  }
  return {};
}

}  // namespace test_support
