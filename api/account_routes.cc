#include "api/account_json.h"
#include "api/handlers.h"
#include "api/idempotency.h"
#include "api/schema_check.h"
#include "base/error.h"

namespace hsmsigner::api {
namespace {

void refuse_parameters(const Call& call) {
  for (const auto& [name, value] : call.target.query) invalid_parameter(name, value, "unknown parameter");
}

// Actions take no body, or an empty object.
JsonBody read_no_body(const Call& call) {
  refuse_parameters(call);
  JsonBody body = read_json_object(call, BodyNeed::optional);
  if (!body.json.ObjectEmpty()) throw Error(ErrorKind::invalid_object, {"body: this action takes no fields"});
  return body;
}

Answer ok(std::string json) {
  Answer answer;
  answer.body = std::move(json);
  return answer;
}

Answer rotate(const Call& call, const std::string& client_id, service::Accounts::By by) {
  const bool own = by == service::Accounts::By::holder;
  const JsonBody body = read_no_body(call);
  const OnceOnly once(call, body.text, kLeastSecretKey);
  return answer_once<service::AccountWithSecret>(
      once,
      [](const service::AccountWithSecret& made) {
        Answer answer = ok(rotation_json(made));
        answer.status = 201;
        return answer;
      },
      [&](const service::ComposeAccountAnswer& keep) {
        // Only here: the answer of a rotation under a key is given once more to the secret that it was asked with.
        if (own && !call.identity->may_rotate) {
          throw Error(ErrorKind::auth_unauthorized,
                      {"this access token was had with the secret of before the last rotation"})
              .with_help("Have a token with the new secret, or let an administrator rotate the account.");
        }
        return call.services.accounts.rotate(call.traits.origin, client_id, by, call.deadline(), keep,
                                             own ? std::optional(call.identity->generation) : std::nullopt);
      });
}

}  // namespace

Answer list_accounts(const Call& call) {
  for (const auto& [name, value] : call.target.query) {
    if (name != "limit" && name != "offset") invalid_parameter(name, value, "unknown parameter");
  }
  const auto [offset, limit] = paging_in_query(call.target);
  return ok(account_list_json(call.services.accounts.list(offset, limit), offset, limit));
}

Answer create_account(const Call& call) {
  refuse_parameters(call);
  const JsonBody body = read_json_object(call, BodyNeed::required);
  const OnceOnly once(call, body.text, kLeastSecretKey);
  return answer_once<service::AccountWithSecret>(
      once,
      [](const service::AccountWithSecret& made) {
        Answer answer = ok(account_json(made));
        answer.status = 201;
        answer.headers.emplace_back("Location", "/accounts/" + made.account.client_id);
        return answer;
      },
      [&](const service::ComposeAccountAnswer& keep) {
        service::NewAccount account = read_account_body(body.json);
        check_schema("CreateAccount", body.json, account.faults);
        return call.services.accounts.create(call.traits.origin, std::move(account), call.deadline(), keep);
      });
}

Answer get_account(const Call& call) {
  refuse_parameters(call);
  return ok(account_json(call.services.accounts.get(call.place.client_id)));
}

Answer get_own_account(const Call& call) {
  refuse_parameters(call);
  return ok(account_json(call.services.accounts.get(call.caller().client_id())));
}

Answer rotate_account(const Call& call) {
  return rotate(call, call.place.client_id, service::Accounts::By::administrator);
}

Answer rotate_own_account(const Call& call) {
  return rotate(call, call.caller().client_id(), service::Accounts::By::holder);
}

Answer disable_account(const Call& call) {
  read_no_body(call);
  return ok(account_json(call.services.accounts.disable(call.traits.origin, call.place.client_id, call.deadline())));
}

Answer enable_account(const Call& call) {
  read_no_body(call);
  return ok(account_json(call.services.accounts.enable(call.traits.origin, call.place.client_id, call.deadline())));
}

}  // namespace hsmsigner::api
