// A request for a certificate, for the tests of issuing.
#pragma once

#include <string>

#include "service/generation.h"

namespace service_test {

// P-256 in folder "F", the name for its common name too. Signed by itself unless `signed_by` names an authority.
inline hsmsigner::service::GenerateRequest sample_request(const std::string& name, const std::string& signed_by = "",
                                                          bool certificate_authority = false) {
  hsmsigner::service::GenerateRequest request;
  request.container = hsmsigner::Container{hsmsigner::ContainerKind::folder, "F"};
  request.algorithm = hsmsigner::KeyAlgorithm::ec_p256;
  request.certificate_name = name;
  request.common_name = name;
  request.digest = hsmsigner::Digest::sha256;
  request.signed_by = signed_by;
  request.certificate_authority = certificate_authority;
  return request;
}

}  // namespace service_test
