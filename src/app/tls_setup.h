// From the settings of [tls] to what stands between the server and its sockets.
#pragma once

#include <optional>

#include "app/settings.h"
#include "base/transport.h"
#include "base/uuid.h"
#include "service/token_set.h"
#include "store/certificate_store.h"

namespace hsmsigner::app {

// Plain when there is to be no TLS. Reads the files, or finds the certificate among those here and its key in the
// token that has it, and tries the key. Throws Error{invalid_object} with sentences that begin with the setting, and
// what TokenSet::holding() throws. The tokens outlive what is returned.
AcceptTransport make_transport(const Settings& settings, service::TokenSet& tokens,
                               store::CertificateStore& certificates);

// The certificate here that the server uses, if it uses one: it must not be deleted.
std::optional<Uuid> tls_certificate(const Settings& settings, store::CertificateStore& certificates);

}  // namespace hsmsigner::app
