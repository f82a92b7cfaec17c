// The event that tells of a certificate.
#pragma once

#include "audit/event.h"
#include "service/actor.h"
#include "store/certificate_record.h"

namespace hsmsigner::service {

// Its details: what the certificate is, what of its key, and what is weak about it.
audit::Event certificate_event(audit::EventKind kind, const Actor& actor, const store::CertificateRecord& record);

}  // namespace hsmsigner::service
