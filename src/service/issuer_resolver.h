// Which certificate `signed_by` means, and whether it may sign.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "auth/roles.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "hsm/token.h"
#include "pki/certificate.h"
#include "service/token_set.h"
#include "store/certificate_store.h"

namespace hsmsigner::service {

// A certificate authority held here, ready to sign: parsed once, its key's handle found once.
struct Issuer {
  store::CertificateRecord record;
  pki::Certificate certificate;
  std::shared_ptr<hsm::TokenKey> key;
  // How many further certificate authorities may stand below this one (RFC 5280 4.2.1.9), over its whole chain; none:
  // as many as one likes.
  std::optional<unsigned> authorities_below;
};

// Thread safe.
class IssuerResolver {
 public:
  IssuerResolver(TokenSet& tokens, store::CertificateStore& store) : tokens_(tokens), store_(store) {}

  // An id means the certificate of that id, and never one that was given it for a name. A name means the one in
  // `container`, else the only authority of that name elsewhere. On failure returns nothing and adds one sentence to
  // `faults`. Without a container (the request's was at fault) it only tells what would be wrong in any. Does not touch
  // the token. What the caller may not see is not there; an authority that it sees and may not use is an
  // Error{auth_unauthorized}. Throws what TokenSet::holding() throws.
  std::shared_ptr<const Issuer> resolve(const auth::Caller& caller, const std::string& signed_by,
                                        const std::optional<Container>& container, UnixTime now,
                                        std::vector<std::string>& faults);
  // Throws Error{token_unavailable} unless the authority's key is in the token. Looks once for each authority.
  void require_key(const Issuer& issuer, Deadline deadline);

 private:
  std::vector<store::CertificateRecord> candidates(const ContainerScope& visible, const std::string& signed_by,
                                                   const std::optional<Container>& container);
  std::shared_ptr<const Issuer> load(const store::CertificateRecord& record);
  std::optional<unsigned> authorities_below(const store::CertificateRecord& record,
                                            const pki::Certificate& certificate);

  TokenSet& tokens_;
  store::CertificateStore& store_;
  std::mutex mutex_;  // guards what follows
  // A certificate never changes under its id, so what was loaded stays right.
  std::unordered_map<Uuid, std::shared_ptr<const Issuer>> loaded_;
  std::unordered_set<Uuid> key_seen_;
};

}  // namespace hsmsigner::service
