// The handlers of the table of routes, one file per resource.
#pragma once

#include "api/call.h"

namespace hsmsigner::api {

// certificate_routes.cc
Answer list_certificates(const Call& call);
Answer generate_certificate(const Call& call);
Answer import_certificate(const Call& call);
Answer get_certificate(const Call& call);
Answer delete_certificate(const Call& call);
Answer export_certificate(const Call& call);
Answer give_evidence(const Call& call);

// account_routes.cc
Answer list_accounts(const Call& call);
Answer create_account(const Call& call);
Answer get_account(const Call& call);
Answer get_own_account(const Call& call);
Answer rotate_account(const Call& call);
Answer rotate_own_account(const Call& call);
Answer disable_account(const Call& call);
Answer enable_account(const Call& call);

// audit_routes.cc
Answer list_events(const Call& call);
Answer list_checkpoints(const Call& call);
Answer list_audit_keys(const Call& call);

// oauth_routes.cc
Answer issue_access_token(const Call& call);
Answer json_web_keys(const Call& call);

// report_routes.cc
Answer compliance_report(const Call& call);

// metrics_routes.cc
Answer show_metrics(const Call& call);

// The document itself.
Answer api_description(const Call& call);

}  // namespace hsmsigner::api
