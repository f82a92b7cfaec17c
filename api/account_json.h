// Accounts as JSON (section 6 of the HTTP contract, `/openapi.json`).
#pragma once

#include <cstddef>
#include <string>

#include "api/json_document.h"
#include "service/accounts.h"

namespace hsmsigner::api {

// Reads every field and collects every fault in `faults`.
service::NewAccount read_account_body(const JsonValue& body);

std::string account_json(const store::AccountRecord& account);
// With `client_secret`: the answer to who made it.
std::string account_json(const service::AccountWithSecret& made);
std::string account_list_json(const store::AccountPage& page, std::size_t offset, std::size_t limit);
// The answer to a rotation.
std::string rotation_json(const service::AccountWithSecret& made);

}  // namespace hsmsigner::api
