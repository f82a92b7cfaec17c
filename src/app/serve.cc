#include "app/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/http_server.h"
#include "app/shutdown_watch.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "hsm/token.h"
#include "service/catalogue.h"
#include "service/generation.h"
#include "store/certificate_store.h"

namespace hsmsigner::app {
namespace {

std::string url_of(const std::string& address, int port) {
  const bool version_6 = address.find(':') != std::string::npos;
  return "http://" + (version_6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// A request that has just begun may take all of its time, and the token then tidies up.
std::chrono::milliseconds longest_drain(const api::ServerOptions& server) {
  return server.read_timeout + server.request_timeout + server.write_timeout + std::chrono::seconds(35);
}

// One descriptor for each connection that is served or waits, and what the token, the store and the log need. Without
// them the module cannot open its files, and a key that should be destroyed stays.
void require_descriptors(const api::ServerOptions& server) {
  constexpr rlim_t kOthers = 512;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = server.max_connections + kOthers;
  if (limit.rlim_cur < needed) limit.rlim_cur = std::min(limit.rlim_max, needed);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < needed) {
    throw Error(ErrorKind::invalid_object, {"server.max_connections: needs " + std::to_string(needed) +
                                            " open files, and the limit here is " + std::to_string(limit.rlim_max)})
        .with_help("Lower the setting, or raise the limit (ulimit -n, LimitNOFILE= of systemd).");
  }
}

// The store knows no settings: which one is at fault is said here.
std::unique_ptr<store::CertificateStore> open_store(const store::StoreOptions& options) {
  try {
    return store::CertificateStore::open(options);
  } catch (const Error& error) {
    std::vector<std::string> details = error.details();
    for (std::string& detail : details) detail.insert(0, "store.path: ");
    throw Error(error.kind(), std::move(details), error.where()).with_cause(error.cause()).with_help(error.help());
  }
}

}  // namespace

int serve(const Settings& settings, Secret pin) {
  // Destroyed in the opposite order: server, services, store, then the token, which finalises its module while OpenSSL
  // still stands (SoftHSM crashes at exit without C_Finalize), and last the watch with its deadline.
  ShutdownWatch watch;
  require_descriptors(settings.server);
  const std::unique_ptr<hsm::Token> token = hsm::Token::open(settings.token, std::move(pin));
  const std::unique_ptr<store::CertificateStore> store = open_store(settings.store);
  service::Generation generation(*token, *store, system_now);
  service::Catalogue catalogue(*store, system_now);
  api::HttpServer server(settings.server, generation, catalogue);

  const std::string url = url_of(settings.server.address, server.bind());
  watch.serving([&server] { server.stop(); }, longest_drain(settings.server));
  log::info("server started", {{"url", url}, {"version", HSM_SIGNER_VERSION}});
  std::cout << "ready " << url << std::endl;
  // A signal that came in between has called stop() already.
  if (!watch.requested()) server.run();
  watch.served();

  if (!watch.requested()) {
    log::error("server ended by itself", {{"url", url}});
    return 1;
  }
  log::info("server stopped", {{"url", url}});
  return 0;
}

}  // namespace hsmsigner::app
