#include "app/policy_commands.h"

#include <ostream>

#include "base/error.h"
#include "policy/profile_reader.h"

namespace hsmsigner::app {

void list_policies(const policy::Policies& policies, const policy::PolicyOptions& options, std::ostream& out) {
  for (const policy::Profile& profile : policies.profiles()) {
    out << profile.name << (policies.is_built_in(profile) ? " (built in)" : "") << ": " << profile.description << '\n';
    if (profile.name == options.fallback) out << "  every container that has no other\n";
    for (const std::string& text : options.containers) {
      const auto assignment = policy::Assignment::parse(text);
      if (assignment && assignment->profile == profile.name) out << "  " << assignment->container.to_string() << '\n';
    }
  }
}

void show_policy(const policy::Policies& policies, const std::string& name, std::ostream& out) {
  const policy::Profile* const profile = policies.find(name);
  if (profile == nullptr) {
    std::string known;
    for (const policy::Profile& other : policies.profiles()) known += (known.empty() ? "" : ", ") + other.name;
    throw Error(ErrorKind::invalid_object, {"there is no such profile; there are " + known})
        .with_help("--config FILE adds those of policy.directory");
  }
  out << profile->text;
}

void check_policy(const std::string& file, std::ostream& out) {
  const policy::Profile profile = policy::load_profile(file);
  const policy::Policies built_in;
  if (built_in.find(profile.name) != nullptr) {
    throw Error(ErrorKind::invalid_object,
                {"name: the profile " + profile.name + " is built in and cannot be replaced"});
  }
  out << file << ": ok, profile " << profile.name << '\n';
}

}  // namespace hsmsigner::app
