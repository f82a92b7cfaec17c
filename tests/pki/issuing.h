// Certificates issued with keys in memory.
#pragma once

#include "pki/certificate_builder.h"
#include "support/software_signer.h"

namespace test_support {

// A leaf "www.example.com", SHA-256, one year from 2026-01-01.
hsmsigner::pki::CertificateSpec plain_spec(const char* common_name = "www.example.com");
// The same as an authority.
hsmsigner::pki::CertificateSpec authority_spec(const char* common_name = "Test CA");

hsmsigner::pki::Certificate self_signed(const hsmsigner::pki::CertificateSpec& spec, hsmsigner::Signer& signer);
hsmsigner::pki::Certificate issue(const hsmsigner::pki::CertificateSpec& spec, const hsmsigner::PublicKey& subject,
                                  const hsmsigner::pki::Certificate& issuer, hsmsigner::Signer& signer);

}  // namespace test_support
