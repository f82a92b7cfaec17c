// GET /metrics of a running server: what happened is counted, under names that do not grow with what callers write, and
// Prometheus's own tool takes the answer and the documented configuration.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "system/account_calls.h"

using namespace system_test;

namespace {

using Values = std::map<std::string, double>;

// By series as it stands in the answer: "name{label=\"value\"}".
Values values_in(const std::string& text) {
  Values values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    const std::size_t blank = line.rfind(' ');
    REQUIRE_MESSAGE(values.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1))).second, line);
  }
  return values;
}

std::string scrape(const ServerFixture& server) {
  const Reply reply = server.get("/metrics");
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  return reply.body;
}

// 0 when there is no such series.
double value_of(const Values& values, const std::string& series) {
  const auto found = values.find(series);
  return found == values.end() ? 0 : found->second;
}

double now(const ServerFixture& server, const std::string& series) {
  return value_of(values_in(scrape(server)), series);
}

bool comes_to(const ServerFixture& server, const std::string& series, double value) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (now(server, series) != value) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string requests(const std::string& route, const std::string& method, int code) {
  return "hsm_signer_http_requests_total{code=\"" + std::to_string(code) + "\",method=\"" + method + "\",route=\"" +
         route + "\"}";
}

ServerOptions with_pool() {
  ServerOptions options;
  options.settings["pool.enabled"] = "\"on\"";
  options.settings["pool.classes"] = "[\"P-256:1:4\"]";
  return options;
}

std::string of_token(const ServerFixture& server, const std::string& name, const std::string& more = "") {
  return "hsm_signer_" + name + "{token=\"" + server.token().label() + "\"" + more + "}";
}

std::string of_pool(const ServerFixture& server, const std::string& name, const std::string& key_class = "P-256") {
  return of_token(server, "key_pool_" + name, ",class=\"" + key_class + "\"");
}

std::string document() { return octets_of_file(std::string(SOURCE_DIRECTORY) + "/docs/METRICS.md"); }

std::string joined(const std::set<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

bool no_promtool() {
  if (test_support::program_exists("promtool")) return false;
  MESSAGE("test skipped: promtool is not here");
  return true;
}

}  // namespace

TEST_CASE("a certificate takes one key of the pool's stock, and one that finds none is a miss") {
  const ServerFixture server(with_pool());
  REQUIRE(comes_to(server, of_pool(server, "keys"), 4));
  const Values before = values_in(scrape(server));
  CHECK(before.at(of_pool(server, "low_mark_keys")) == 1);
  CHECK(before.at(of_pool(server, "high_mark_keys")) == 4);
  CHECK(value_of(before, of_pool(server, "claims_total")) == 0);
  server.must_generate(certificate("from the pool"));
  const Values after = values_in(scrape(server));
  CHECK(after.at(of_pool(server, "keys")) == 3);
  CHECK(after.at(of_pool(server, "claims_total")) == 1);
  CHECK(after.at(of_pool(server, "misses_total")) == 0);
  CHECK(after.at(of_pool(server, "demand_requests")) == doctest::Approx(1).epsilon(0.1));
  CHECK(after.at(requests("/certificates", "POST", 201)) == 1);
  CHECK(after.at("hsm_signer_store_writes_total") > value_of(before, "hsm_signer_store_writes_total"));
  CHECK(after.at("hsm_signer_store_commits_total") <= after.at("hsm_signer_store_writes_total"));

  for (int i = 0; i < 2; ++i) {
    server.must_generate(
        certificate("without " + std::to_string(i)).set("algorithm", R"({"ecdsa_number_of_bits":384})"));
  }
  CHECK(now(server, of_pool(server, "misses_total", "P-384")) == 2);
  CHECK(now(server, of_pool(server, "claims_total", "P-384")) == 0);
}

TEST_CASE("without a pool there are no metrics of one") {
  const ServerFixture server;
  server.must_generate(certificate("x"));
  const std::string text = scrape(server);
  CHECK_FALSE(holds(text, "key_pool"));
  CHECK(holds(text, of_token(server, "token_up") + " 1\n"));
  CHECK(holds(text, of_token(server, "token_sessions") + " 8\n"));
}

TEST_CASE("requests are counted by route: no path, method or id that a caller writes becomes a name") {
  const ServerFixture server;
  const std::string id = server.must_generate(certificate("x"))["id"].text();
  const double unknown = now(server, requests("other", "other", 400));
  for (const std::string path : {"/nowhere", "/nowhere/else", "/config/identity/v1/metrics", "/certificates/a/b/c"}) {
    CHECK(server.get(path).status == 400);
  }
  CHECK(server.get("/certificates/" + id).status == 200);
  CHECK(server.get("/config/identity/v1/certificates/" + id).status == 200);
  CHECK(server.send({"HEAD", "/sse/config/v1/certificates/" + id, {}, ""}).status == 200);
  CHECK(server.get("/certificates/00000000-0000-4000-8000-000000000000").status == 404);
  CHECK(server.send({"BREW", "/certificates", {}, "", true}).status == 501);
  CHECK(server.send({"PUT", "/certificates/" + id, {}, "", true}).status == 501);
  CHECK(server.send({"GET", "/accounts", {{"Authorization", "Bearer x"}}, ""}).status == 401);
  CHECK(exchange_raw(server.port(), "GET /certificates HTTP/1.1\r\nHost: a\r\nb\r\n\r\n").starts_with("HTTP/1.1 400"));
  const std::string text = scrape(server);
  const Values values = values_in(text);
  CHECK(value_of(values, requests("other", "other", 400)) == unknown + 5);
  CHECK(value_of(values, requests("other", "other", 501)) == 2);
  CHECK(value_of(values, requests("/certificates/{id}", "GET", 200)) == 2);
  CHECK(value_of(values, requests("/certificates/{id}", "HEAD", 200)) == 1);
  CHECK(value_of(values, requests("/certificates/{id}", "GET", 404)) == 1);
  CHECK(value_of(values, requests("/accounts", "GET", 401)) == 1);
  CHECK(values.at("hsm_signer_http_request_duration_seconds_count{method=\"GET\",route=\"/certificates/{id}\"}") == 3);
  for (const std::string word : {"nowhere", "BREW", "PUT", "config", id.c_str(), "0000-4000"}) {
    CHECK_MESSAGE(!holds(text, word), word);
  }
}

TEST_CASE("metrics are for those who may read them, as text, and there is nothing to ask of them") {
  const ServerFixture server;
  check_error(server.send({"GET", "/metrics", {{"Authorization", "none"}}, ""}), 401, "E016", "Not Authenticated");
  check_error(call(server, server.access_token(server.create_account("issuer", {"issuer=*"})), "GET", "/metrics"), 403,
              "E007", "Unauthorized");
  const Reply reply =
      call(server, server.access_token(server.create_account("prometheus", {"monitor=*"})), "GET", "/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type") == "text/plain; version=0.0.4; charset=utf-8");
  // What Prometheus sends.
  CHECK(server
            .send({"GET",
                   "/metrics",
                   {{"Accept",
                     "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}},
                   ""})
            .status == 200);
  CHECK(server.send({"GET", "/metrics", {{"Accept", "application/json"}}, "", true}).status == 400);
  CHECK(server.send({"GET", "/metrics?name=x", {}, "", true}).status == 400);
}

TEST_CASE("64 callers at once are all counted, and no counter ever falls meanwhile") {
  const ServerFixture server;
  constexpr int kCallers = 64;
  constexpr int kEach = 5;
  const std::string series = requests("/accounts/self", "GET", 200);
  const Values before = values_in(scrape(server));
  std::atomic<int> at_work = kCallers;
  std::vector<std::jthread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < kEach; ++j) {
        exchange(server.port(), {"GET", "/accounts/self", {{"Authorization", server.bearer()}}, ""});
      }
      --at_work;
    });
  }
  Values last = before;
  do {
    Values next = values_in(scrape(server));
    for (const auto& before_it : last) {
      const std::string& name = before_it.first;
      if (holds(name, "_total") || holds(name, "_bucket") || holds(name, "_count")) {
        CHECK_MESSAGE(value_of(next, name) >= before_it.second, name);
      }
    }
    CHECK(next.at("hsm_signer_http_requests_in_flight") >= 1);
    last = std::move(next);
  } while (at_work > 0);
  callers.clear();
  CHECK(now(server, series) - value_of(before, series) == kCallers * kEach);
  // The scrape itself, once the callers' last answers are sent.
  CHECK(comes_to(server, "hsm_signer_http_requests_in_flight", 1));
}

TEST_CASE("a lost token shows, and so does its return") {
  ServerOptions options;
  options.faults = true;
  const ServerFixture server(options);
  server.must_generate(certificate("before"));
  CHECK(now(server, of_token(server, "token_up")) == 1);
  server.plan("C_GenerateKeyPair rv=CKR_DEVICE_REMOVED\nC_GetSessionInfo rv=CKR_DEVICE_REMOVED\n");
  CHECK(server.generate(certificate("meanwhile")).status == 503);
  CHECK(holds(scrape(server), of_token(server, "token_up") + " 0\n"));
  CHECK(now(server, requests("/certificates", "POST", 503)) == 1);
  server.plan("");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (server.generate(certificate("after")).status != 201 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(now(server, of_token(server, "token_up")) == 1);
}

TEST_CASE("several tokens are told by their labels, each with its own pool") {
  ServerFixture server(with_pool(), false);
  server.token().add_token("leaves");
  server.set_tokens(
      {{{"holds", R"(["authorities", "service"])"}}, {{"label", quote("leaves")}, {"holds", R"(["leaves"])"}}});
  server.start();
  const std::string authorities = of_pool(server, "keys");
  const std::string leaves = "hsm_signer_key_pool_keys{token=\"leaves\",class=\"P-256\"}";
  REQUIRE(comes_to(server, authorities, 4));
  REQUIRE(comes_to(server, leaves, 4));
  CHECK(now(server, of_token(server, "token_up")) == 1);
  CHECK(now(server, "hsm_signer_token_up{token=\"leaves\"}") == 1);
  server.must_generate(certificate("leaf"));
  CHECK(now(server, leaves) == 3);
  CHECK(now(server, authorities) == 4);
}

TEST_CASE("two tokens of the same label are told by their serial numbers: no series is there twice") {
  ServerFixture server({}, false);
  server.token().add_token(server.token().label());
  const std::string listed = test_support::must_run(
      {program(), "token", "list", "--module", test_support::SoftHsm::module_path()}, "", server.token().environment());
  std::vector<std::string> serials;
  const std::regex form("label +" + server.token().label() + "\nserial +([0-9a-f]+)\n");
  for (std::sregex_iterator found(listed.begin(), listed.end(), form), none; found != none; ++found) {
    serials.push_back((*found)[1]);
  }
  REQUIRE_MESSAGE(serials.size() == 2, listed);
  server.set_tokens({{{"label", ""}, {"serial", quote(serials[0])}, {"holds", R"(["authorities", "service"])"}},
                     {{"label", ""}, {"serial", quote(serials[1])}, {"holds", R"(["leaves"])"}}});
  server.start();
  const Values values = values_in(scrape(server));
  for (const std::string& serial : serials) CHECK(values.contains("hsm_signer_token_up{token=\"" + serial + "\"}"));
}

TEST_CASE("docs/METRICS.md has every metric of a real answer, with its kind and labels, and no other") {
  const ServerFixture server(with_pool());
  REQUIRE(comes_to(server, of_pool(server, "keys"), 4));
  const std::string text = scrape(server);
  std::map<std::string, std::string> kinds;             // from TYPE lines
  std::map<std::string, std::set<std::string>> labels;  // from the series
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex("# TYPE ([a-z_]+) ([a-z]+)"))) kinds[match[1]] = match[2];
    if (!std::regex_match(line, match, std::regex("([a-z_]+)(\\{.*\\})? .*"))) continue;
    const std::string name = std::regex_replace(match[1].str(), std::regex("(_seconds)_(bucket|sum|count)$"), "$1");
    const std::string in_braces = match[2];
    static const std::regex label_form("([a-z]+)=\"");
    for (std::sregex_iterator label(in_braces.begin(), in_braces.end(), label_form), none; label != none; ++label) {
      if ((*label)[1] != "le") labels[name].insert((*label)[1]);
    }
  }
  std::set<std::string> answered;
  for (const auto& [name, kind] : kinds) answered.insert(name + " " + kind + " " + joined(labels[name]));

  std::set<std::string> documented;
  const std::string markdown = document();
  const std::regex row("\\| `([a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|");
  for (std::sregex_iterator found(markdown.begin(), markdown.end(), row), none; found != none; ++found) {
    const std::string named = (*found)[3];
    std::set<std::string> names;
    static const std::regex label_form("`([a-z]+)`");
    for (std::sregex_iterator label(named.begin(), named.end(), label_form), end; label != end; ++label) {
      names.insert((*label)[1]);
    }
    documented.insert((*found)[1].str() + " " + (*found)[2].str() + " " + joined(names));
  }
  CHECK(documented == answered);
  CHECK(answered.size() >= 20);
}

TEST_CASE("promtool finds nothing to say about an answer, nor about the configuration that is documented") {
  if (no_promtool()) return;
  const ServerFixture server(with_pool());
  REQUIRE(comes_to(server, of_pool(server, "keys"), 4));
  server.must_generate(certificate("x"));
  server.get("/nowhere");
  const test_support::CommandResult metrics =
      test_support::run_command({"promtool", "check", "metrics"}, scrape(server));
  CHECK_MESSAGE(metrics.exit_code == 0, metrics.out);
  CHECK(metrics.out == "");

  const std::string markdown = document();
  const std::size_t begin = markdown.find("```yaml\n") + 8;
  REQUIRE(begin > 8);
  const std::string file =
      server.state().write("prometheus.yml", markdown.substr(begin, markdown.find("```", begin) - begin));
  const test_support::CommandResult config =
      test_support::run_command({"promtool", "check", "config", "--syntax-only", file});
  CHECK_MESSAGE(config.exit_code == 0, config.out);
}
