#include "tls/context.h"

#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "tls/openssl.h"
#include "tls/tls_transport.h"

namespace hsmsigner::tls {
namespace {

// RFC 9325 4.2: ECDHE with AES-GCM or ChaCha20-Poly1305. TLS 1.3 has no others but CCM.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
constexpr const char* kCiphers13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
// Neither SHA-1 nor SHA-224: the former is broken, the latter the token's signer does not know.
constexpr const char* kSignatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:"
    "RSA+SHA512:ed25519";
constexpr int kLongestClientChain = 8;

Error fault(const std::string& setting, const std::string& sentence, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::invalid_object, {setting + ": " + sentence}, where).with_cause(openssl_errors());
}

// RFC 7301 3.2: a client that names protocols and not this one is told so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, kHttp11, sizeof kHttp11 - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void limit_protocol(SSL_CTX* context) {
  // 112 bits (RSA of 2048, EC of 224), no SHA-1: whatever the system's configuration says.
  SSL_CTX_set_security_level(context, 2);
  require(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION), "SSL_CTX_set_min_proto_version");
  require(SSL_CTX_set_cipher_list(context, kCiphers12), "SSL_CTX_set_cipher_list");
  require(SSL_CTX_set_ciphersuites(context, kCiphers13), "SSL_CTX_set_ciphersuites");
  std::string signatures(kSignatures);  // the macro wants a char*
  require(SSL_CTX_set1_sigalgs_list(context, signatures.data()), "SSL_CTX_set1_sigalgs_list");
  // No resumption: connections are kept alive, and a client certificate is looked at in every handshake.
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  require(SSL_CTX_set_num_tickets(context, 0), "SSL_CTX_set_num_tickets");
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // SSL_read comes back after each record, so that a peer's endless key updates meet the deadline.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

void use_certificate(SSL_CTX* context, const ContextOptions& options) {
  const std::string& setting = options.certificate_setting;
  const std::vector<X509Ptr> chain = read_certificates(options.certificate_chain, setting);
  X509* const own = chain.front().get();
  if (SSL_CTX_use_certificate(context, own) != 1) {
    throw fault(setting,
                "TLS does not take the server's certificate, the first one: its key is too small (RSA needs "
                "2048 bits), its curve too uncommon or its signature too weak");
  }
  // RFC 8446 4.4.2: each certificate certifies the one before it.
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (X509_check_issued(chain[i].get(), chain[i - 1].get()) != X509_V_OK) {
      throw fault(setting, "certificate " + std::to_string(i + 1) +
                               " in it is not the issuer of the one before it; "
                               "the order is: the server's own, its issuer, that one's issuer");
    }
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      throw fault(setting, "TLS does not take certificate " + std::to_string(i + 1) + " in it");
    }
  }
  if (X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) != 1) {
    throw fault(setting, "the certificate is not for TLS servers: its key usage or extended key usage says otherwise");
  }
  if (X509_cmp_time(X509_get0_notAfter(own), nullptr) < 0) {
    log::warning("the TLS certificate has expired", {{"setting", setting}});
  }
}

// A key in a token may do less than it should: that shows here and not in the first handshake.
void try_key(SSL_CTX* context, const ContextOptions& options) {
  EVP_PKEY* const key = options.key.get();
  EVP_PKEY* const public_key = X509_get0_pubkey(SSL_CTX_get0_certificate(context));
  const bool rsa = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA;
  const bool hashes = rsa || EVP_PKEY_get_base_id(public_key) == EVP_PKEY_EC;
  const EVP_MD* const digest = hashes ? EVP_sha256() : nullptr;
  constexpr std::array<unsigned char, 4> kText{'t', 'e', 's', 't'};
  const EvpMdCtxPtr signing(EVP_MD_CTX_new());
  const EvpMdCtxPtr verifying(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  const auto padded = [&] {
    return !rsa || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
  };
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(public_key)));
  std::size_t size = signature.size();
  if (!signing || !verifying || EVP_DigestSignInit(signing.get(), &parameters, digest, nullptr, key) != 1 ||
      !padded() || EVP_DigestSign(signing.get(), signature.data(), &size, kText.data(), kText.size()) != 1) {
    throw fault(options.key_setting, rsa ? "the key does not make the RSA-PSS signatures that TLS 1.3 needs; the token "
                                           "may not offer CKM_RSA_X_509, and an EC key does without it"
                                         : "the key does not sign");
  }
  if (EVP_DigestVerifyInit(verifying.get(), &parameters, digest, nullptr, public_key) != 1 || !padded() ||
      EVP_DigestVerify(verifying.get(), signature.data(), size, kText.data(), kText.size()) != 1) {
    throw fault(options.key_setting, "what the key signs does not verify under the certificate");
  }
}

void use_key(SSL_CTX* context, const ContextOptions& options) {
  if (!options.key) throw fault(options.key_setting, "there is no key");
  const bool used = SSL_CTX_use_PrivateKey(context, options.key.get()) == 1;
  if (!used || SSL_CTX_check_private_key(context) != 1) {
    throw fault(options.key_setting, "is not the key of the certificate in " + options.certificate_setting +
                                         "; the server's own certificate must be the first one there");
  }
  try_key(context, options);
}

void ask_for_client_certificates(SSL_CTX* context, const ContextOptions& options) {
  if (options.client_certificate == ClientCertificate::off) return;
  const std::vector<X509Ptr> authorities = read_certificates(options.client_ca, options.client_ca_setting);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const X509Ptr& authority : authorities) {
    if (X509_check_ca(authority.get()) == 0) {
      throw fault(options.client_ca_setting, "holds a certificate that is not an authority's");
    }
    require(X509_STORE_add_cert(store, authority.get()), "X509_STORE_add_cert");
    require(SSL_CTX_add_client_CA(context, authority.get()), "SSL_CTX_add_client_CA");
  }
  // Who is in the file is trusted, also where it is no root. Purpose clientAuth is what a server asks of a client.
  X509_VERIFY_PARAM* const rules = SSL_CTX_get0_param(context);
  require(X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN), "X509_VERIFY_PARAM_set_flags");
  require(X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT), "X509_VERIFY_PARAM_set_purpose");
  SSL_CTX_set_verify_depth(context, kLongestClientChain);
  const bool required = options.client_certificate == ClientCertificate::required;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
}

}  // namespace

struct Context::Impl {
  explicit Impl(const ContextOptions& options)
      : key(options.key), context(require_pointer(SslCtxPtr(SSL_CTX_new(TLS_server_method())), "SSL_CTX_new")) {
    limit_protocol(context.get());
    use_certificate(context.get(), options);
    use_key(context.get(), options);
    // After our own certificate: OpenSSL would complete its chain from this store. It shall not.
    SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN);
    ask_for_client_certificates(context.get(), options);
  }

  const std::shared_ptr<evp_pkey_st> key;  // keeps what an external key refers to
  const SslCtxPtr context;
};

Context::Context(const ContextOptions& options) {
  ERR_clear_error();
  impl_ = std::make_shared<const Impl>(options);
  ERR_clear_error();
}

AcceptTransport Context::transport() const {
  return {[impl = impl_](int socket) { return std::make_unique<TlsTransport>(socket, impl->context.get(), impl); },
          true};
}

}  // namespace hsmsigner::tls
