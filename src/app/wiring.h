// What several commands put together the same way.
#pragma once

#include <memory>

#include "hsm/token.h"
#include "service/accounts.h"
#include "store/store.h"

namespace hsmsigner::app {

// The store knows no settings: which one is at fault is said here.
std::unique_ptr<store::Store> open_store(const store::StoreOptions& options);

// The token outlives what is returned.
service::RandomSource random_source(hsm::Token& token);

}  // namespace hsmsigner::app
