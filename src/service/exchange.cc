#include "service/exchange.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/log.h"
#include "pki/certificate.h"
#include "pki/certificate_file.h"
#include "pki/private_key_file.h"
#include "pki/signing_request.h"
#include "service/access_rules.h"
#include "service/certificate_event.h"
#include "service/certificate_facts.h"
#include "service/policy_facts.h"

namespace hsmsigner::service {
namespace {

using auth::Operation;

// One of those who read files at this moment: a passphrase may ask for seconds of work, and strangers to this request
// want their share of the processors.
template <typename Semaphore>
class Slot {
 public:
  Slot(Semaphore& semaphore, Deadline deadline) : semaphore_(semaphore) {
    if (!semaphore_.try_acquire_until(deadline)) {
      throw Error(ErrorKind::too_many_requests, {"certificate_file: too many files are being read"});
    }
  }
  ~Slot() { semaphore_.release(); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

 private:
  Semaphore& semaphore_;
};

std::string_view name_of(FileFormat format) {
  switch (format) {
    case FileFormat::pem: return "pem";
    case FileFormat::der: return "der";
    case FileFormat::pkcs12: return "pkcs12";
    case FileFormat::pkcs10: return "pkcs10";
  }
  return "";
}

[[noreturn]] void refuse(std::string fault) { throw Error(ErrorKind::invalid_object, {std::move(fault)}); }

}  // namespace

// What the files hold.
struct Exchange::Parsed {
  pki::Certificate certificate;
  std::shared_ptr<PrivateKey> key;  // null: none came

  static Parsed from(const ImportRequest& request);
};

Exchange::Parsed Exchange::Parsed::from(const ImportRequest& request) {
  const Secret& file = *request.certificate_file;
  const Secret* const passphrase = request.passphrase ? &*request.passphrase : nullptr;
  if (*request.format == FileFormat::pkcs12) {
    if (request.key_file) refuse("key_file: must not be given with pkcs12, which holds the key itself");
    const Secret none;
    pki::Pkcs12 opened = pki::parse_pkcs12(file, passphrase != nullptr ? *passphrase : none);
    return {std::move(opened.certificate), opened.key ? std::make_shared<PrivateKey>(*std::move(opened.key)) : nullptr};
  }
  Parsed parsed{*request.format == FileFormat::pem ? pki::parse_pem_certificate_file(file.bytes())
                                                   : pki::parse_der_certificate_file(file.bytes()),
                nullptr};
  if (request.key_file) {
    parsed.key = std::make_shared<PrivateKey>(pki::parse_private_key(*request.key_file, passphrase));
    if (parsed.key->public_key() != parsed.certificate.public_key()) {
      refuse("key_file: is not the private key of this certificate");
    }
  }
  return parsed;
}

store::CertificateRecord Exchange::import_certificate(const Actor& actor, ImportRequest request, Deadline deadline,
                                                      const ComposeAnswer& compose) {
  if (request.container) require(actor.caller, Operation::import_certificate, *request.container);
  if (!request.faults.empty()) throw Error(ErrorKind::invalid_object, std::move(request.faults));
  if (!request.container || !request.name || !request.format || !request.certificate_file) {
    throw Error(ErrorKind::internal_error).with_cause("an import without its required fields carried no fault");
  }
  Parsed parsed = [&] {
    const Slot slot(parsing_, deadline);
    return Parsed::from(request);
  }();
  parsed.certificate.public_key();  // refuses what this service has no words for

  const auto reservation = names_.reserve(*request.container, *request.name);
  if (!reservation) {
    throw Error(ErrorKind::name_not_unique, {"name: another request is making a certificate of this name"});
  }
  const auto there = store_.find_by_name(*request.container, *request.name);
  if (there && there->pending()) return complete(actor, *there, parsed, compose, deadline);
  const auto same = store_.find_by_fingerprint(*request.container, parsed.certificate.fingerprint_sha256());
  if (same) {
    throw Error(ErrorKind::object_not_unique,
                {"certificate_file: the container has this certificate already, as " + same->name});
  }
  if (there) throw Error(ErrorKind::name_not_unique, {"name: the container has a certificate of this name"});

  const bool with_key = parsed.key != nullptr;
  if (with_key) require_importable(policies_, request, parsed.certificate);
  store::CertificateRecord record = add(actor, request, std::move(parsed), compose, deadline);
  log::info("certificate imported", {{"id", record.id.to_string()},
                                     {"name", record.name},
                                     {"container", record.container.to_string()},
                                     {"with_key", with_key},
                                     {"client_id", actor.caller.client_id()}});
  return record;
}

// The authority here that signed it, so that it is not deleted while this certificate is unexpired. Wherever that is:
// nothing of it is told.
std::optional<Uuid> Exchange::issuer_of(const pki::Certificate& certificate) {
  constexpr std::size_t kMostNamesakes = 16;
  if (certificate.is_self_issued() && certificate.verifies_with(certificate.public_key())) return std::nullopt;
  for (const store::CertificateRecord& authority : store_.find_authorities(certificate.issuer(), kMostNamesakes)) {
    const auto issuer = pki::Certificate::from_pem(authority.certificate_pem);
    if (certificate.verifies_with(issuer.public_key())) return authority.id;
  }
  return std::nullopt;
}

store::CertificateRecord Exchange::add(const Actor& actor, const ImportRequest& request, Parsed parsed,
                                       const ComposeAnswer& compose, Deadline deadline) {
  store::CertificateRecord record = new_record(*request.container, *request.name, catalogue_.now());
  fill_from(parsed.certificate, record);
  record.issuer_id = issuer_of(parsed.certificate);
  // From here until keep() every way out destroys the key.
  std::optional<TokenSet::Made> made;
  if (parsed.key) {
    made.emplace(
        tokens_.make(use_for(record.certificate_authority), std::nullopt, [&](hsm::Token& token, const Uuid& id) {
          return token.import_key({id, request.block_private_key}, parsed.key, deadline);
        }));
    record.id = made->key.key()->id();
    record.key = key_record(made->key.attributes(), made->token.info());
    parsed.key.reset();
    record.warnings.push_back("key: was made outside of the token; that nobody has a copy of it cannot be told");
  }
  store::AnswerRecord answer;
  if (compose) answer = compose(record);
  const audit::Event event = certificate_event(audit::EventKind::certificate_imported, actor, record);
  store_.insert(record, deadline, {&event, compose ? &answer : nullptr});
  if (made) made->key.keep();
  return record;
}

store::CertificateRecord Exchange::complete(const Actor& actor, store::CertificateRecord record, const Parsed& parsed,
                                            const ComposeAnswer& compose, Deadline deadline) {
  if (parsed.key) refuse("key_file: the key of this signing request is in the token; import the certificate alone");
  if (pki::read_signing_request(record.request_pem).public_key != parsed.certificate.public_key()) {
    refuse("certificate_file: was not issued for the signing request that waits under this name");
  }
  require_completable(policies_, record, parsed.certificate);
  fill_from(parsed.certificate, record);
  record.issuer_id = issuer_of(parsed.certificate);
  store::AnswerRecord answer;
  if (compose) answer = compose(record);
  const audit::Event event = certificate_event(audit::EventKind::certificate_imported, actor, record);
  store_.complete(record, deadline, {&event, compose ? &answer : nullptr});
  log::info("signing request completed", {{"id", record.id.to_string()},
                                          {"name", record.name},
                                          {"container", record.container.to_string()},
                                          {"client_id", actor.caller.client_id()}});
  return record;
}

Secret Exchange::private_key_of(const Actor& actor, const store::CertificateRecord& record,
                                const pki::Certificate& certificate, Deadline deadline) {
  require(actor.caller, Operation::export_private_key, record.container);
  if (!record.key) {
    throw Error(ErrorKind::invalid_command, {"format: the private key of this certificate is not here"});
  }
  if (!record.key->extractable) {
    throw Error(ErrorKind::private_key_export_blocked,
                {"format: the key was made so that the token never gives it out (is_block_privateKey)"});
  }
  hsm::Token& token = tokens_.holding(record.key.value());
  // Read as any key file is, so that what leaves is a good key, in its canonical form, and the certificate's.
  PrivateKey key = [&] {
    try {
      return pki::parse_private_key(token.export_key(record.id, deadline), nullptr);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::invalid_object) throw;
      throw Error(ErrorKind::internal_error)
          .with_cause(std::string("the token gave out what is no key: ") + error.what());
    }
  }();
  if (key.public_key() != certificate.public_key()) {
    throw Error(ErrorKind::internal_error).with_cause("the token gave out another key, for " + record.id.to_string());
  }
  log::info("private key exported", {{"id", record.id.to_string()},
                                     {"name", record.name},
                                     {"container", record.container.to_string()},
                                     {"client_id", actor.caller.client_id()}});
  return std::move(key.pkcs8);
}

std::string Exchange::export_certificate(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                                         const ExportRequest& request, Deadline deadline) {
  const store::CertificateRecord record = catalogue_.get(actor.caller, id, container);
  std::vector<std::string> faults = request.faults;
  const bool keyed = request.format == FileFormat::pkcs12 ||
                     (request.format == FileFormat::pem && request.passphrase && !request.passphrase->empty());
  if (keyed && (!request.passphrase || request.passphrase->size() < kLeastExportPassphrase)) {
    faults.push_back("passphrase: must have at least " + std::to_string(kLeastExportPassphrase) + " characters");
  }
  if (!faults.empty()) throw Error(ErrorKind::invalid_object, std::move(faults));
  if (!request.format) throw Error(ErrorKind::internal_error).with_cause("an export without its format");

  if (keyed) require(actor.caller, Operation::export_private_key, record.container);
  std::string file = write_file(actor, record, request, keyed, deadline);
  audit::Event event = certificate_event(
      keyed ? audit::EventKind::private_key_exported : audit::EventKind::certificate_exported, actor, record);
  event.details.emplace_back("format", name_of(*request.format));
  try {
    journal_.append(event, deadline);
  } catch (...) {
    cleanse(file);
    throw;
  }
  return file;
}

std::string Exchange::write_file(const Actor& actor, const store::CertificateRecord& record,
                                 const ExportRequest& request, bool keyed, Deadline deadline) {
  if (*request.format == FileFormat::pkcs10) {
    if (record.request_pem.empty()) {
      throw Error(ErrorKind::invalid_command, {"format: this certificate did not come from a signing request"});
    }
    return record.request_pem;
  }
  if (record.pending()) {
    throw Error(ErrorKind::invalid_command,
                {"format: the signing request has not been answered yet; only pkcs10 can be exported"});
  }
  const pki::Certificate certificate = pki::Certificate::from_pem(record.certificate_pem);
  switch (*request.format) {
    case FileFormat::der: return to_base64(certificate.der());
    case FileFormat::pkcs12:
      return to_base64(pki::make_pkcs12(certificate, private_key_of(actor, record, certificate, deadline), record.name,
                                        *request.passphrase));
    default: break;
  }
  if (!keyed) return certificate.pem();
  return certificate.pem() +
         pki::encrypted_private_key_pem(private_key_of(actor, record, certificate, deadline), *request.passphrase);
}

}  // namespace hsmsigner::service
