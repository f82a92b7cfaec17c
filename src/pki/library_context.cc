#include "pki/library_context.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include "pki/openssl.h"

namespace hsmsigner::pki {
namespace {

OSSL_LIB_CTX* make_context() {
  const CleanErrorQueue clean;
  std::unique_ptr<OSSL_LIB_CTX, OpensslFree<OSSL_LIB_CTX_free>> context(OSSL_LIB_CTX_new());
  require_pointer(context.get(), "OSSL_LIB_CTX_new");
  require_pointer(OSSL_PROVIDER_load(context.get(), "default"), "OSSL_PROVIDER_load default");
  OSSL_PROVIDER_load(context.get(), "legacy");
  return context.release();
}

}  // namespace

OSSL_LIB_CTX* file_library_context() {
  // Not freed: a destructor at exit would race with threads that still use it and with OpenSSL's own clean-up.
  static OSSL_LIB_CTX* const context = make_context();
  return context;
}

}  // namespace hsmsigner::pki
