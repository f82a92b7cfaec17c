// The configuration file: one table of settings (settings_table.cc) from which reading, checking, `config show` and the
// commented sample all follow.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/http_server.h"
#include "base/log.h"
#include "hsm/token.h"
#include "policy/policies.h"
#include "service/checkpointer.h"
#include "service/token_set.h"
#include "store/store.h"
#include "tls/context.h"

namespace hsmsigner::app {

// Either the two files or `certificate`; nothing: no TLS.
struct TlsSettings {
  std::string certificate_file;
  std::string key_file;
  std::string certificate;  // a certificate here, by its id or as "folder:Infra/name"; its key is in the token
  std::string client_ca_file;
  tls::ClientCertificate client_certificate = tls::ClientCertificate::off;

  bool configured() const { return !certificate_file.empty() || !key_file.empty() || !certificate.empty(); }
};

// The journal on its way out of this program.
struct AuditSettings {
  service::CheckpointRhythm checkpoints;
  std::string copy_file;  // "": none
  std::string syslog;     // service/syslog_target.h; "": none
};

// Key pairs made ahead (docs/KEY-POOL.md).
struct PoolSettings {
  bool enabled = true;
  std::vector<std::string> classes;  // service/pool_demand.h; empty: learned
  std::size_t max_keys = 10'000;     // for each token
  unsigned parallel = 2;             // likewise
  bool adopt_orphans = true;
};

// One table [token], or one of several [[token]].
struct TokenSettings {
  hsm::TokenOptions options;
  service::TokenUses holds;
  std::vector<std::string> former_serials;
  std::string accept_leaking_token;  // its serial number, or manufacturer/model/label (probe_at_start.h)
  std::string pin_file;              // one of the two; neither: a prompt on the terminal
  std::string pin_env = "HSM_SIGNER_PIN";
};

struct Settings {
  api::ServerOptions server;
  TlsSettings tls;
  std::vector<TokenSettings> tokens = std::vector<TokenSettings>(1);  // never empty
  store::StoreOptions store;
  policy::PolicyOptions policy;
  std::chrono::seconds rotation_grace{3600};
  AuditSettings audit;
  PoolSettings pool;
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::json;

  // The one that holds the service's own keys; of settings that were checked.
  std::size_t service_token() const;
  // What faults and events call one of them: "token", where there are several "token[1]", "token[2]" and so on.
  std::string token_name(std::size_t place) const;
};

// A table [[token]] each; more than anybody has.
inline constexpr std::size_t kMostTokens = 16;

// One row of the table, as documentation and tests see it.
struct SettingInfo {
  std::string table;                                           // "server"
  std::string key;                                             // "port"
  std::string fallback;                                        // its default, as TOML
  std::optional<std::pair<std::int64_t, std::int64_t>> range;  // of a whole number
  std::vector<std::string> choices;                            // of a word; empty: any text
};
std::vector<SettingInfo> setting_infos();

// Every default as it stands in the sample: relative paths are not yet taken from anywhere.
Settings default_settings();

// Reads and checks a TOML file. Relative paths in it are taken from the file's own directory. Throws
// Error{invalid_object} with every fault: unknown settings by name, wrong types, values out of range.
Settings load_settings(const std::string& file);

// Each by its name, "server.port" or "token[2].label", with its value as TOML.
std::vector<std::pair<std::string, std::string>> setting_values(const Settings& settings);

// The effective settings as TOML (no secrets can be in it).
std::string show_settings(const Settings& settings);
// Every setting commented with its meaning and default: the text of examples/hsm-signer.toml.
std::string sample_settings();

}  // namespace hsmsigner::app
