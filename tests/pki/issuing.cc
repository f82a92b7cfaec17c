#include "issuing.h"

namespace test_support {

using namespace hsmsigner;

pki::CertificateSpec plain_spec(const char* common_name) {
  static std::uint8_t counter = 0;
  using namespace std::chrono;
  pki::CertificateSpec spec{};
  spec.serial = {0x5a, 0x01, 0xff, ++counter};
  spec.subject.common_name = common_name;
  spec.not_before = sys_days{2026y / January / 1};
  spec.not_after = sys_days{2049y / January / 1};  // the tools that judge go by today's clock
  spec.digest = Digest::sha256;
  return spec;
}

pki::CertificateSpec authority_spec(const char* common_name) {
  pki::CertificateSpec spec = plain_spec(common_name);
  spec.certificate_authority = true;
  return spec;
}

pki::Certificate self_signed(const pki::CertificateSpec& spec, Signer& signer) {
  return pki::build_certificate(spec, signer.public_key(), nullptr, signer, deadline_in(std::chrono::seconds(10)));
}

pki::Certificate issue(const pki::CertificateSpec& spec, const PublicKey& subject, const pki::Certificate& issuer,
                       Signer& signer) {
  return pki::build_certificate(spec, subject, &issuer, signer, deadline_in(std::chrono::seconds(10)));
}

}  // namespace test_support
