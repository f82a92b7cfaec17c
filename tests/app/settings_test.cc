#include "app/settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/temporary_directory.h"

namespace {

using namespace hsmsigner;
using app::SettingInfo;
using app::Settings;
using test_support::TemporaryDirectory;

Settings load(const TemporaryDirectory& directory, const std::string& text) {
  return app::load_settings(directory.write("hsm-signer.toml", text));
}

std::vector<std::string> faults_of(const std::string& text) {
  const TemporaryDirectory directory;
  try {
    load(directory, text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    return error.details();
  }
  return {};
}

bool any_holds(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

// One setting set, beside what every file needs.
std::string file_with(const std::string& table, const std::string& key, const std::string& value) {
  std::string text = "[" + table + "]\n" + key + " = " + value + "\n";
  const bool tells_the_token = table == "token" && (key == "label" || key == "serial");
  if (tells_the_token) return text;
  if (table == "token") return text + "label = \"t\"\n";
  return text + "[token]\nlabel = \"t\"\n";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::string kMinimal = "[token]\nlabel = \"t\"\n";

}  // namespace

TEST_CASE("the sample names every setting with its default, and says what it is") {
  const std::string sample = app::sample_settings();
  for (const SettingInfo& info : app::setting_infos()) {
    CAPTURE(info.key);
    const std::size_t table = sample.find("\n[" + info.table + "]\n");
    const std::size_t line = sample.find("\n#" + info.key + " = " + info.fallback + "\n");
    REQUIRE(table != std::string::npos);
    REQUIRE(line != std::string::npos);
    CHECK(table < line);
    const std::size_t line_before = sample.rfind('\n', line - 1) + 1;
    CHECK(sample.compare(line_before, 2, "# ") == 0);
  }
}

TEST_CASE("examples/hsm-signer.toml is the sample, byte for byte") {
  CHECK(test_support::read_file(HSM_SIGNER_SOURCE_DIR "/examples/hsm-signer.toml") == app::sample_settings());
}

TEST_CASE("the sample is a valid file that sets the defaults, with its settings commented or not") {
  const TemporaryDirectory directory;
  const std::string commented = replaced(app::sample_settings(), "#label = \"\"", "label = \"t\"");
  std::string uncommented = commented;
  for (const SettingInfo& info : app::setting_infos()) {
    if (info.table == "token" && info.key == "label") continue;
    uncommented = replaced(uncommented, "\n#" + info.key + " = ", "\n" + info.key + " = ");
  }
  Settings expected = app::default_settings();
  expected.tokens.front().options.selector.label = "t";
  expected.store.path = directory.file("hsm-signer.db");
  CHECK(app::show_settings(load(directory, commented)) == app::show_settings(expected));
  CHECK(app::show_settings(load(directory, uncommented)) == app::show_settings(expected));
}

TEST_CASE("what is shown loads as the same settings") {
  const TemporaryDirectory directory;
  const std::string text =
      "[server]\naddress = \"::1\"\nport = 0\nmax_connections = 3\nmax_body_bytes = 2000\nread_timeout_ms = 101\n"
      "write_timeout_ms = 102\nkeep_alive_timeout_ms = 103\nrequest_timeout_ms = 104\n"
      "[token]\nmodule = \"m.so\"\nlabel = \"a \\\"quoted\\\" \\\\ label é\"\n"
      "serial = \"0123\"\npin_file = \"../pin\"\n"
      "pin_env = \"OTHER\"\nsessions = 5\nparallel_generations = 2\nqueue_limit = 7\n"
      "[store]\npath = \"/var/lib/x.db\"\nreaders = 9\n[log]\nlevel = \"debug\"\nformat = \"text\"\n";
  const Settings settings = load(directory, text);
  CHECK(settings.server.address == "::1");
  CHECK(settings.server.port == 0);
  CHECK(settings.server.read_timeout.count() == 101);
  CHECK(settings.tokens.front().options.selector.label == "a \"quoted\" \\ label é");
  CHECK(settings.tokens.front().options.parallel_generations == 2);
  CHECK(settings.log_level == log::Level::debug);
  CHECK(settings.log_format == log::Format::text);
  const std::string shown = app::show_settings(settings);
  CHECK(app::show_settings(load(directory, shown)) == shown);
  for (const SettingInfo& info : app::setting_infos()) {
    CAPTURE(info.key);
    CHECK(shown.find("\n" + info.key + " = ") != std::string::npos);
  }
}

TEST_CASE("relative paths are taken from the file's directory") {
  const TemporaryDirectory directory;
  const Settings settings = load(directory,
                                 "[token]\nlabel = \"t\"\nmodule = \"lib/m.so\"\npin_file = \"pin\"\n"
                                 "[store]\npath = \"/a/b.db\"\n");
  CHECK(settings.tokens.front().options.module_path == directory.file("lib/m.so"));
  CHECK(settings.tokens.front().pin_file == directory.file("pin"));
  CHECK(settings.store.path == "/a/b.db");
  CHECK(load(directory, kMinimal).tokens.front().pin_file.empty());
  CHECK(load(directory, kMinimal).store.path == directory.file("hsm-signer.db"));
}

TEST_CASE("a list of texts is read, shown and checked item by item") {
  const TemporaryDirectory directory;
  const Settings settings =
      load(directory, file_with("policy", "containers", "[\"folder:Web=cabf-tls\", \"device:Two Words=own\"]") +
                          "[log]\nlevel = \"debug\"\n");
  CHECK((settings.policy.containers == std::vector<std::string>{"folder:Web=cabf-tls", "device:Two Words=own"}));
  const std::string shown = app::show_settings(settings);
  CHECK(shown.find("\ncontainers = [\"folder:Web=cabf-tls\", \"device:Two Words=own\"]\n") != std::string::npos);
  CHECK(app::show_settings(load(directory, shown)) == shown);
  CHECK(load(directory, file_with("policy", "directory", "\"own\"")).policy.directory == directory.file("own"));

  for (const std::string item : {"3", "\"\"", "\"folder:Web\"", "\"Web=modern\"", "\"room:Web=modern\"",
                                 "\"folder:Web=\"", "[\"folder:Web=modern\"]"}) {
    CAPTURE(item);
    const auto faults = faults_of(file_with("policy", "containers", "[\"folder:A=scm\", " + item + "]"));
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().starts_with("policy.containers (line 2): item 2 must be "));
  }
  CHECK(any_holds(faults_of(file_with("policy", "containers", "\"folder:A=scm\"")), "must be a list of texts"));
}

TEST_CASE("every range is kept at both ends") {
  for (const SettingInfo& info : app::setting_infos()) {
    if (!info.range) continue;
    CAPTURE(info.key);
    const auto [least, most] = *info.range;
    const std::string name = info.table + "." + info.key;
    for (const std::int64_t value : {least, most}) {
      CHECK(faults_of(file_with(info.table, info.key, std::to_string(value))).empty());
    }
    for (const std::int64_t value : {least - 1, most + 1}) {
      const std::vector<std::string> faults = faults_of(file_with(info.table, info.key, std::to_string(value)));
      REQUIRE(faults.size() == 1);
      CHECK(faults.front().starts_with(name));
      CHECK(faults.front().find(std::to_string(least) + " to " + std::to_string(most)) != std::string::npos);
    }
  }
}

TEST_CASE("every setting refuses a value of another type, by name") {
  for (const SettingInfo& info : app::setting_infos()) {
    for (const std::string& value :
         {std::string("true"), std::string("1.5"), std::string("[1]"), std::string(info.range ? "\"1\"" : "1")}) {
      CAPTURE(info.key);
      CAPTURE(value);
      CHECK(any_holds(faults_of(file_with(info.table, info.key, value)), info.table + "." + info.key + " (line 2): "));
    }
  }
}

TEST_CASE("words outside the list, empty paths, names and addresses that are none are refused") {
  struct Row {
    const char* table;
    const char* key;
    const char* value;
  };
  for (const Row& row :
       {Row{"log", "level", "\"loud\""}, Row{"log", "format", "\"xml\""}, Row{"token", "module", "\"\""},
        Row{"store", "path", "\"\""}, Row{"server", "address", "\"localhost\""},
        Row{"server", "address", "\"127.0.0.1:80\""}, Row{"token", "pin_env", "\"1234\""},
        Row{"token", "pin_env", "\"A-B\""}, Row{"token", "label", "\"123456789012345678901234567890123\""},
        Row{"policy", "default", "\"\""}, Row{"token", "serial", "\"12345678901234567\""},
        Row{"token", "label", "\"a\\u0000b\""}}) {
    CAPTURE(row.key);
    CAPTURE(row.value);
    CHECK(any_holds(faults_of(file_with(row.table, row.key, row.value)), std::string(row.table) + "." + row.key));
  }
  for (const std::string choice : {"debug", "info", "warning", "error"}) {
    CHECK(faults_of(file_with("log", "level", "\"" + choice + "\"")).empty());
  }
}

TEST_CASE("unknown settings and tables are named, with what was probably meant") {
  struct Row {
    const char* text;
    const char* says;
  };
  for (const Row& row :
       {Row{"[server]\nprot = 80\n", "server.prot (line 2): unknown setting; did you mean server.port?"},
        Row{"[server]\ncolour = 80\n", "server.colour (line 2): unknown setting"},
        Row{"[stroe]\npath = \"x\"\n", "stroe (line 1): unknown table; did you mean store?"},
        Row{"port = 80\n", "port (line 1): unknown setting"}, Row{"server = 80\n", "server (line 1): must be a table"},
        Row{"[token]\npin_fil = \"x\"\n", "token.pin_fil (line 2): unknown setting; did you mean token.pin_file?"}}) {
    CAPTURE(row.text);
    CHECK(any_holds(faults_of(row.text), row.says));
  }
}

TEST_CASE("all faults of a file are told at once") {
  const std::vector<std::string> faults = faults_of(
      "[server]\nport = 70000\nprot = 1\n[token]\nlabel = 3\n[store]\nreaders = 0\n[log]\nlevel = \"loud\"\n");
  CHECK(faults.size() == 5);
}

TEST_CASE("a token must be told, whatever else is wrong") {
  CHECK(any_holds(faults_of(""), "token.label or token.serial"));
  CHECK(any_holds(faults_of("[server]\nport = 70000\n"), "token.label or token.serial"));
  CHECK(faults_of("[token]\nserial = \"1\"\n").empty());
  CHECK(faults_of("[token]\nlabel = \"t\"\nsessions = 2\n").empty());  // parallel_generations gives way by itself
}

TEST_CASE("an address that is not loopback is refused before anything is started, and why") {
  for (const char* address : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1"}) {
    const auto faults = faults_of(std::string("[server]\naddress = \"") + address + "\"\n[token]\nlabel = \"t\"\n");
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].starts_with("server.address"));
    CHECK(faults[0].find("no TLS") != std::string::npos);
    CHECK(faults_of(std::string("[server]\naddress = \"") + address +
                    "\"\n[tls]\ncertificate = \"folder:Infra/server\"\n[token]\nlabel = \"t\"\n")
              .empty());
  }
}

TEST_CASE("settings of TLS that do not go together are told, each by its name") {
  const std::string token = "[token]\nlabel = \"t\"\n[tls]\n";
  const std::pair<const char*, const char*> rows[] = {
      {"certificate_file = \"c\"", "tls.key_file must be set too"},
      {"key_file = \"k\"", "tls.certificate_file must be set too"},
      {"certificate_file = \"c\"\nkey_file = \"k\"\ncertificate = \"folder:x/y\"", "tls.certificate must not be set"},
      {"certificate = \"server\"", "tls.certificate (line 4): must be"},
      {"certificate = \"folder:Infra/\"", "tls.certificate (line 4): must be"},
      {"client_ca_file = \"a\"\nclient_certificate = \"optional\"", "tls.client_certificate needs TLS"},
      {"certificate = \"folder:x/y\"\nclient_certificate = \"required\"", "tls.client_ca_file must be set"},
      {"certificate = \"folder:x/y\"\nclient_ca_file = \"a\"", "tls.client_ca_file has no effect"},
      {"client_certificate = \"maybe\"", "tls.client_certificate (line 4): must be one of"},
  };
  for (const auto& row : rows) {
    const std::string& text = row.first;
    const std::string& sentence = row.second;
    CAPTURE(text);
    const std::vector<std::string> faults = faults_of(token + text + "\n");
    CHECK(faults.size() == 1);
    CHECK(any_holds(faults, sentence));
  }
  CHECK(faults_of(token + "certificate_file = \"c\"\nkey_file = \"k\"\nclient_certificate = \"optional\"\n"
                          "client_ca_file = \"a\"\n")
            .empty());
}

TEST_CASE("a PIN in the file is refused wherever it stands, and not repeated") {
  for (const std::string text :
       {"[token]\nlabel = \"t\"\npin = \"s3cr3t\"\n", "[token]\nlabel = \"t\"\nso_pin = \"s3cr3t\"\n",
        "[token]\nlabel = \"t\"\nUserPin = \"s3cr3t\"\n", "[token]\nlabel = \"t\"\npin.value = \"s3cr3t\"\n",
        "PIN = \"s3cr3t\"\n[token]\nlabel = \"t\"\n", "[tokens]\npin = \"s3cr3t\"\n[token]\nlabel = \"t\"\n",
        "[token]\nlabel = \"t\"\npassword = \"s3cr3t\"\n"}) {
    CAPTURE(text);
    const std::vector<std::string> faults = faults_of(text);
    CHECK(any_holds(faults, "remove its text from the file"));
    CHECK(any_holds(faults, "token.pin_file or token.pin_env"));
    CHECK_FALSE(any_holds(faults, "s3cr3t"));
  }
}

TEST_CASE("broken TOML is told by line and column, without its text") {
  const TemporaryDirectory directory;
  try {
    load(directory, "[token]\npin = s3cr3t\n");
    FAIL("was read");
  } catch (const Error& error) {
    CHECK(any_holds(error.details(), "line 2, column "));
    CHECK(std::string(error.what()).find("s3cr3t") == std::string::npos);
  }
}

TEST_CASE("a file that cannot be read is an Error with a public sentence") {
  const TemporaryDirectory directory;
  for (const std::string& file : {directory.file("absent.toml"), directory.path().string()}) {
    try {
      app::load_settings(file);
      FAIL("was read");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_object);
      CHECK(any_holds(error.details(), "cannot be read"));
      CHECK_FALSE(any_holds(error.details(), file));
      CHECK(error.cause().find(file) != std::string::npos);
    }
  }
}

namespace {

const std::string kThree =
    "[[token]]\nlabel = \"ca\"\npin_file = \"ca.pin\"\nholds = [\"authorities\", \"service\"]\nsessions = 3\n"
    "[[token]]\nlabel = \"a\"\npin_env = \"A\"\nholds = [\"leaves\"]\nmodule = \"other.so\"\n"
    "[[token]]\nserial = \"0123\"\npin_env = \"\"\nholds = [\"leaves\"]\nformer_serials = [\"45\", \"67\"]\n";

}  // namespace

TEST_CASE("several tokens are read, shown and named each by itself") {
  const TemporaryDirectory directory;
  const Settings settings = load(directory, kThree + "[log]\nlevel = \"debug\"\n");
  REQUIRE(settings.tokens.size() == 3);
  CHECK(settings.tokens[0].options.selector.label == "ca");
  CHECK(settings.tokens[0].options.sessions == 3);
  CHECK(settings.tokens[0].pin_file == directory.file("ca.pin"));
  CHECK(settings.tokens[0].holds == service::TokenUses{true, false, true});
  CHECK(settings.tokens[1].options.module_path == directory.file("other.so"));
  CHECK(settings.tokens[1].options.sessions == 8);
  CHECK(settings.tokens[1].holds == service::TokenUses{false, true, false});
  CHECK(settings.tokens[2].options.selector.label.empty());
  CHECK(settings.tokens[2].former_serials == std::vector<std::string>{"45", "67"});
  CHECK(settings.tokens[2].pin_env.empty());
  CHECK(settings.service_token() == 0);
  CHECK(settings.log_level == log::Level::debug);

  const std::string shown = app::show_settings(settings);
  CHECK(app::show_settings(load(directory, shown)) == shown);
  const auto values = app::setting_values(settings);
  const auto has = [&](const std::string& name, const std::string& value) {
    return std::count(values.begin(), values.end(), std::pair(name, value)) == 1;
  };
  CHECK(has("token[1].label", "\"ca\""));
  CHECK(has("token[2].label", "\"a\""));
  CHECK(has("token[3].holds", "[\"leaves\"]"));
  CHECK(has("log.level", "\"debug\""));
  CHECK_FALSE(has("token.label", "\"ca\""));

  // A single one is named as it always was, whichever way it is written.
  const Settings one = load(directory, "[[token]]\nlabel = \"t\"\n");
  CHECK(app::show_settings(one) == app::show_settings(load(directory, kMinimal)));
  CHECK(app::setting_values(one) == app::setting_values(load(directory, kMinimal)));
}

TEST_CASE("what is wrong with one of several tokens is told by its number and line") {
  struct Row {
    const char* from;
    const char* to;
    const char* says;
  };
  for (const Row& row : {
           Row{"sessions = 3", "sessions = 0", "token[1].sessions (line 5): must be from 1 to 256"},
           Row{"sessions = 3", "session = 3",
               "token[1].session (line 5): unknown setting; did you mean token[1].sessions?"},
           Row{"label = \"a\"\n", "", "token[2].label or token[2].serial must be set"},
           Row{"serial = \"0123\"", "pin = \"0123\"", "token[3].pin (line 12): the PIN is never read"},
           Row{"pin_env = \"A\"", "pin_env = \"9\"", "token[2].pin_env (line 8): must be the name"},
           Row{"\"authorities\", \"service\"", "\"service\"", "token.holds: no token holds \"authorities\""},
           Row{"\"authorities\", \"service\"", "\"authorities\"", "token.holds: no token holds \"service\""},
           Row{"holds = [\"leaves\"]\nformer", "former", "token.holds: several tokens hold \"service\""},
           Row{"[\"leaves\"]\nmodule", "[\"leafs\"]\nmodule", "token[2].holds (line 9): must be a list of"},
           Row{"[\"leaves\"]\nmodule", "[\"leaves\", \"leaves\"]\nmodule", "token[2].holds (line 9): must be"},
           Row{"[\"leaves\"]\nmodule", "[]\nmodule", nullptr},
           Row{"[\"45\", \"67\"]", "[\"45\", \"\"]", "token[3].former_serials (line 15): item 2 must not be empty"},
           Row{"pin_env = \"\"", "pin_env = \"A\"", "token[3].pin_env: token[2] takes its PIN from this variable too"},
           Row{"module = \"other.so\"\n", "", nullptr},
           Row{"serial = \"0123\"", "label = \"a\"\nmodule = \"other.so\"", "token[3] is the same token as token[2]"},
       }) {
    CAPTURE(row.to);
    const std::vector<std::string> faults = faults_of(replaced(kThree, row.from, row.to));
    if (row.says == nullptr) {
      CHECK(faults.empty());
      continue;
    }
    REQUIRE(!faults.empty());
    CHECK_MESSAGE(faults.front().starts_with(row.says), faults.front());
    CHECK(faults.size() == (std::string(row.to).starts_with("pin = ") ? 2 : 1));
  }
}

TEST_CASE("the table of tokens is a table or several, not too many, and hides no PIN") {
  CHECK(any_holds(faults_of("token = 3\n"), "token (line 1): must be a table, written [token]"));
  for (const std::string text : {"token = []\n", "token = [1]\n", "token = [{label = \"t\"}, 1]\n"}) {
    CHECK(any_holds(faults_of(text), "or from 1 to 16 of them, each written [[token]]"));
  }
  std::string many;
  for (int i = 0; i < 17; ++i) many += "[[token]]\nlabel = \"t" + std::to_string(i) + "\"\npin = \"s3cr3t\"\n";
  CHECK(any_holds(faults_of(many), "or from 1 to 16 of them"));
  CHECK(any_holds(faults_of(many), "token.pin (line 3): the PIN is never read"));
  CHECK_FALSE(any_holds(faults_of(many), "s3cr3t"));
  CHECK(any_holds(faults_of("[[log]]\nlevel = \"info\"\n"), "log (line 1): must be a table, written [log]"));
  CHECK(any_holds(faults_of("[token]\nlabel = \"t\"\nholds = [\"leaves\", \"service\"]\n"),
                  "token.holds: the only token must hold \"authorities\""));
}
