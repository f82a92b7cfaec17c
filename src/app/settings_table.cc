#include "app/settings_table.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <sstream>

#include "api/http_server.h"
#include "base/container.h"
#include "base/internet_names.h"
#include "base/uuid.h"
#include "policy/policies.h"
#include "service/pool_demand.h"
#include "service/syslog_target.h"
#include "service/token_set.h"

namespace hsmsigner::app {
namespace {

// The member is reached by a function, as a pointer to member cannot reach into a nested struct. It does not change
// what it is given.
template <typename T>
using Member = T& (*)(Settings&);

template <typename T>
const T& value_of(Member<T> member, const Settings& settings) {
  return member(const_cast<Settings&>(settings));
}

std::string range_fault(std::int64_t least, std::int64_t most) {
  return "must be from " + std::to_string(least) + " to " + std::to_string(most);
}

template <typename T>
Kind whole_number(Member<T> member, std::int64_t least, std::int64_t most) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* number = node.as_integer();
                if (number == nullptr) return "must be a whole number";
                if (number->get() < least || number->get() > most) return range_fault(least, most);
                member(settings) = static_cast<T>(number->get());
                return {};
              },
              [=](const Settings& settings) { return std::to_string(value_of(member, settings)); },
              std::pair(least, most),
              {},
              {}};
}

// `unit`: "milliseconds".
template <typename Duration>
Kind duration(Member<Duration> member, const char* unit, std::int64_t least, std::int64_t most) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* number = node.as_integer();
                if (number == nullptr) return std::string("must be a whole number of ") + unit;
                if (number->get() < least || number->get() > most) return range_fault(least, most);
                member(settings) = Duration(number->get());
                return {};
              },
              [=](const Settings& settings) { return std::to_string(value_of(member, settings).count()); },
              std::pair(least, most),
              {},
              {}};
}

Kind milliseconds(Member<std::chrono::milliseconds> member, std::int64_t least, std::int64_t most) {
  return duration(member, "milliseconds", least, most);
}
Kind seconds(Member<std::chrono::seconds> member, std::int64_t least, std::int64_t most) {
  return duration(member, "seconds", least, most);
}

using TextRule = Fault (*)(const std::string&);
constexpr std::size_t kMostTexts = 10000;  // of a list

Kind text(Member<std::string> member, TextRule rule) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* value = node.as_string();
                if (value == nullptr) return "must be text in quotation marks";
                for (const char c : value->get()) {
                  if (std::iscntrl(static_cast<unsigned char>(c)) != 0) return "must not hold control characters";
                }
                if (Fault fault = rule(value->get())) return fault;
                member(settings) = value->get();
                return {};
              },
              [=](const Settings& settings) { return toml_quoted(value_of(member, settings)); },
              {},
              {},
              {}};
}

// Texts in square brackets.
Kind texts(Member<std::vector<std::string>> member, TextRule rule) {
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const toml::array* const list = node.as_array();
                if (list == nullptr) return "must be a list of texts in square brackets";
                if (list->size() > kMostTexts) return "must have at most " + std::to_string(kMostTexts) + " items";
                std::vector<std::string> values;
                for (const toml::node& item : *list) {
                  const std::string place = "item " + std::to_string(values.size() + 1) + " ";
                  const auto* value = item.as_string();
                  if (value == nullptr) return place + "must be text in quotation marks";
                  if (Fault fault = rule(value->get())) return place + *fault;
                  values.push_back(value->get());
                }
                member(settings) = std::move(values);
                return {};
              },
              [=](const Settings& settings) {
                std::string list;
                for (const std::string& value : value_of(member, settings)) {
                  list += (list.empty() ? "" : ", ") + toml_quoted(value);
                }
                return "[" + list + "]";
              },
              {},
              {},
              {}};
}

// What tokens are for, by the words in square brackets.
Kind uses(Member<service::TokenUses> member) {
  using Use = std::pair<const char*, bool service::TokenUses::*>;
  static constexpr Use kUses[] = {{"authorities", &service::TokenUses::authorities},
                                  {"leaves", &service::TokenUses::leaves},
                                  {"service", &service::TokenUses::service}};
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto must = "must be a list of \"authorities\", \"leaves\" and \"service\", each once";
                const toml::array* const list = node.as_array();
                if (list == nullptr) return must;
                service::TokenUses read{false, false, false};
                for (const toml::node& item : *list) {
                  const auto* const word = item.as_string();
                  const auto* const use = std::find_if(std::begin(kUses), std::end(kUses), [&](const Use& each) {
                    return word != nullptr && word->get() == each.first;
                  });
                  if (use == std::end(kUses) || read.*(use->second)) return must;
                  read.*(use->second) = true;
                }
                member(settings) = read;
                return {};
              },
              [=](const Settings& settings) {
                std::string list;
                for (const Use& use : kUses) {
                  if (value_of(member, settings).*(use.second))
                    list += (list.empty() ? "" : ", ") + toml_quoted(use.first);
                }
                return "[" + list + "]";
              },
              {},
              {},
              {}};
}

Kind path(Member<std::string> member, TextRule rule) {
  Kind kind = text(member, rule);
  kind.path = member;
  return kind;
}

template <typename T>
Kind word(Member<T> member, std::vector<std::pair<std::string, T>> words) {
  std::vector<std::string> choices;
  std::string list;
  for (const auto& [name, unused] : words) {
    choices.push_back(name);
    list += (list.empty() ? "" : ", ") + toml_quoted(name);
  }
  return Kind{[=](Settings& settings, const toml::node& node) -> Fault {
                const auto* value = node.as_string();
                const auto found = std::find_if(words.begin(), words.end(), [&](const auto& entry) {
                  return value != nullptr && entry.first == value->get();
                });
                if (found == words.end()) return "must be one of " + list;
                member(settings) = found->second;
                return {};
              },
              [=](const Settings& settings) {
                const auto found = std::find_if(words.begin(), words.end(), [&](const auto& entry) {
                  return entry.second == value_of(member, settings);
                });
                return toml_quoted(found == words.end() ? std::string() : found->first);
              },
              {},
              choices,
              {}};
}

Fault anything(const std::string&) { return {}; }

Fault not_empty(const std::string& value) {
  if (value.empty()) return "must not be empty";
  return {};
}

// CK_TOKEN_INFO (PKCS#11 2.40 3.2): label is CK_UTF8CHAR[32], serialNumber CK_CHAR[16].
Fault token_label(const std::string& value) {
  if (value.size() > 32) return "must have at most 32 octets";
  return {};
}
// A serial number, or "manufacturer/model/label": 32, 16 and 32 octets.
Fault accepted_token(const std::string& value) {
  if (value.size() > 82) return "must have at most 82 octets";
  return {};
}
Fault token_serial(const std::string& value) {
  if (value.size() > 16) return "must have at most 16 octets";
  return {};
}

Fault former_serial(const std::string& value) {
  if (value.empty()) return "must not be empty";
  return token_serial(value);
}

Fault ip_address(const std::string& value) {
  if (!parse_ip_address(value)) return "must be an IP address, such as \"127.0.0.1\" or \"::1\"";
  return {};  // which ones are refused without TLS: settings_reader.cc
}

Fault certificate_reference(const std::string& value) {
  if (value.empty() || Uuid::parse(value)) return {};
  const std::size_t slash = value.find('/');
  if (slash != std::string::npos && slash + 1 < value.size() && Container::parse(value.substr(0, slash))) return {};
  return "must be a certificate's id, or its container and name, such as \"folder:Infra/server\"";
}

// Whether there is such a profile is seen when the profiles are read (policy/policies.h).
Fault policy_assignment(const std::string& value) {
  if (policy::Assignment::parse(value)) return {};
  return "must be a container and a profile, such as \"folder:Web=modern\"";
}

Fault variable_name(const std::string& value) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (std::all_of(value.begin(), value.end(), fits) &&
      (value.empty() || std::isdigit(static_cast<unsigned char>(value.front())) == 0)) {
    return {};
  }
  return "must be the name of an environment variable (letters, digits and '_'), not a PIN";
}

Fault syslog_target(const std::string& value) {
  if (value.empty() || service::parse_syslog_target(value)) return {};
  return "must be \"unix:\" and the absolute path of a socket, or \"udp:\" or \"tcp:\" with an IP address and a port, "
         "such as \"udp:192.0.2.1:514\" or \"tcp:[2001:db8::1]:601\"";
}

Fault pool_marks(const std::string& value) {
  if (service::parse_marks(value)) return {};
  return "must be an algorithm, a low and a high mark, such as \"P-256:100:500\" or \"RSA-2048/exportable:0:10\", the "
         "low one not above the high one";
}

Kind on_or_off(Member<bool> member) { return word<bool>(member, {{"on", true}, {"off", false}}); }

constexpr std::int64_t kTenMinutes = 600000;   // milliseconds
constexpr std::int64_t kOneDay = 86400;        // seconds
constexpr std::int64_t kThirtyDays = 2592000;  // seconds

}  // namespace

std::string toml_quoted(const std::string& text) {
  const toml::value<std::string> value(text);
  std::ostringstream out;
  out << toml::toml_formatter(value, toml::format_flags::allow_unicode_strings);
  return out.str();
}

const std::vector<Setting>& settings_table() {
  using Millis = std::chrono::milliseconds;
  static const std::vector<Setting> table = {
      {"server", "address", text([](Settings& s) -> std::string& { return s.server.address; }, ip_address),
       "IP address to listen on. Without TLS (see [tls]) anything but loopback is refused."},
      {"server", "port", whole_number<int>([](Settings& s) -> int& { return s.server.port; }, 0, 65535),
       "TCP port; 0 takes any free one, which the line `ready ...` then names."},
      {"server", "max_connections",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.server.max_connections; }, 1, 10000),
       "Connections served at one time, each by a thread; up to 256 more wait for one of them to end."},
      {"server", "max_body_bytes",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.server.max_body_bytes; }, 1024, 67108864),
       "Longest request body, in octets."},
      {"server", "read_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.read_timeout; }, 100, kTenMinutes),
       "Milliseconds that a caller has for a whole request's head, and again for its whole body."},
      {"server", "write_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.write_timeout; }, 100, kTenMinutes),
       "Milliseconds that a caller has to take a whole answer; a second more for each 256 KiB of it."},
      {"server", "keep_alive_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.keep_alive_timeout; }, 100, kTenMinutes),
       "Milliseconds that an idle connection is kept for its next request."},
      {"server", "request_timeout_ms",
       milliseconds([](Settings& s) -> Millis& { return s.server.request_timeout; }, 100, kTenMinutes),
       "Milliseconds that the token and the store have for one request, from the moment its body is read."},

      {"tls", "certificate_file", path([](Settings& s) -> std::string& { return s.tls.certificate_file; }, anything),
       "TLS with a key from a file: the server's certificate in PEM, then its issuer's and so on, without the root."},
      {"tls", "key_file", path([](Settings& s) -> std::string& { return s.tls.key_file; }, anything),
       "The unencrypted key of that certificate, in PEM, readable by its owner alone (mode 0600)."},
      {"tls", "certificate", text([](Settings& s) -> std::string& { return s.tls.certificate; }, certificate_reference),
       "TLS with a key in the token, instead of the two files: a certificate that this server has issued, by its id "
       "or\n"
       "as \"folder:Infra/server\". Those of its issuers here are sent with it, without the root."},
      {"tls", "client_certificate",
       word<tls::ClientCertificate>([](Settings& s) -> tls::ClientCertificate& { return s.tls.client_certificate; },
                                    {{"off", tls::ClientCertificate::off},
                                     {"optional", tls::ClientCertificate::optional},
                                     {"required", tls::ClientCertificate::required}}),
       "Whether callers are asked for a certificate, and whether those without one are let in."},
      {"tls", "client_ca_file", path([](Settings& s) -> std::string& { return s.tls.client_ca_file; }, anything),
       "The authorities of client certificates, in PEM."},

      {"token", "module",
       path([](Settings& s) -> std::string& { return s.tokens.front().options.module_path; }, not_empty),
       "The PKCS#11 module: the shared library that came with the token."},
      {"token", "label",
       text([](Settings& s) -> std::string& { return s.tokens.front().options.selector.label; }, token_label),
       "The token's label. This or the serial number is needed; both must match when both are given.\n"
       "`hsm-signer token list` shows them."},
      {"token", "serial",
       text([](Settings& s) -> std::string& { return s.tokens.front().options.selector.serial; }, token_serial),
       "The token's serial number, as the token writes it."},
      {"token", "holds", uses([](Settings& s) -> service::TokenUses& { return s.tokens.front().holds; }),
       "What the token is for: keys of \"authorities\", keys of \"leaves\" (all other certificates), and \"service\": "
       "the "
       "key\n"
       "of access tokens, the audit key, random numbers. With several tokens this whole table stands several times, "
       "each\n"
       "under [[token]]; then one of them holds \"service\", and new keys of leaves are spread over those that hold "
       "them.\n"
       "[]: no new keys go there, and those that are there are used (docs/TOKENS.md)."},
      {"token", "former_serials",
       texts([](Settings& s) -> std::vector<std::string>& { return s.tokens.front().former_serials; }, former_serial),
       "Serial numbers of other tokens, whose keys were moved into this one by its vendor's means."},
      {"token", "module_init",
       text([](Settings& s) -> std::string& { return s.tokens.front().options.module_init; }, anything),
       "Text that the module wants in C_Initialize (as pReserved); most want none. NSS softokn:\n"
       "\"configdir='sql:DIRECTORY' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\"."},
      {"token", "accept_leaking_token",
       text([](Settings& s) -> std::string& { return s.tokens.front().accept_leaking_token; }, accepted_token),
       "The server tries at its start whether the token gives keys out (`hsm-signer token probe`), and does not serve "
       "with\n"
       "one that does, or of which it cannot be shown that it does not, unless it is the token named here: by its "
       "serial\n"
       "number, or as manufacturer/model/label when it has none."},
      {"token", "pin_file", path([](Settings& s) -> std::string& { return s.tokens.front().pin_file; }, anything),
       "File with the user PIN on its only line, readable by its owner alone (mode 0600). Empty: none.\n"
       "The PIN itself never stands in this file."},
      {"token", "pin_env", text([](Settings& s) -> std::string& { return s.tokens.front().pin_env; }, variable_name),
       "Environment variable with the user PIN, read when there is no pin_file, then overwritten and removed.\n"
       "With neither, the PIN is asked for on the terminal."},
      {"token", "sessions",
       whole_number<unsigned>([](Settings& s) -> unsigned& { return s.tokens.front().options.sessions; }, 1, 256),
       "Sessions to work in, each with a thread; lowered to what the token allows."},
      {"token", "parallel_generations",
       whole_number<unsigned>([](Settings& s) -> unsigned& { return s.tokens.front().options.parallel_generations; }, 1,
                              256),
       "How many of the sessions may generate a key at one time; one is always left for signing, if there are "
       "several."},
      {"token", "queue_limit",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.tokens.front().options.queue_limit; }, 1,
                                 1000000),
       "Generations that may wait for a session, and other calls likewise; one more is refused as too many requests."},

      {"pool", "enabled", on_or_off([](Settings& s) -> bool& { return s.pool.enabled; }),
       "Whether requests are served from key pairs made ahead, of which docs/KEY-POOL.md tells."},
      {"pool", "classes", texts([](Settings& s) -> std::vector<std::string>& { return s.pool.classes; }, pool_marks),
       "How many keys each server keeps ready: \"CLASS:LOW:HIGH\". Fewer than LOW are filled up to HIGH, while no "
       "request\n"
       "waits for the token. A class is an algorithm, \"/exportable\" after it for keys without the export block: "
       "\"P-256:100:500\".\n"
       "Empty: learned from the requests of the last ten minutes; none are made as long as there are few."},
      {"pool", "max_keys",
       whole_number<std::size_t>([](Settings& s) -> std::size_t& { return s.pool.max_keys; }, 0, 1000000),
       "Most keys to have ready in the token, of all classes and servers of this store. A YubiHSM 2 holds 256 "
       "objects."},
      {"pool", "parallel", whole_number<unsigned>([](Settings& s) -> unsigned& { return s.pool.parallel; }, 1, 256),
       "How many of token.parallel_generations may make keys ahead at one time."},
      {"pool", "adopt_orphans", on_or_off([](Settings& s) -> bool& { return s.pool.adopt_orphans; }),
       "Whether keys of this program that a crash left in the token without a record are taken into the pool, or "
       "destroyed\n"
       "where they are not as they should be. docs/KEY-POOL.md says what to do before starting on a restored backup."},

      {"store", "path", path([](Settings& s) -> std::string& { return s.store.path; }, not_empty),
       "The SQLite file of certificate records; made when absent. Its directory must exist."},
      {"store", "readers", whole_number<unsigned>([](Settings& s) -> unsigned& { return s.store.readers; }, 1, 64),
       "Connections that read beside the one that writes."},

      {"auth", "rotation_grace_seconds",
       seconds([](Settings& s) -> std::chrono::seconds& { return s.rotation_grace; }, 0, kThirtyDays),
       "Seconds that an account's old secret is still taken after its holder has rotated it; 0: not at all."},

      {"policy", "default", text([](Settings& s) -> std::string& { return s.policy.fallback; }, not_empty),
       "The policy profile of every container that policy.containers does not name. Built in: scm, modern, cabf-tls,\n"
       "fips; `hsm-signer policy list` shows them (docs/POLICY.md)."},
      {"policy", "directory", path([](Settings& s) -> std::string& { return s.policy.directory; }, anything),
       "Where profiles of your own are, each a file *.toml. Empty: none."},
      {"policy", "containers",
       texts([](Settings& s) -> std::vector<std::string>& { return s.policy.containers; }, policy_assignment),
       "The profiles of single containers: [\"folder:Web=cabf-tls\", \"device:fw-1=modern\"]. Each container once."},

      {"audit", "checkpoint_events",
       whole_number<std::uint64_t>([](Settings& s) -> std::uint64_t& { return s.audit.checkpoints.events; }, 1,
                                   100'000),
       "Events after which a checkpoint of the journal is signed in the token."},
      {"audit", "checkpoint_seconds",
       seconds([](Settings& s) -> std::chrono::seconds& { return s.audit.checkpoints.interval; }, 1, kOneDay),
       "Seconds after which one is signed for fewer events; there is one more at the end."},
      {"audit", "copy_file", path([](Settings& s) -> std::string& { return s.audit.copy_file; }, anything),
       "File with a live copy of the journal as JSON Lines, made when absent (mode 0600). Empty: none."},
      {"audit", "syslog", text([](Settings& s) -> std::string& { return s.audit.syslog; }, syslog_target),
       "Receiver of a live copy as syslog messages (RFC 5424): \"unix:/dev/log\", \"udp:192.0.2.1:514\" or\n"
       "\"tcp:[2001:db8::1]:601\". Empty: none. docs/AUDIT-OPERATION.md says what is sent."},

      {"log", "level",
       word<log::Level>([](Settings& s) -> log::Level& { return s.log_level; },
                        {{"debug", log::Level::debug},
                         {"info", log::Level::info},
                         {"warning", log::Level::warning},
                         {"error", log::Level::error}}),
       "The least event that is logged. The log goes to standard error."},
      {"log", "format",
       word<log::Format>([](Settings& s) -> log::Format& { return s.log_format; },
                         {{"json", log::Format::json}, {"text", log::Format::text}}),
       "One JSON object per line for machines, or text for people."},
  };
  return table;
}

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) {
    if (std::find(names.begin(), names.end(), setting.table) == names.end()) names.emplace_back(setting.table);
  }
  return names;
}

Settings only_token(const Settings& settings, std::size_t place) {
  Settings one = settings;
  one.tokens = {settings.tokens[place]};
  return one;
}

}  // namespace hsmsigner::app
