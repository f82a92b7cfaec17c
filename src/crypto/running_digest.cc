#include "crypto/running_digest.h"

#include "crypto/openssl.h"

namespace hsmsigner::crypto {

struct RunningSha256::State {
  std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>> context{
      require_pointer(EVP_MD_CTX_new(), "EVP_MD_CTX_new")};
};

RunningSha256::RunningSha256() : state_(std::make_unique<State>()) {
  require(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr), "EVP_DigestInit_ex");
}

RunningSha256::~RunningSha256() = default;

void RunningSha256::add(std::string_view octets) {
  require(EVP_DigestUpdate(state_->context.get(), octets.data(), octets.size()), "EVP_DigestUpdate");
}

std::string RunningSha256::hex() {
  Bytes value(info(Digest::sha256).size);
  require(EVP_DigestFinal_ex(state_->context.get(), value.data(), nullptr), "EVP_DigestFinal_ex");
  return to_hex(value);
}

}  // namespace hsmsigner::crypto
