#include "api/routes.h"

#include <algorithm>
#include <array>

#include "api/authentication.h"
#include "api/content_negotiation.h"
#include "api/handlers.h"
#include "api/text_rules.h"
#include "service/access_rules.h"

namespace hsmsigner::api {
namespace {

using auth::Operation;

// The one table of routes.
constexpr std::array kRoutes{
    Route{"GET", "/certificates", Admission::caller, Operation::read_certificates, list_certificates},
    Route{"POST", "/certificates", Admission::caller, Operation::generate_certificate, generate_certificate},
    Route{"POST", "/certificates:import", Admission::caller, Operation::import_certificate, import_certificate, true},
    Route{"GET", "/certificates/{id}", Admission::caller, Operation::read_certificates, get_certificate},
    Route{"DELETE", "/certificates/{id}", Admission::caller, Operation::delete_certificate, delete_certificate},
    // What is exported without a private key is only read; the service asks for more where it needs it.
    Route{"POST", "/certificates/{id}:export", Admission::caller, Operation::read_certificates, export_certificate,
          true},
    Route{"GET", "/certificates/{id}/evidence", Admission::caller, Operation::read_evidence, give_evidence, false,
          "application/jose"},

    Route{"GET", "/accounts", Admission::caller, Operation::read_accounts, list_accounts},
    Route{"POST", "/accounts", Admission::caller, Operation::change_accounts, create_account},
    Route{"GET", "/accounts/self", Admission::caller, std::nullopt, get_own_account},
    Route{"POST", "/accounts/self:rotate", Admission::holder, std::nullopt, rotate_own_account},
    Route{"GET", "/accounts/{client_id}", Admission::caller, Operation::read_accounts, get_account},
    Route{"POST", "/accounts/{client_id}:rotate", Admission::caller, Operation::change_accounts, rotate_account},
    Route{"POST", "/accounts/{client_id}:disable", Admission::caller, Operation::change_accounts, disable_account},
    Route{"POST", "/accounts/{client_id}:enable", Admission::caller, Operation::change_accounts, enable_account},

    Route{"GET", "/audit/events", Admission::caller, Operation::read_journal, list_events},
    Route{"GET", "/audit/checkpoints", Admission::caller, Operation::read_journal, list_checkpoints},
    Route{"GET", "/audit/keys", Admission::caller, Operation::read_journal, list_audit_keys},

    Route{"GET", "/reports/compliance", Admission::caller, Operation::read_report, compliance_report, false, ""},

    Route{"GET", "/metrics", Admission::caller, Operation::read_metrics, show_metrics, false, "text/plain"},

    Route{"POST", "/oauth2/access_token", Admission::open, std::nullopt, issue_access_token, true},
    Route{"POST", "/auth/v1/oauth2/access_token", Admission::open, std::nullopt, issue_access_token, true},
    Route{"POST", "/am/oauth2/access_token", Admission::open, std::nullopt, issue_access_token, true},
    Route{"GET", "/oauth2/connect/jwk_uri", Admission::open, std::nullopt, json_web_keys},
    Route{"GET", "/auth/v1/oauth2/connect/jwk_uri", Admission::open, std::nullopt, json_web_keys},
    Route{"GET", "/am/oauth2/connect/jwk_uri", Admission::open, std::nullopt, json_web_keys},
    Route{"GET", "/openapi.json", Admission::open, std::nullopt, api_description},
};

[[noreturn]] void no_such_resource() { throw Error(ErrorKind::bad_xpath, {"the path names no resource"}); }

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes the base prefix off `segments` and returns it.
std::string take_base(std::vector<std::string>& segments) {
  struct Base {
    std::string_view first, second;
  };
  for (const Base base : {Base{"config", "identity"}, Base{"sse", "config"}}) {
    if (segments.size() < 3 || segments[0] != base.first || segments[1] != base.second) continue;
    const std::string version = segments[2];
    if (!version.starts_with('v') || !is_number(std::string_view(version).substr(1))) no_such_resource();
    if (version != "v1") {
      throw Error(ErrorKind::version_not_supported, {"the path's version is not served; use v1"});
    }
    segments.erase(segments.begin(), segments.begin() + 3);
    return "/" + std::string(base.first) + "/" + std::string(base.second) + "/v1";
  }
  return "";
}

// Splits "x:verb" at its colon.
std::string take_action(std::string& segment) {
  const std::size_t colon = segment.find(':');
  if (colon == std::string::npos) return "";
  std::string action = segment.substr(colon + 1);
  segment.resize(colon);
  const bool word = std::all_of(action.begin(), action.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (action.empty() || action.size() > 64 || !word) no_such_resource();
  return action;
}

// "/accounts" and what is below it.
void find_account(const std::vector<std::string>& segments, Place& place) {
  place.pattern = "/accounts";
  if (segments.size() == 1) return;
  place.client_id = segments[1];
  if (place.client_id == "self") {
    place.pattern += "/self";
  } else if (const auto fault = service::fault_of_client_id(place.client_id)) {
    throw Error(ErrorKind::bad_xpath, {"client_id: " + *fault});
  } else {
    place.pattern += "/{client_id}";
  }
}

void find_certificate(const std::vector<std::string>& segments, Place& place) {
  place.pattern = "/certificates";
  if (segments.size() == 1) return;
  place.pattern += "/{id}";
  place.id = Uuid::parse(segments[1]);
  if (!place.id) throw Error(ErrorKind::bad_xpath, {"id: must be a UUID"});
  if (segments.size() == 2) return;
  if (segments[2] != "evidence") no_such_resource();
  place.pattern += "/evidence";
}

Place find_place(std::vector<std::string> segments) {
  Place place;
  place.base = take_base(segments);
  for (const std::string& segment : segments) place.path += "/" + segment;
  if (segments.empty()) no_such_resource();
  if (place.base.empty()) {
    const auto is_it = [&](const Route& route) { return route.pattern == place.path; };
    if (std::any_of(kRoutes.begin(), kRoutes.end(), is_it)) {
      place.pattern = place.path;
      return place;
    }
  }
  const std::size_t most = segments.front() == "certificates" ? 3 : 2;
  if (segments.size() > most) no_such_resource();
  place.action = take_action(segments.back());
  if (segments.front() == "certificates") {
    find_certificate(segments, place);
  } else if (segments.front() == "accounts" && place.base.empty()) {
    find_account(segments, place);
  } else {
    no_such_resource();
  }
  if (!place.action.empty()) place.pattern += ":" + place.action;
  return place;
}

const Route* find_route(const Place& place, std::string_view method) noexcept {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  const auto is_it = [&](const Route& route) { return route.pattern == place.pattern && route.method == wanted; };
  const auto found = std::find_if(kRoutes.begin(), kRoutes.end(), is_it);
  return found == kRoutes.end() ? nullptr : &*found;
}

// Throws Error{action_not_supported} and MethodNotSupported.
[[noreturn]] void no_such_route(const Place& place, const std::string& method) {
  std::string allow;
  for (const Route& route : kRoutes) {
    if (route.pattern != place.pattern) continue;
    allow += (allow.empty() ? "" : ", ") + std::string(route.method == "GET" ? "GET, HEAD" : route.method);
  }
  if (!allow.empty()) throw MethodNotSupported(shown(method, 32), allow);
  if (place.action.empty()) no_such_resource();
  throw Error(ErrorKind::action_not_supported, {"no such action on this resource"}).with_subject(place.action);
}

bool is_open(const Place& place) {
  return std::any_of(kRoutes.begin(), kRoutes.end(), [&](const Route& route) {
    return route.pattern == place.pattern && route.admission == Admission::open;
  });
}

void admit(const Route& route, const service::Identity& identity) {
  if (identity.must_rotate && route.admission != Admission::holder) {
    throw Error(ErrorKind::need_password_change, {"the client secret is the one that an administrator handed out"})
        .with_help("POST /accounts/self:rotate gives you one of your own; nothing else is open to you before.");
  }
  if (route.operation) service::require(identity.caller, *route.operation);
}

}  // namespace

std::span<const Route> routes() noexcept { return kRoutes; }

// Nothing is refused unwritten: when the journal cannot be told, that is the answer.
Answer Router::answer(const RequestHead& head, const Peer& peer, const std::string& request_id,
                      const ReadBody& read_body, const Route*& route) const {
  RequestTraits traits;
  traits.origin.address = peer.address;
  traits.origin.request_id = request_id;
  traits.method = head.method;
  try {
    return answer(head, peer, read_body, traits, route);
  } catch (const Error& error) {
    const auto event = refusal_event(traits, error);
    if (!event || error.kind() == ErrorKind::journal_unavailable) throw;
    const Deadline deadline = deadline_in(request_timeout_);
    using Of = service::FailureJournal::Of;
    services_.failures.note(traits.origin.account.empty() ? Of::stranger : Of::account, *event, deadline);
    throw;
  }
}

Answer Router::answer(const RequestHead& head, const Peer& peer, const ReadBody& read_body, RequestTraits& traits,
                      const Route*& found) const {
  const RequestTarget target = parse_request_target(head.target);
  Place place = find_place(target.segments);
  traits.object = place.id ? place.id->to_string() : place.client_id;
  found = find_route(place, head.method);
  std::optional<service::Identity> identity;
  if (found != nullptr ? found->admission != Admission::open : !is_open(place)) {
    identity = authenticate(head, peer, services_.access, traits.origin.account);
    traits.authenticated = true;
  }
  if (found == nullptr) no_such_route(place, head.method);
  const Route& route = *found;
  place.secret_body = route.secret_body;
  traits.pattern = route.pattern;
  if (identity) admit(route, *identity);
  if (!route.answers.empty()) accepted_of(head, {route.answers});
  const auto admit_again = [&] {
    if (!identity) return;
    const service::Identity now = authenticate(head, peer, services_.access, traits.origin.account);
    if (now.generation != identity->generation) {
      throw Error(ErrorKind::invalid_credential, {"Authorization: the account was changed meanwhile"});
    }
    admit(route, now);
  };
  return route.handler(Call{services_, head, peer, target, place, read_body, identity, request_timeout_, admit_again,
                            traits, std::nullopt});
}

}  // namespace hsmsigner::api
