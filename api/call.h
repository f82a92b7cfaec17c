// One request on its way through the routes, and the services behind them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "api/answer.h"
#include "api/json_document.h"
#include "api/refusal_events.h"
#include "api/request_target.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/uuid.h"
#include "service/access.h"
#include "service/accounts.h"
#include "service/actor.h"
#include "service/catalogue.h"
#include "service/compliance_reports.h"
#include "service/deletion.h"
#include "service/evidence.h"
#include "service/exchange.h"
#include "service/failure_journal.h"
#include "service/generation.h"
#include "service/monitoring.h"
#include "service/repeated_requests.h"
#include "store/journal_store.h"

namespace hsmsigner::api {

// They outlive every request.
struct Services {
  service::Generation& generation;
  service::Catalogue& catalogue;
  service::Deletion& deletion;
  service::Exchange& exchange;
  service::Accounts& accounts;
  service::Access& access;
  service::AccessTokenKeys& access_token_keys;
  service::RepeatedRequests& repeated;
  service::FailureJournal& failures;
  service::Evidence& evidence;
  store::JournalStore& journal;
  service::ComplianceReports& reports;
  service::Monitoring& monitoring;
};

// Where a path leads.
struct Place {
  std::string pattern;  // as the table of routes and /openapi.json write it: "/certificates/{id}:export"
  std::string path;     // without the base prefix
  std::string base;     // "/config/identity/v1", for Location
  std::string action;   // what follows ':'
  std::optional<Uuid> id;
  std::string client_id;
  bool secret_body = false;  // it may hold a key or a passphrase
};

struct Call {
  const Services& services;
  const RequestHead& head;
  const Peer& peer;
  const RequestTarget& target;
  const Place& place;
  const ReadBody& read_body;
  const std::optional<service::Identity>& identity;  // nothing on routes that are open to all
  std::chrono::milliseconds request_timeout;
  // Whether the identity is still what it was, and may still do this. For whoever has waited: for a body, for another
  // request.
  std::function<void()> admit_again;

  // What the journal is told if the request fails; handlers add what they learn.
  RequestTraits& traits;

  const auth::Caller& caller() const { return identity->caller; }
  service::Actor actor() const { return {caller(), traits.origin}; }
  void note_container(const std::optional<Container>& container) const {
    if (container) traits.container = container->to_string();
  }
  // For the token and the store: one for the whole request, from the first time that it is asked for, which is once the
  // body is read.
  Deadline deadline() const;

  mutable std::optional<Deadline> begun_deadline;
};

// A request's body: its text, wiped at the end, and what it says.
struct JsonBody {
  std::string text;
  JsonDocument json;
  JsonBody() = default;
  JsonBody(JsonBody&&) = default;
  ~JsonBody();
};

enum class BodyNeed { optional, required };
// A JSON object. An absent one that is optional is taken for {}. Throws Error: missing_body, input_format_mismatch,
// malformed_command, invalid_object.
JsonBody read_json_object(const Call& call, BodyNeed need);

// Query parameters. Each throws Error{invalid_query_parameter}.
// The container, if any, of which the call takes note; refuses every parameter that is neither one nor in `others`.
std::optional<Container> container_in_query(const Call& call, std::initializer_list<std::string_view> others = {});
// A whole number in decimal digits.
std::uint64_t number_in_query(const RequestTarget& target, const std::string& name, std::uint64_t least,
                              std::uint64_t most, std::uint64_t otherwise);
struct Paging {
  std::size_t offset;
  std::size_t limit;
};
Paging paging_in_query(const RequestTarget& target);
[[noreturn]] void invalid_parameter(const std::string& name, const std::string& value, std::string_view sentence);

}  // namespace hsmsigner::api
