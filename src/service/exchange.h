// Use cases: import certificates and keys, complete signing requests, export (HTTP contract, section 4).
#pragma once

#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "pki/certificate.h"
#include "policy/policies.h"
#include "service/actor.h"
#include "service/answer_composer.h"
#include "service/catalogue.h"
#include "service/name_reservations.h"
#include "service/token_set.h"
#include "store/certificate_store.h"
#include "store/journal_store.h"

namespace hsmsigner::service {

enum class FileFormat { pem, der, pkcs12, pkcs10 };

// A field that was faulty is left empty and its fault stands in `faults`.
struct ImportRequest {
  std::optional<Container> container;
  std::optional<std::string> name;
  std::optional<FileFormat> format;        // never pkcs10
  std::optional<Secret> certificate_file;  // octets of the file
  std::optional<Secret> key_file;
  std::optional<Secret> passphrase;
  bool block_private_key = true;
  std::vector<std::string> faults;
};

struct ExportRequest {
  std::optional<FileFormat> format;
  std::optional<Secret> passphrase;
  std::vector<std::string> faults;
};

inline constexpr std::size_t kLeastExportPassphrase = 6;

// Thread safe.
class Exchange {
 public:
  // All of them outlive this object.
  Exchange(TokenSet& tokens, store::CertificateStore& store, store::JournalStore& journal, NameReservations& names,
           const policy::Policies& policies, Catalogue& catalogue)
      : tokens_(tokens), store_(store), journal_(journal), names_(names), policies_(policies), catalogue_(catalogue) {}

  // A certificate; with its key, which then moves into the token; or the certificate that a pending signing request
  // waits for. A failure leaves neither key nor record. Throws Error: auth_unauthorized, invalid_object (of the form
  // all faults at once), name_not_unique, object_not_unique, and what the token throws.
  store::CertificateRecord import_certificate(const Actor& actor, ImportRequest request, Deadline deadline,
                                              const ComposeAnswer& compose = {});

  // PEM text for pem and pkcs10, Base64 for der and pkcs12. The journal is told before it is returned. Throws Error:
  // object_not_present, auth_unauthorized (a private key needs the role for it), private_key_export_blocked,
  // invalid_object, invalid_command for what this certificate has not.
  std::string export_certificate(const Actor& actor, const Uuid& id, const std::optional<Container>& container,
                                 const ExportRequest& request, Deadline deadline);

 private:
  struct Parsed;
  store::CertificateRecord complete(const Actor& actor, store::CertificateRecord record, const Parsed& parsed,
                                    const ComposeAnswer& compose, Deadline deadline);
  store::CertificateRecord add(const Actor& actor, const ImportRequest& request, Parsed parsed,
                               const ComposeAnswer& compose, Deadline deadline);
  std::string write_file(const Actor& actor, const store::CertificateRecord& record, const ExportRequest& request,
                         bool keyed, Deadline deadline);
  Secret private_key_of(const Actor& actor, const store::CertificateRecord& record, const pki::Certificate& certificate,
                        Deadline deadline);

  std::optional<Uuid> issuer_of(const pki::Certificate& certificate);

  static constexpr std::ptrdiff_t kParsers = 2;
  std::counting_semaphore<kParsers> parsing_{kParsers};
  TokenSet& tokens_;
  store::CertificateStore& store_;
  store::JournalStore& journal_;
  NameReservations& names_;
  const policy::Policies& policies_;
  Catalogue& catalogue_;
};

}  // namespace hsmsigner::service
