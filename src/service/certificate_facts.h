// What a certificate and its key tell, as a record keeps it.
#pragma once

#include <string>
#include <vector>

#include "hsm/token.h"
#include "pki/certificate.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

store::KeyRecord key_record(const hsm::KeyAttributes& attributes, const hsm::TokenInfo& token);

// A record with nothing in it yet but where it is, and since when.
store::CertificateRecord new_record(const Container& container, const std::string& name, UnixTime created_at);

// Everything of `record` that the certificate itself says.
void fill_from(const pki::Certificate& certificate, store::CertificateRecord& record);

// What is weak about a key and the digest of the signature on it, a sentence each, beginning with the field's name.
std::vector<std::string> weaknesses(const PublicKey& key, std::optional<Digest> digest);

std::vector<std::string> texts_of(const std::vector<pki::AlternativeName>& names);

}  // namespace hsmsigner::service
