// Certificates as files hold them: PEM, DER, PKCS#12 (RFC 7292).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/private_key.h"
#include "base/secret.h"
#include "pki/certificate.h"

namespace hsmsigner::pki {

// All of these throw Error{invalid_object} with a sentence that begins with the field's name as the HTTP contract has
// it: "certificate_file: …" (no certificate; several: how many; a private key where only a certificate is taken) or
// "passphrase: …" (needed and not given, wrong).

Certificate parse_pem_certificate_file(ByteView file);
Certificate parse_der_certificate_file(ByteView file);

struct Pkcs12 {
  Certificate certificate;  // the one that the key belongs to; the only one where there is no key
  std::optional<PrivateKey> key;
};
// Takes old encryption (RC2-40, 3DES with SHA-1 MAC) as well as new (PBES2 with AES, SHA-2 MACs): at most 5 million
// rounds of derivation in all, and 32 MiB for scrypt. A private key that is not encrypted is refused. Further CA certificates of the chain in the file are passed over; several end-entity certificates are refused.
Pkcs12 parse_pkcs12(const Secret& file, const Secret& passphrase);

// Key and certificate: PBES2 with AES-256-CBC, PBKDF2-HMAC-SHA-256 and kPbkdf2Rounds rounds; MAC with SHA-256 and as
// many. DER.
Bytes make_pkcs12(const Certificate& certificate, const Secret& pkcs8, const std::string& friendly_name,
                  const Secret& passphrase);

}  // namespace hsmsigner::pki
