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
#include "app/open_tokens.h"
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

service::ComplianceOptions usual_report(const service::TokenSet& tokens) {
  service::ComplianceOptions options;
  options.most_challenges = kChallengesOverHttp;
  options.probe = one_of_each_family(tokens);
  return options;
}

// Those of a server, in the order in which they need each other.
struct ServiceSet {
  ServiceSet(service::TokenSet& tokens, store::Store& store, const policy::Policies& policies, const Settings& settings,
             std::vector<audit::KeyEvidence::Probe> probes)
      : pools(tokens, store.key_pool()),
        catalogue(store.certificates(), system_now),
        generation(tokens, store.certificates(), names, policies, system_now, settings.pool.enabled ? &pools : nullptr),
        deletion(tokens, store.certificates(), catalogue),
        exchange(tokens, store.certificates(), store.journal(), names, policies, catalogue),
        accounts(store.accounts(), random_source(tokens.for_service()), system_now, settings.rotation_grace),
        access_token_keys(tokens.for_service(), store.accounts(), system_now),
        audit_key(tokens.for_service(), store.journal(), store.certificates(), system_now),
        failures(store.journal()),
        access(store.accounts(), store.journal(), failures, access_token_keys, system_now),
        repeated(store.answers(), system_now),
        evidence(tokens, store.journal(), catalogue, audit_key, std::move(probes)),
        journal(store.journal()),
        compliance(
            {tokens, store.certificates(), store.accounts(), store.journal(), &store.key_pool()},
            [path = settings.store.path] { return store::open_journal(path); }, HSM_SIGNER_VERSION, system_now_millis,
            settings.audit.checkpoints),
        reports(compliance, audit_key, store.journal(), usual_report(tokens)),
        monitoring(tokens, settings.pool.enabled ? &pools : nullptr, store, requests) {}

  api::Services for_api() {
    return {generation, catalogue, deletion, exchange, accounts, access,    access_token_keys,
            repeated,   failures,  evidence, journal,  reports,  monitoring};
  }

  service::NameReservations names;
  service::KeyPools pools;
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

int serve(const Settings& settings, std::vector<Secret> pins) {
  // Destroyed in the opposite order: server, services, then the tokens, which finalise their modules while OpenSSL
  // still stands (SoftHSM crashes at exit without C_Finalize), what takes down what befell it until then, the store,
  // and last the watch with its deadline.
  ShutdownWatch watch;
  require_descriptors(settings.server);
  const policy::Policies policies = policy::Policies::load(settings.policy);
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  service::IncidentJournal incidents(store->journal());
  OpenTokens tokens(settings, std::move(pins), [&incidents](std::size_t place, const hsm::TokenIncident& incident) {
    incidents.tell(incident, place);
  });
  std::vector<audit::KeyEvidence::Probe> probes;
  for (std::size_t place = 0; place < settings.tokens.size(); ++place) {
    incidents.set_token(tokens.at(place).info().serial, place);
    about_token(settings, place, [&] {
      probes.push_back(probe_at_start(tokens.at(place), settings.token_name(place),
                                      settings.tokens[place].accept_leaking_token, store->journal(),
                                      deadline_in(kProbeDeadline)));
    });
  }
  ServiceSet services(tokens.set(), *store, policies, settings, std::move(probes));
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
      make_transport(settings, tokens.set(), store->certificates()), services.requests);

  server.bind();
  const std::string url = server.url();
  tell_started(store->journal(), settings, policies, url, deadline_in(kEventDeadline));
  JournalThreads threads(store->journal(), services.audit_key, services.failures, settings.audit);
  std::vector<std::unique_ptr<service::PoolFiller>> fillers;
  for (const service::KeyPools::Entry& each : services.pools.all()) {
    if (!settings.pool.enabled) break;
    fillers.push_back(std::make_unique<service::PoolFiller>(*each.pool, each.token, store->key_pool(), system_now,
                                                            pool_policy(settings)));
  }
  watch.serving([&server] { server.stop(); }, longest_drain(options));
  log::info("server started", {{"url", url}, {"version", HSM_SIGNER_VERSION}});
  std::cout << "ready " << url << std::endl;
  // A signal that came in between has called stop() already.
  if (!watch.requested()) server.run();
  watch.served();
  // All threads first: each would take out the lease again that another one gives back.
  for (const auto& filler : fillers) filler->stop();
  for (const auto& filler : fillers) filler->finish(deadline_in(kLastEventsDeadline));

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
