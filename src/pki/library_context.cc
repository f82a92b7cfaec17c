#include "pki/library_context.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <string>

#include "pki/openssl.h"

namespace hsmsigner::pki {
namespace {

using LibraryContextPtr = std::unique_ptr<OSSL_LIB_CTX, OpensslFree<OSSL_LIB_CTX_free>>;

LibraryContextPtr with_provider(const char* provider) {
  LibraryContextPtr context = require_pointer(LibraryContextPtr(OSSL_LIB_CTX_new()), "OSSL_LIB_CTX_new");
  require_pointer(OSSL_PROVIDER_load(context.get(), provider), std::string("OSSL_PROVIDER_load ") + provider);
  return context;
}

OSSL_LIB_CTX* make_file_context() {
  const CleanErrorQueue clean;
  LibraryContextPtr context = with_provider("default");
  OSSL_PROVIDER_load(context.get(), "legacy");
  return context.release();
}

OSSL_LIB_CTX* make_structure_context() {
  const CleanErrorQueue clean;
  // Without any the default provider would be loaded.
  return with_provider("null").release();
}

}  // namespace

// Not freed: a destructor at exit would race with threads that still use them and with OpenSSL's own clean-up.
OSSL_LIB_CTX* file_library_context() {
  static OSSL_LIB_CTX* const context = make_file_context();
  return context;
}

OSSL_LIB_CTX* structure_library_context() {
  static OSSL_LIB_CTX* const context = make_structure_context();
  return context;
}

}  // namespace hsmsigner::pki
