// The token endpoint (RFC 6749 4.4) and the keys its tokens verify with (RFC 7517).
#include <algorithm>

#include "api/api_document.h"
#include "api/authentication.h"
#include "api/content_negotiation.h"
#include "api/errors.h"
#include "api/handlers.h"
#include "api/json_writer.h"
#include "api/text_rules.h"
#include "auth/access_token.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::api {
namespace {

constexpr std::size_t kMaxScope = 1024;
constexpr std::size_t kMaxSecret = 1024;
constexpr std::size_t kMaxForm = 16384;  // octets; who sends it is a stranger yet

// RFC 6749 5.2.
Answer oauth_error(int status, std::string_view code, std::string_view description) {
  JsonWriter json;
  json.open_object();
  json.field("error", code);
  json.field("error_description", description);
  json.close_object();
  Answer answer;
  answer.status = status;
  answer.body = json.finished();
  answer.headers.emplace_back("Pragma", "no-cache");
  if (status == 401) answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"hsm-signer\", charset=\"UTF-8\"");
  return answer;
}

// What the form says; fields that nobody knows are passed over, as SCM's clients send some.
struct TokenRequest {
  std::string grant_type;
  std::string scope;
  std::optional<std::string> client_id;
  std::optional<Secret> client_secret;
  std::string fault;  // a description; empty: none
};

TokenRequest read_token_request(std::string_view form) {
  TokenRequest request;
  bool seen_grant_type = false;
  bool seen_scope = false;
  for (auto& [name, value] : parse_form(form)) {
    const auto take = [&request, &field = name](bool seen) {
      // RFC 6749 3.2: parameters must not be included more than once.
      if (seen) request.fault = field + " is given twice";
      return !seen;
    };
    if (name == "grant_type" && take(seen_grant_type)) {
      seen_grant_type = true;
      request.grant_type = value;
    } else if (name == "scope" && take(seen_scope)) {
      seen_scope = true;
      request.scope = value;
    } else if (name == "client_id" && take(request.client_id.has_value())) {
      request.client_id = value;
    } else if (name == "client_secret" && take(request.client_secret.has_value())) {
      request.client_secret.emplace(value);
    }
    cleanse(value);
  }
  return request;
}

// RFC 6749 3.3: visible ASCII without '"' and '\', separated by blanks.
bool is_scope(std::string_view text) {
  return text.size() <= kMaxScope &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

Answer token_answer(const service::IssuedToken& issued) {
  JsonWriter json;
  json.open_object();
  json.field("access_token", issued.token);
  json.field("token_type", "Bearer");
  json.number("expires_in", static_cast<std::size_t>(issued.expires_in.count()));
  json.field("scope", issued.scope);
  json.close_object();
  Answer answer;
  answer.body = json.finished();
  answer.headers.emplace_back("Pragma", "no-cache");  // RFC 6749 5.1
  return answer;
}

// The credentials: by HTTP Basic, or in the form; both only if equal. Nothing, and a description, when they are not
// there.
std::optional<BasicCredentials> credentials_of(const Call& call, TokenRequest& request, std::string& fault) {
  std::optional<BasicCredentials> basic;
  try {
    basic = basic_credentials(call.head);
  } catch (const Error& error) {
    fault = error.details().front();
    return std::nullopt;
  }
  if (basic) {
    // Some clients repeat their id in the form.
    if (request.client_id && *request.client_id != basic->client_id) {
      fault = "client_id differs between Authorization and the form";
      return std::nullopt;
    }
    if (request.client_secret && request.client_secret->view() != basic->client_secret.view()) {
      fault = "client_secret differs between Authorization and the form";
      return std::nullopt;
    }
    return basic;
  }
  if (!request.client_id || !request.client_secret) {
    fault = "client_id and client_secret are required, in Authorization: Basic or in the form";
    return std::nullopt;
  }
  return BasicCredentials{*request.client_id, std::move(*request.client_secret)};
}

// What Access never sees, because no client id and secret came. Written down like the failures that it does see.
Answer refuse_client(const Call& call, const std::string& description) {
  audit::Event event{.kind = audit::EventKind::authentication_failed,
                     .outcome = audit::Outcome::refused,
                     .origin = call.traits.origin};
  event.details = {{"reason", description}};
  call.services.failures.note(service::FailureJournal::Of::stranger, event, call.deadline());
  return oauth_error(401, "invalid_client", description);
}

Answer issue(const Call& call, std::string_view form) {
  TokenRequest request = read_token_request(form);
  if (request.fault.empty() && request.grant_type.empty()) request.fault = "grant_type is required";
  if (request.fault.empty() && !is_scope(request.scope)) request.fault = "scope is no list of scopes";
  if (!request.fault.empty()) return oauth_error(400, "invalid_request", request.fault);
  if (request.grant_type != "client_credentials") {
    return oauth_error(400, "unsupported_grant_type", "grant_type must be client_credentials");
  }
  std::string fault;
  const auto credentials = credentials_of(call, request, fault);
  if (!credentials) return refuse_client(call, fault);
  if (credentials->client_secret.size() > kMaxSecret || credentials->client_id.size() > kMaxSecret) {
    return refuse_client(call, "client_id or client_secret is too long");
  }
  return token_answer(call.services.access.issue_token(call.traits.origin, credentials->client_id,
                                                       credentials->client_secret, request.scope, call.deadline()));
}

}  // namespace

Answer issue_access_token(const Call& call) {
  std::string form;
  struct Wipe {
    std::string& text;
    ~Wipe() { cleanse(text); }
  } const wipe{form};
  try {
    if (call.head.has_body()) {
      require_form_body(call.head);
      const auto check_size = [](std::size_t size) {
        if (size > kMaxForm) throw Error(ErrorKind::malformed_command, {"the form is longer than 16384 octets"});
      };
      check_size(call.head.content_length);
      form = call.read_body();
      check_size(form.size());
    }
    return issue(call, form);
  } catch (const Error& error) {
    const std::string description = error.details().empty() ? std::string() : error.details().front();
    switch (error.kind()) {
      case ErrorKind::invalid_credential:
      case ErrorKind::key_expired: return oauth_error(401, "invalid_client", description);
      case ErrorKind::input_format_mismatch:
      case ErrorKind::malformed_command: return oauth_error(400, "invalid_request", description);
      default: throw;
    }
  }
}

Answer json_web_keys(const Call& call) {
  JsonWriter json;
  json.open_object();
  json.open_array("keys");
  for (const auto& [kid, key] : call.services.access_token_keys.published()) json.raw(auth::json_web_key(kid, key));
  json.close_array();
  json.close_object();
  Answer answer;
  answer.body = json.finished();
  return answer;
}

Answer api_description(const Call&) {
  Answer answer;
  answer.body = ApiDocument::built_in().text();
  return answer;
}

}  // namespace hsmsigner::api
