#include "app/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "api/http_server.h"
#include "api/request_labels.h"
#include "api/routes.h"
#include "app/journal_threads.h"
#include "app/lifecycle_events.h"
#include "app/memory_limits.h"
#include "app/pool_setup.h"
#include "app/probe_at_start.h"
#include "app/shutdown_watch.h"
#include "app/tls_setup.h"
#include "app/wiring.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "hsm/token.h"
#include "policy/policies.h"
#include "service/audit_key.h"
#include "service/catalogue.h"
#include "service/compliance_reports.h"
#include "service/evidence.h"
#include "service/generation.h"
#include "service/incident_journal.h"
#include "service/monitoring.h"
#include "store/journal_reader.h"
#include "store/store.h"

namespace hsmsigner::app {
namespace {

// For one event of the server itself; and for its last ones, the last checkpoint and the copies together.
constexpr std::chrono::seconds kEventDeadline{10};
constexpr std::chrono::seconds kLastEventsDeadline{20};

// A request that has just begun may take all of its time, then the journal is brought to its end, where each thread may
// have a try under way, and the token tidies up.
std::chrono::milliseconds longest_drain(const api::ServerOptions& server) {
  return server.read_timeout + server.request_timeout + server.write_timeout + kLastEventsDeadline +
         5 * JournalThreads::kOneTry + std::chrono::seconds(35);
}

// False when the journal could not be told.
bool end_journal(store::JournalStore& journal, service::FailureJournal& failures, JournalThreads& threads, End end) {
  const Deadline deadline = deadline_in(kLastEventsDeadline);
  bool told = true;
  try {
    failures.tell_counted(deadline, true);
    tell_stopped(journal, end, deadline);
  } catch (const Error& error) {
    log::error("the end of the server is not in the journal", {{"reason", error.what()}});
    told = false;
  }
  threads.finish(deadline);
  return told;
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

// The first start makes the service's own keys in the token, RSA among them, which takes some HSMs seconds.
constexpr std::chrono::seconds kFirstKeyDeadline{60};
// The probe makes one of each family at every start.
constexpr std::chrono::seconds kProbeDeadline{120};

// Over HTTP a report has the time of a request: one key of each family is probed, and a sample challenged.
constexpr std::size_t kChallengesOverHttp = 50;

service::ComplianceOptions usual_report(const hsm::Token& token) {
  service::ComplianceOptions options;
  options.most_challenges = kChallengesOverHttp;
  options.probe = one_of_each_family(token);
  return options;
}

// Those of a server, in the order in which they need each other.
struct ServiceSet {
  ServiceSet(hsm::Token& token, store::Store& store, const policy::Policies& policies, const Settings& settings,
             audit::KeyEvidence::Probe probe)
      : pool(token, store.key_pool()),
        catalogue(store.certificates(), system_now),
        generation(token, store.certificates(), names, policies, system_now, settings.pool.enabled ? &pool : nullptr),
        deletion(token, store.certificates(), catalogue),
        exchange(token, store.certificates(), store.journal(), names, policies, catalogue),
        accounts(store.accounts(), random_source(token), system_now, settings.rotation_grace),
        access_token_keys(token, store.accounts(), system_now),
        audit_key(token, store.journal(), store.certificates(), system_now),
        failures(store.journal()),
        access(store.accounts(), store.journal(), failures, access_token_keys, system_now),
        repeated(store.answers(), system_now),
        evidence(token, store.journal(), catalogue, audit_key, std::move(probe)),
        journal(store.journal()),
        compliance(
            {token, store.certificates(), store.accounts(), store.journal(), &store.key_pool()},
            [path = settings.store.path] { return store::open_journal(path); }, HSM_SIGNER_VERSION, system_now_millis,
            settings.audit.checkpoints),
        reports(compliance, audit_key, store.journal(), usual_report(token)),
        monitoring({{token, settings.pool.enabled ? &pool : nullptr}}, store, requests) {}

  api::Services for_api() {
    return {generation, catalogue, deletion, exchange, accounts, access,    access_token_keys,
            repeated,   failures,  evidence, journal,  reports,  monitoring};
  }

  service::NameReservations names;
  service::KeyPool pool;
  service::Catalogue catalogue;
  service::Generation generation;
  service::Deletion deletion;
  service::Exchange exchange;
  service::Accounts accounts;
  service::AccessTokenKeys access_token_keys;
  service::AuditKey audit_key;
  service::FailureJournal failures;
  service::Access access;
  service::RepeatedRequests repeated;
  service::Evidence evidence;
  store::JournalStore& journal;
  service::Compliance compliance;
  service::ComplianceReports reports;
  metrics::RequestMetrics requests{api::request_labels()};
  service::Monitoring monitoring;
};

}  // namespace

int serve(const Settings& settings, Secret pin) {
  limit_kept_memory();
  // Destroyed in the opposite order: server, services, then the token, which finalises its module while OpenSSL still
  // stands (SoftHSM crashes at exit without C_Finalize), what takes down what befell it until then, the store, and last
  // the watch with its deadline.
  ShutdownWatch watch;
  require_descriptors(settings.server);
  const policy::Policies policies = policy::Policies::load(settings.policy);
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::IncidentJournal incidents(store->journal());
  hsm::TokenOptions token_options = settings.token;
  token_options.on_incident = [&incidents](const hsm::TokenIncident& incident) { incidents.tell(incident); };
  const std::unique_ptr<hsm::Token> token = hsm::Token::open(token_options, std::move(pin));
  incidents.set_token(token->info().serial);
  audit::KeyEvidence::Probe probe =
      probe_at_start(*token, settings.accept_leaking_token, store->journal(), deadline_in(kProbeDeadline));
  ServiceSet services(*token, *store, policies, settings, std::move(probe));
  services.access_token_keys.ensure(deadline_in(kFirstKeyDeadline));
  services.audit_key.ensure(deadline_in(kFirstKeyDeadline));
  if (store->accounts().list(0, 1).total == 0) {
    log::warning("there are no accounts yet, so nobody can call; `hsm-signer account create --help` says how");
  }
  const api::ServerOptions& options = settings.server;
  if (const auto own = tls_certificate(settings, store->certificates())) services.deletion.protect(*own);
  const api::Router router(services.for_api(), options.request_timeout);
  api::HttpServer server(
      options,
      [&router](const api::RequestHead& head, const api::Peer& peer, const std::string& request_id,
                const api::ReadBody& read_body,
                const api::Route*& route) { return router.answer(head, peer, request_id, read_body, route); },
      make_transport(settings, *token, store->certificates()), services.requests);

  server.bind();
  const std::string url = server.url();
  tell_started(store->journal(), settings, policies, url, deadline_in(kEventDeadline));
  JournalThreads threads(store->journal(), services.audit_key, services.failures, settings.audit);
  std::optional<service::PoolFiller> filler;
  if (settings.pool.enabled) {
    filler.emplace(services.pool, *token, store->key_pool(), system_now, pool_policy(settings));
  }
  watch.serving([&server] { server.stop(); }, longest_drain(options));
  log::info("server started", {{"url", url}, {"version", HSM_SIGNER_VERSION}});
  std::cout << "ready " << url << std::endl;
  // A signal that came in between has called stop() already.
  if (!watch.requested()) server.run();
  watch.served();
  if (filler) filler->finish(deadline_in(kLastEventsDeadline));

  const bool asked = watch.requested();
  const bool told = end_journal(store->journal(), services.failures, threads, asked ? End::asked : End::by_itself);
  if (!asked) {
    log::error("server ended by itself", {{"url", url}});
    return 1;
  }
  log::info("server stopped", {{"url", url}});
  return told ? 0 : 1;
}

}  // namespace hsmsigner::app
