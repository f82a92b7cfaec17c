#include "policy/policies.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/error.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace hsmsigner::policy;
using test_support::TemporaryDirectory;

namespace {

std::string profile(const std::string& name) { return "name = \"" + name + "\"\ndescription = \"d\"\n[rules]\n"; }

std::vector<std::string> faults_of(const PolicyOptions& options) {
  try {
    Policies::load(options);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    return error.details();
  }
  return {};
}

}  // namespace

TEST_CASE("built in are scm, modern, cabf-tls and fips, and scm is everybody's") {
  const Policies policies;
  std::vector<std::string> names;
  for (const Profile& entry : policies.profiles()) {
    names.push_back(entry.name);
    CHECK(policies.is_built_in(entry));
    CHECK_FALSE(entry.description.empty());
  }
  CHECK((names == std::vector<std::string>{"scm", "modern", "cabf-tls", "fips"}));
  CHECK(policies.of({ContainerKind::folder, "Any"}).name == "scm");
}

TEST_CASE("a container has its own profile, by kind and name, and every other the default") {
  const TemporaryDirectory directory;
  directory.write("b.toml", profile("zebra"));
  directory.write("c.toml", profile("apple"));
  directory.write("notes.txt", "not a profile");
  const Policies policies = Policies::load(
      {"modern", directory.file(""), {"folder:Web=cabf-tls", "device:Web=apple", "folder:Two Words=fips"}});
  CHECK(policies.of({ContainerKind::folder, "Web"}).name == "cabf-tls");
  CHECK(policies.of({ContainerKind::device, "Web"}).name == "apple");
  CHECK(policies.of({ContainerKind::snippet, "Web"}).name == "modern");
  CHECK(policies.of({ContainerKind::folder, "web"}).name == "modern");
  CHECK(policies.of({ContainerKind::folder, "Two Words"}).name == "fips");
  REQUIRE(policies.profiles().size() == 6);
  CHECK(policies.profiles()[4].name == "apple");
  CHECK_FALSE(policies.is_built_in(policies.profiles()[4]));
  CHECK(policies.find("zebra") != nullptr);
  CHECK(policies.find("none") == nullptr);
}

TEST_CASE("what cannot be is told by the setting's name, all at once") {
  const TemporaryDirectory directory;
  directory.write("a.toml", profile("scm"));
  directory.write("b.toml", profile("own"));
  directory.write("c.toml", profile("own"));
  directory.write("d.toml", "name = \"x\"\ndescription = \"d\"\n[rules]\nmin-rsa-bits = 1\ncolour = 2\n");
  const std::vector<std::string> faults = faults_of(
      {"none", directory.file(""), {"folder:A=nothing", "folder:B=own", "folder:B=scm", "nonsense", "room:A=scm"}});
  const std::vector<std::string> expected = {
      "policy.directory: a.toml: name: the profile scm is built in and cannot be replaced",
      "policy.directory: c.toml: name: another file has the profile own",
      "policy.directory: d.toml: rules.colour (line 5): unknown rule",
      "policy.directory: d.toml: rules.min-rsa-bits (line 4): must be from 512 to 16384",
      "policy.default: there is no such profile; there are scm, modern, cabf-tls, fips, own",
      "policy.containers: folder:A is to have a profile that is not there; there are scm, modern, cabf-tls, fips, own",
      "policy.containers: folder:B is there twice",
      "policy.containers: must be written \"folder:Web=modern\"",
      "policy.containers: must be written \"folder:Web=modern\"",
  };
  CHECK(faults == expected);
}

TEST_CASE("a directory that cannot be read is a fault, and so is one with too many profiles") {
  const TemporaryDirectory directory;
  const auto absent = faults_of({"scm", directory.file("absent"), {}});
  REQUIRE(absent.size() == 1);
  CHECK(absent[0].starts_with("policy.directory: cannot be read"));
  for (std::size_t i = 0; i < kMostProfiles; ++i) {
    directory.write("p" + std::to_string(i) + ".toml", profile("p" + std::to_string(i)));
  }
  CHECK(faults_of({"scm", directory.file(""), {}}).empty());
  directory.write("one-more.toml", profile("one-more"));
  const auto many = faults_of({"scm", directory.file(""), {}});
  REQUIRE(many.size() == 1);
  CHECK(many[0] == "policy.directory: has more than 256 profiles");
}

TEST_CASE("an assignment is a container, an equals sign and a profile") {
  CHECK(Assignment::parse("folder:Web=modern")->profile == "modern");
  CHECK(Assignment::parse("device:fw-1.a=x")->container.to_string() == "device:fw-1.a");
  for (const char* text : {"", "=", "folder:Web", "folder:Web=", "Web=modern", "folder:=modern", "=modern"}) {
    CAPTURE(text);
    CHECK_FALSE(Assignment::parse(text));
  }
}
