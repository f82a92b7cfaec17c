#include "policy/profile_reader.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "policy/rule_table.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::policy;

namespace {

const std::string kHead = "name = \"own\"\ndescription = \"d\"\n";

std::vector<std::string> faults_of(const std::string& text) {
  try {
    parse_profile(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    return error.details();
  }
  return {};
}

}  // namespace

TEST_CASE("a profile keeps its text, its values and where they come from") {
  const std::string text = kHead +
                           "[rules]\nmin-rsa-bits = { value = 3072, reference = \"House rule 7\" }\n"
                           "digests = [\"sha256\"]\n[rules.max-leaf-days]\nreference = \"House rule 8\"\n"
                           "value = [{ from = 2026-01-01, days = 90 }, { from = 2027-01-01, days = 30 }]\n";
  const Profile profile = parse_profile(text);
  CHECK(profile.name == "own");
  CHECK(profile.description == "d");
  CHECK(profile.text == text);
  CHECK(profile.rules.min_rsa_bits == 3072u);
  CHECK((profile.rules.digests == std::vector<Digest>{Digest::sha256}));
  REQUIRE(profile.rules.max_leaf_days);
  REQUIRE(profile.rules.max_leaf_days->size() == 2);
  CHECK(date_time(profile.rules.max_leaf_days->at(1).from) == "2027-01-01T00:00:00Z");
  CHECK(profile.references.at("min-rsa-bits") == "House rule 7");
  CHECK(profile.references.at("max-leaf-days") == "House rule 8");
  CHECK_FALSE(profile.references.contains("digests"));
  CHECK_FALSE(profile.rules.algorithms);
}

TEST_CASE("each fault of a profile is named by its place") {
  struct Row {
    std::string text;
    std::string says;
  };
  const std::string rules = kHead + "[rules]\n";
  const Row rows[] = {
      {"name = ", "line 1, column"},
      {"description = \"d\"\n[rules]\n", "name: is missing"},
      {"name = \"own\"\n[rules]\n", "description: is missing"},
      {kHead, "rules: the table [rules] is missing"},
      {kHead + "rules = 3\n", "rules (line 3): must be a table"},
      {"name = \"Own\"\ndescription = \"d\"\n[rules]\n", "name (line 1): must have 1 to 64 lower-case letters"},
      {"name = \"-own\"\ndescription = \"d\"\n[rules]\n", "name (line 1)"},
      {"name = 3\ndescription = \"d\"\n[rules]\n", "name (line 1): must be text"},
      {"name = \"own\"\ndescription = \"a\\nb\"\n[rules]\n", "description (line 2): must be one line"},
      {kHead + "colour = 1\n[rules]\n", "colour (line 3): unknown key"},
      {kHead + "[rules]\n[rulse]\n", "rulse (line 4): unknown key"},
      {rules + "min-rsa-bit = 2048\n", "rules.min-rsa-bit (line 4): unknown rule"},
      {rules + "min-rsa-bits = { value = 2048, ref = \"x\" }\n", "rules.min-rsa-bits.ref (line 4): unknown rule"},
      {rules + "min-rsa-bits = { reference = \"x\" }\n", "rules.min-rsa-bits (line 4): value is missing"},
      {rules + "min-rsa-bits = { value = 2048, reference = 3 }\n", "rules.min-rsa-bits.reference (line 4): must be"},
      {rules + "min-rsa-bits = { value = 2048, reference = \"a\\u001b\" }\n", "rules.min-rsa-bits.reference (line 4)"},
      {rules + "min-rsa-bits = \"2048\"\n", "rules.min-rsa-bits (line 4): must be a whole number"},
      {rules + "min-rsa-bits = 511\n", "rules.min-rsa-bits (line 4): must be from 512 to 16384"},
      {rules + "min-rsa-bits = 16385\n", "rules.min-rsa-bits (line 4): must be from 512 to 16384"},
      {rules + "min-rsa-bits = 4096\nmax-rsa-bits = 2048\n", "rules.max-rsa-bits: must not be less than min-rsa-bits"},
      {rules + "san-required = 1\n", "rules.san-required (line 4): must be true or false"},
      {rules + "algorithms = []\n", "rules.algorithms (line 4): must not be an empty list"},
      {rules + "algorithms = \"RSA-2048\"\n", "rules.algorithms (line 4): must be a list of texts"},
      {rules + "algorithms = [\"RSA-2048\", \"RSA\"]\n", "rules.algorithms (line 4): item 2 must be one of RSA-512"},
      {rules + "algorithms = [3]\n", "rules.algorithms (line 4): item 1 must be text"},
      {rules + "digests = [\"SHA256\"]\n", "rules.digests (line 4): item 1 must be one of md5"},
      {rules + "permitted-dns = [\"*.example.com\"]\n", "rules.permitted-dns (line 4): item 1 must be labels"},
      {rules + "excluded-dns = []\n", "rules.excluded-dns (line 4): must not be an empty list"},
      {rules + "permitted-ip = [\"10.0.0.1/8\"]\n", "rules.permitted-ip (line 4): item 1 must be a network"},
      {rules + "required-leaf-fields = [\"organization\"]\n",
       "rules.required-leaf-fields (line 4): item 1 must be one of country_code"},
      {rules + "issuers = [\"\"]\n", "rules.issuers (line 4): item 1 must be \"self\""},
      {rules + "issuers = [\"Root\"]\n", "item 1 must be \"self\", \"external\", the id of a certificate, or its"},
      {rules + "issuers = [\"folder:Infra/Root\", \"Infra/Root\"]\n", "item 2 must be \"self\""},
      {rules + "issuers = [\"folder:Infra\"]\n", "item 1 must be \"self\""},
      {rules + "issuers = [\"folder:Infra/\"]\n", "item 1 must be \"self\""},
      {rules + "issuers = [\"folder:Infra/a\\u0007\"]\n", "item 1 must be \"self\""},
      {rules + "issuers = [\"0b7e9f38-7a4b-4c3e-8f0a-6f0f6d1c2b3\"]\n", "item 1 must be \"self\""},
      {rules + "max-leaf-days = 0\n", "rules.max-leaf-days (line 4): must be from 1 to 36500"},
      {rules + "max-leaf-days = []\n", "rules.max-leaf-days (line 4): must be a whole number of days, or a list"},
      {rules + "max-leaf-days = [{ from = \"2026-01-01\", days = 1 }]\n",
       "rules.max-leaf-days (line 4): step 1 must be of the form"},
      {rules + "max-leaf-days = [{ from = 2026-01-01, days = 1, x = 1 }]\n", "step 1 must be of the form"},
      {rules + "max-leaf-days = [{ from = 2026-01-01, days = 0 }]\n", "step 1 days must be from 1"},
      {rules + "max-leaf-days = [{ from = 2026-01-01, days = 9 }, { from = 2026-01-01, days = 8 }]\n",
       "step 2 must begin after the one before it"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const std::vector<std::string> faults = faults_of(row.text);
    REQUIRE(faults.size() == 1);
    CHECK_MESSAGE(faults.front().find(row.says) != std::string::npos, faults.front());
  }
}

TEST_CASE("all faults of a profile are told at once") {
  const auto faults = faults_of(
      "name = \"\"\ncolour = 1\n[rules]\nmin-rsa-bits = 1\ndigests = [\"x\"]\nsan-requierd = true\n"
      "san-required = \"true\"\n");
  CHECK(faults.size() == 7);  // the description too
}

TEST_CASE("no rule takes a value of any other type") {
  for (const Rule& rule : rule_table()) {
    for (const char* value : {"1.5", "\"text\"", "2026-01-01", "[[1]]", "{ value = { value = 1 } }"}) {
      CAPTURE(rule.name);
      CAPTURE(value);
      const auto faults = faults_of(kHead + "[rules]\n" + std::string(rule.name) + " = " + value + "\n");
      REQUIRE(faults.size() == 1);
      CHECK(faults.front().starts_with("rules." + std::string(rule.name) + " (line 4): "));
    }
  }
}

TEST_CASE("a file that is none, too long or not there is refused, and its text is not repeated") {
  const test_support::TemporaryDirectory directory;
  const auto fault = [](const std::string& file) -> std::string {
    try {
      load_profile(file);
    } catch (const Error& error) {
      return error.details().at(0);
    }
    return "";
  };
  CHECK(fault(directory.file("absent.toml")) == "the profile cannot be read");
  CHECK(fault(directory.file("")) == "the profile cannot be read");
  const std::string sound = kHead + "[rules]\n#";
  CHECK(fault(directory.write("a.toml", sound + std::string(kLongestProfile - sound.size(), 'x'))) == "");
  CHECK(fault(directory.write("b.toml", sound + std::string(kLongestProfile - sound.size() + 1, 'x'))) ==
        "the profile has more than 262144 octets");
  CHECK(fault(directory.write("c.toml", "s3cr3t = = 1")).find("s3cr3t") == std::string::npos);
}
