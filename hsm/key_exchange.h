// Private keys on their way into the token and out of it. All of these run on a worker, but for check_import.
#pragma once

#include <memory>

#include "base/private_key.h"
#include "base/secret.h"
#include "hsm/capabilities.h"
#include "hsm/key_object.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {

// Throws Error{invalid_object} for a key that the token cannot sign with, by what it says of its mechanism.
void check_import(const Capabilities& token, const PublicKey& key);

// Token::import_key. Throws CkFailure, and Error.
MadeKey import_key_into(Session& session, TokenImpl& token, const std::shared_ptr<KeyObject>& object,
                        const ImportRequest& request, const PrivateKey& key);

// Token::export_key. Throws CkFailure, and Error.
Secret export_key_from(Session& session, const Capabilities& token, KeyObject& object);

}  // namespace hsmsigner::hsm
