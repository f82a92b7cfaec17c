// A certificate whose key is in the token.
#pragma once

#include <string>

#include "base/algorithm.h"
#include "base/uuid.h"
#include "hsm/token.h"
#include "tls/authority.h"

namespace tls_test {

struct TokenCertificate {
  // Makes the key there, and has the authority certify it.
  TokenCertificate(const Authority& authority, hsmsigner::hsm::Token& token, hsmsigner::KeyAlgorithm algorithm,
                   const std::string& name = "server");

  hsmsigner::Uuid id = hsmsigner::Uuid::random();
  hsmsigner::PublicKey public_key;
  std::string pem;
};

}  // namespace tls_test
