// Certificates and keys in files, made and read by other programs, and the bodies that carry them.
#pragma once

#include <string>
#include <vector>

#include "system/server.h"

namespace system_test {

std::string base64(const std::string& octets);  // on one line
// Also of the alphabet of URLs, with or without padding. Throws std::runtime_error for what is none.
std::string from_base64(const std::string& text);

// `openssl ARGUMENTS -in FILE -out FILE`: what it writes. Throws std::runtime_error when it fails.
std::string openssl(std::vector<std::string> arguments, const std::string& input);

// PKCS#8 in PEM: "RSA:2048", "P-256", "ED25519".
std::string new_key(const std::string& kind);
// Self-signed, in PEM, for 30 days.
std::string self_signed(const std::string& key, const std::string& common_name, bool authority = false);
// `openssl pkcs12 -export`; `certificates` is PEM of one or several, `key` may be "".
std::string pkcs12(const std::string& key, const std::string& certificates, const std::string& passphrase,
                   const std::vector<std::string>& options = {});
// The request's subject under the authority, with these lines of extensions. PEM.
std::string sign_request(const std::string& request, const std::string& authority, const std::string& authority_key,
                         const std::string& extensions);
// SubjectPublicKeyInfo in PEM.
std::string public_key_of_key(const std::string& key_pem);
std::string public_key_of_certificate(const std::string& certificate_pem);
// The secret number itself: an EC key's private value, an RSA key's private exponent. Octets.
std::string secret_octets(const std::string& key_pem);

// POST /certificates:import in folder "Shared". Base64 is made of both files; "" leaves the key out.
Body import_body(const std::string& name, const std::string& format, const std::string& certificate_file,
                 const std::string& key_file = "");
Reply import(const ServerFixture& server, const Body& body);
// Throws std::runtime_error with the answer unless it is 201.
Json must_import(const ServerFixture& server, const Body& body);
// POST /certificates/{id}:export
Reply export_as(const ServerFixture& server, const Json& made, const std::string& format,
                const std::string& passphrase = "");
// `certificate` of the answer, throwing std::runtime_error unless it is 201.
std::string must_export(const ServerFixture& server, const Json& made, const std::string& format,
                        const std::string& passphrase = "");

// The first PEM block in what a command wrote, from its BEGIN to its END line.
std::string pem_in(const std::string& text);

// Token objects with this certificate's label, as another program lists them.
std::size_t keys_of(const ServerFixture& server, const Json& made);
// An authority here that can sign: a P-256 leaf issued under it, verified by openssl. "" or what went wrong.
std::string why_not_usable(const ServerFixture& server, const Json& authority, const std::string& leaf_name);

}  // namespace system_test
