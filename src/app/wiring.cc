#include "app/wiring.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace hsmsigner::app {

std::unique_ptr<store::Store> open_store(const store::StoreOptions& options) {
  try {
    return store::Store::open(options);
  } catch (const Error& error) {
    std::vector<std::string> details = error.details();
    for (std::string& detail : details) detail.insert(0, "store.path: ");
    throw Error(error.kind(), std::move(details), error.where()).with_cause(error.cause()).with_help(error.help());
  }
}

service::RandomSource random_source(hsm::Token& token) {
  return [&token](std::size_t octets, Deadline deadline) {
    Bytes random = token.random(octets, deadline);
    Secret secret{ByteView(random)};
    cleanse(random);
    return secret;
  };
}

}  // namespace hsmsigner::app
