#include "app/tls_setup.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/plain_transport.h"
#include "app/private_file.h"
#include "base/container.h"
#include "base/error.h"
#include "base/secret.h"
#include "hsm/tls_key.h"
#include "pki/certificate.h"
#include "tls/context.h"
#include "tls/external_key.h"
#include "tls/key_file.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kLongestFile = 1U << 20;
constexpr std::size_t kLongestChain = 16;
constexpr std::chrono::seconds kTokenTime{10};

Error fault(const std::string& setting, const std::string& sentence, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::invalid_object, {setting + ": " + sentence}, where);
}

Secret read_key_file(const std::string& file) {
  return read_file(file, "tls.key_file: the file",
                   {Readable::by_owner_only, kLongestFile, "make a new key if others may have read it"});
}

std::string read_text(const std::string& file, const std::string& setting) {
  return std::string(read_file(file, setting + ": the file", {Readable::by_anyone, kLongestFile, {}}).view());
}

store::CertificateRecord find_certificate(const std::string& reference, store::CertificateStore& certificates) {
  std::optional<store::CertificateRecord> record;
  if (const std::optional<Uuid> id = Uuid::parse(reference)) {
    record = certificates.find(*id);
  } else {
    const std::size_t slash = reference.find('/');
    const std::optional<Container> container = Container::parse(reference.substr(0, slash));
    if (container && slash != std::string::npos) {
      record = certificates.find_by_name(*container, reference.substr(slash + 1));
    }
  }
  if (!record) {
    throw fault("tls.certificate",
                "there is no such certificate here; issue it first, with this server on loopback "
                "and without TLS");
  }
  if (record->pending()) throw fault("tls.certificate", "this signing request has no certificate yet");
  if (!record->key) throw fault("tls.certificate", "this certificate was imported without its key");
  return *std::move(record);
}

// RFC 8446 4.4.2: who gets it has the root already.
std::string chain_of(const store::CertificateRecord& own, store::CertificateStore& certificates) {
  std::string chain = own.certificate_pem;
  std::optional<Uuid> next = own.issuer_id;
  for (std::size_t length = 1; next && length < kLongestChain; ++length) {
    const std::optional<store::CertificateRecord> issuer = certificates.find(*next);
    if (!issuer || issuer->pending() || issuer->subject == issuer->issuer) break;
    if (!chain.ends_with('\n')) chain += '\n';
    chain += issuer->certificate_pem;
    next = issuer->issuer_id;
  }
  return chain;
}

void use_files(const TlsSettings& settings, tls::ContextOptions& options) {
  options.certificate_chain = read_text(settings.certificate_file, "tls.certificate_file");
  options.key = tls::key_from_pem(read_key_file(settings.key_file).view());
}

void use_token(const TlsSettings& settings, service::TokenSet& tokens, store::CertificateStore& certificates,
               tls::ContextOptions& options) {
  options.certificate_setting = options.key_setting = "tls.certificate";
  const store::CertificateRecord own = find_certificate(settings.certificate, certificates);
  const PublicKey public_key = pki::Certificate::from_pem(own.certificate_pem).public_key();
  hsm::Token& token = tokens.holding(*own.key);
  if (!token.key(own.id, public_key)->is_present(deadline_in(kTokenTime))) {
    throw fault("tls.certificate", "the certificate's key is not in the token")
        .with_cause("key " + own.id.to_string() + ", made in the token " + own.key->token_serial);
  }
  options.certificate_chain = chain_of(own, certificates);
  const auto key = std::make_shared<const hsm::TlsKey>(token, own.id, public_key);
  tls::KeyOperations operations;
  operations.sign = [key](Digest digest, ByteView digest_value, Deadline deadline) {
    return key->sign(digest, digest_value, deadline);
  };
  operations.transform = [key](ByteView block, Deadline deadline) { return key->transform(block, deadline); };
  options.key = tls::external_key(options.certificate_chain, std::move(operations));
}

}  // namespace

AcceptTransport make_transport(const Settings& settings, service::TokenSet& tokens,
                               store::CertificateStore& certificates) {
  if (!settings.tls.configured()) return api::plain_transport();
  tls::ContextOptions options;
  if (settings.tls.certificate.empty()) {
    use_files(settings.tls, options);
  } else {
    use_token(settings.tls, tokens, certificates, options);
  }
  options.client_certificate = settings.tls.client_certificate;
  if (options.client_certificate != tls::ClientCertificate::off) {
    options.client_ca = read_text(settings.tls.client_ca_file, "tls.client_ca_file");
  }
  return tls::Context(options).transport();
}

std::optional<Uuid> tls_certificate(const Settings& settings, store::CertificateStore& certificates) {
  if (settings.tls.certificate.empty()) return std::nullopt;
  return find_certificate(settings.tls.certificate, certificates).id;
}

}  // namespace hsmsigner::app
