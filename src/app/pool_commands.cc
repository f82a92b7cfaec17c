#include "app/pool_commands.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iomanip>
#include <map>
#include <memory>
#include <ostream>

#include "app/local_user.h"
#include "app/pool_setup.h"
#include "app/progress_bar.h"
#include "app/wiring.h"
#include "base/error.h"
#include "hsm/token.h"
#include "service/pool_batch.h"

namespace hsmsigner::app {
namespace {

constexpr std::chrono::seconds kLease{60};
constexpr std::chrono::seconds kWriteTime{10};

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // written by a signal handler

void interrupt(int) { interrupted = true; }

KeyClass class_from(const std::string& text) {
  if (const auto key_class = KeyClass::parse(text)) return *key_class;
  std::string names;
  for (const KeyAlgorithmInfo& algorithm : key_algorithms()) {
    names += (names.empty() ? "" : ", ") + std::string(algorithm.name);
  }
  throw Error(ErrorKind::invalid_object, {"--class: must be one of " + names +
                                          "; with \"/exportable\" after it for keys that may leave the token"});
}

std::size_t all_keys(store::KeyPoolStore& pool, const std::string& token_serial) {
  std::size_t all = 0;
  for (const store::PoolLevel& level : pool.levels(token_serial, system_now())) all += level.all;
  return all;
}

}  // namespace

std::size_t token_to_fill(const Settings& settings, const std::string& token) {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < settings.tokens.size(); ++place) {
    const TokenSettings& each = settings.tokens[place];
    const hsm::TokenSelector& named = each.options.selector;
    if (token.empty() ? each.holds.leaves : token == named.label || token == named.serial) places.push_back(place);
  }
  if (places.size() == 1) return places.front();
  if (token.empty()) throw Error(ErrorKind::invalid_object, {"--token: several tokens hold leaves: say which one"});
  throw Error(ErrorKind::invalid_object,
              {places.empty() ? "--token: no configured token has this label or serial number"
                              : "--token: several have this label: give the serial number"});
}

std::size_t fill_pool(const Settings& settings, std::size_t place, Secret pin, const PoolFillOptions& options,
                      std::ostream& out, std::ostream& progress, bool terminal) {
  const KeyClass key_class = class_from(options.key_class);
  hsm::TokenOptions token_options = settings.tokens[place].options;
  const unsigned parallel = options.parallel > 0 ? options.parallel : std::min(4U, token_options.parallel_generations);
  token_options.parallel_ahead = parallel;
  const std::unique_ptr<hsm::Token> token = hsm::Token::open(token_options, std::move(pin));
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  store::KeyPoolStore& pool = store->key_pool();
  const std::size_t there = all_keys(pool, token->info().serial);
  if (there + options.count > settings.pool.max_keys) {
    throw Error(ErrorKind::invalid_object,
                {"--count: the pool has " + std::to_string(there) + " keys, and pool.max_keys allows " +
                 std::to_string(settings.pool.max_keys)});
  }
  // A lease: what is planned here and not yet written down is this process's as long as it runs.
  const auto keep = [&] { pool.renew(system_now(), system_now() + kLease, deadline_in(kWriteTime)); };
  keep();
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  ProgressBar bar(progress, terminal, options.count);
  std::size_t made = 0;
  std::optional<Error> failure;
  while (made < options.count && !interrupted && !failure) {
    service::Batch batch = service::make_batch(*token, pool,
                                               {.key_class = key_class,
                                                .count = options.count - made,
                                                .parallel = parallel,
                                                .hold = store::KeyPoolStore::Hold::nobody,
                                                .origin = local_user()},
                                               system_now(), interrupted, [&] {
                                                 keep();
                                                 bar.show(made);
                                               });
    keep();
    made += batch.keys.size();
    bar.show(made);
    if (batch.no_room) failure = Error(ErrorKind::token_unavailable, {"the token has no room for more keys"});
    if (batch.failure) failure = batch.failure;
  }
  bar.finish(made);
  pool.release(deadline_in(kWriteTime));
  out << made << " keys of class " << key_class.to_string() << " made; the pool has "
      << all_keys(pool, token->info().serial) << " in all\n";
  if (failure) throw *failure;
  return made;
}

void show_pool_of_token(const Settings& settings, const std::string& token_serial, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  const std::vector<store::PoolLevel> levels = store->key_pool().levels(token_serial, system_now());
  const std::vector<service::PoolMarks> marks = pool_policy(settings).classes;
  std::map<KeyClass, std::pair<std::size_t, const service::PoolMarks*>> classes;
  for (const store::PoolLevel& level : levels) classes[level.key_class].first = level.all;
  for (const service::PoolMarks& each : marks) classes[each.key_class].second = &each;
  const char* name = "made ahead";
  for (const auto& [key_class, figures] : classes) {
    out << std::left << std::setw(14) << name << std::setw(20) << key_class.to_string() << ' ' << figures.first;
    if (const service::PoolMarks* const each = figures.second) {
      out << " (low " << each->low << ", high " << each->high << ')';
    }
    out << '\n';
    name = "";
  }
}

std::size_t forget_pool(const Settings& settings, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  audit::Event event{.kind = audit::EventKind::pool_forgotten};
  event.origin = local_user();
  const std::size_t forgotten = store->key_pool().forget_all(system_now(), event, deadline_in(kWriteTime));
  out << forgotten << " keys taken out of the pool; they are in the token still\n";
  return forgotten;
}

void show_pool(const Settings& settings, std::ostream& out) {
  const std::unique_ptr<store::Store> store = open_store(settings.store);
  const service::PoolPolicy policy = pool_policy(settings);
  out << "enabled        " << (settings.pool.enabled ? "on" : "off") << '\n'
      << "max keys       " << policy.max_keys << '\n'
      << "marks          " << (policy.classes.empty() ? "learned from demand by each server" : "set") << '\n';
  for (const service::PoolMarks& marks : policy.classes) {
    out << "  " << std::left << std::setw(20) << marks.key_class.to_string() << " low " << marks.low << ", high "
        << marks.high << '\n';
  }
  for (const std::string& token : store->key_pool().tokens()) {
    out << "token          " << token << '\n';
    for (const store::PoolLevel& level : store->key_pool().levels(token, system_now())) {
      out << "  " << std::left << std::setw(20) << level.key_class.to_string() << ' ' << level.all << " keys, "
          << level.held << " of them held by running servers\n";
    }
  }
}

}  // namespace hsmsigner::app
