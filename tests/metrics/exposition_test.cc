// What a scrape is answered, octet for octet, and the table behind it.
#include "metrics/exposition.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

#include "metrics/process.h"

using namespace hsmsigner::metrics;

namespace {

std::string text_of(const Exposition& exposition) { return exposition.text(RequestMetrics({})); }

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every row of the table is a metric that Prometheus takes, and none stands there twice") {
  std::set<std::string_view> names;
  for (const Row& row : table()) {
    const std::string name(row.name);
    CAPTURE(name);
    CHECK(names.insert(row.name).second);
    CHECK(&row_of(row.metric) == &row);
    CHECK(std::regex_match(name, std::regex("(hsm_signer|process)_[a-z_]+")));
    CHECK(name.ends_with("_total") == (row.kind == Kind::counter));
    CHECK(row.help.ends_with("."));
    for (const std::string_view label : row.labels) {
      CHECK(std::regex_match(std::string(label), std::regex("[a-z]+")));
    }
  }
}

TEST_CASE("a value is written below its help and type, in the order of the table") {
  Exposition exposition;
  exposition.add(Metric::store_commits, {}, 3);
  exposition.add(Metric::key_pool_keys, {"hsm", "P-256"}, 12);
  exposition.add(Metric::key_pool_keys, {"hsm", "RSA-2048"}, 0);
  const std::string text = text_of(exposition);
  const std::string pool =
      "# HELP hsm_signer_key_pool_keys Keys made ahead that this server has in stock.\n"
      "# TYPE hsm_signer_key_pool_keys gauge\n"
      "hsm_signer_key_pool_keys{token=\"hsm\",class=\"P-256\"} 12\n"
      "hsm_signer_key_pool_keys{token=\"hsm\",class=\"RSA-2048\"} 0\n";
  CHECK_MESSAGE(holds(text, pool), text);
  CHECK_MESSAGE(holds(text, "# TYPE hsm_signer_store_commits_total counter\nhsm_signer_store_commits_total 3\n"), text);
  CHECK(text.find("key_pool") < text.find("store_commits"));
}

TEST_CASE("a metric without a value is left out") {
  CHECK_FALSE(holds(text_of(Exposition()), "hsm_signer_key_pool"));
  CHECK_FALSE(holds(text_of(Exposition()), "hsm_signer_http_requests_total"));
}

TEST_CASE("a token's label may hold anything") {
  Exposition exposition;
  exposition.add(Metric::token_up, {"a\"b\\c\nd\xff\xc3\xa4"}, 1);
  CHECK(holds(text_of(exposition), "hsm_signer_token_up{token=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa4\"} 1\n"));
}

TEST_CASE("large counters and small fractions keep their digits") {
  Exposition exposition;
  exposition.add(Metric::store_commits, {}, 9007199254740991.0);
  exposition.add(Metric::process_start_time, {}, 1795646489.25);
  const std::string text = text_of(exposition);
  CHECK(holds(text, " 9007199254740991\n"));
  CHECK(holds(text, " 1795646489.25\n"));
}

TEST_CASE("what is not as the table has it is refused") {
  Exposition exposition;
  CHECK_THROWS_AS(exposition.add(Metric::token_up, {}, 1), std::invalid_argument);
  CHECK_THROWS_AS(exposition.add(Metric::store_commits, {"x"}, 1), std::invalid_argument);
  CHECK_THROWS_AS(exposition.add(Metric::http_request_duration, {"x", "y"}, 1), std::invalid_argument);
}

TEST_CASE("the process tells its age, memory, processor time and files as the system has them") {
  const auto value = [](const std::string& name) {
    Exposition exposition;
    ProcessMetrics().add_to(exposition);
    const std::string text = text_of(exposition);
    const std::size_t at = text.find("\n" + name + " ");
    REQUIRE_MESSAGE(at != std::string::npos, text);
    return std::stod(text.substr(at + name.size() + 2));
  };
  // The tests of a case are a process of their own, which has just begun.
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(value("process_start_time_seconds") <= now + 1);
  CHECK(value("process_start_time_seconds") > now - 120);
  CHECK(value("process_resident_memory_bytes") > 1e6);
  CHECK(value("process_resident_memory_bytes") < 1e10);
  CHECK(value("process_cpu_seconds_total") > 0);
  CHECK(value("process_cpu_seconds_total") < 120);
  const double open = value("process_open_fds");
  FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  CHECK(value("process_open_fds") == open + 1);
  std::fclose(file);
  CHECK(value("process_open_fds") == open);
  CHECK(value("process_max_fds") > open);
}
