// The profiles of a server, and which container has which.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/container.h"
#include "policy/profile.h"

namespace hsmsigner::policy {

// "folder:Web=cabf-tls".
struct Assignment {
  Container container;
  std::string profile;

  // Nothing for text of another form. Whether there is such a profile is another matter.
  static std::optional<Assignment> parse(std::string_view text);
};

struct PolicyOptions {
  std::string fallback = "scm";         // of containers without an assignment
  std::string directory;                // of further profiles; empty: none
  std::vector<std::string> containers;  // of the form of Assignment
};

inline constexpr std::size_t kMostProfiles = 256;  // of a directory

// Immutable; thread safe.
class Policies {
 public:
  // The built-in profiles, of which `scm` is every container's.
  Policies();
  // Throws Error{invalid_object} with every fault, each beginning with the setting's name: a file that is no profile,
  // a name that is built in or there twice, an assignment to a profile that is not there or of a container that has
  // one already.
  static Policies load(const PolicyOptions& options);

  const Profile& of(const Container& container) const;

  // The built-in ones, then those of the directory, by name.
  const std::vector<Profile>& profiles() const noexcept { return profiles_; }
  const Profile* find(std::string_view name) const noexcept;
  bool is_built_in(const Profile& profile) const noexcept { return &profile < profiles_.data() + built_in_; }

 private:
  std::optional<std::size_t> place_of(std::string_view name) const noexcept;
  void read_directory(const std::string& directory, std::vector<std::string>& faults);

  std::vector<Profile> profiles_;
  std::size_t built_in_ = 0;
  // Places in profiles_.
  std::size_t fallback_ = 0;
  std::map<Container, std::size_t> of_container_;
};

}  // namespace hsmsigner::policy
