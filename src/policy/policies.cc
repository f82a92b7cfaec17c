#include "policy/policies.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "base/error.h"
#include "policy/profile_reader.h"

namespace hsmsigner::policy {

// Made of profiles/*.toml by embed_text.cmake.
extern const std::span<const std::string_view> kScmProfile;
extern const std::span<const std::string_view> kModernProfile;
extern const std::span<const std::string_view> kCabfTlsProfile;
extern const std::span<const std::string_view> kFipsProfile;

namespace {

namespace fs = std::filesystem;

std::string joined(std::span<const std::string_view> chunks) {
  std::string text;
  for (const std::string_view chunk : chunks) text += chunk;
  return text;
}

}  // namespace

std::optional<Assignment> Assignment::parse(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) return std::nullopt;
  const std::optional<Container> container = Container::parse(text.substr(0, equals));
  if (!container) return std::nullopt;
  return Assignment{*container, std::string(text.substr(equals + 1))};
}

// The first, scm, is everybody's until load() says otherwise.
Policies::Policies() {
  for (const auto text : {kScmProfile, kModernProfile, kCabfTlsProfile, kFipsProfile}) {
    profiles_.push_back(parse_profile(joined(text)));
  }
  built_in_ = profiles_.size();
}

Policies Policies::load(const PolicyOptions& options) {
  Policies policies;
  std::vector<std::string> faults;
  if (!options.directory.empty()) policies.read_directory(options.directory, faults);

  std::string known;
  for (const Profile& profile : policies.profiles_) known += (known.empty() ? "" : ", ") + profile.name;
  if (const auto place = policies.place_of(options.fallback)) {
    policies.fallback_ = *place;
  } else {
    faults.push_back("policy.default: there is no such profile; there are " + known);
  }
  for (const std::string& text : options.containers) {
    const std::optional<Assignment> assignment = Assignment::parse(text);
    if (!assignment) {
      faults.emplace_back("policy.containers: must be written \"folder:Web=modern\"");
      continue;
    }
    const std::string name = assignment->container.to_string();
    const auto place = policies.place_of(assignment->profile);
    if (!place) {
      faults.push_back("policy.containers: " + name + " is to have a profile that is not there; there are " + known);
    }
    if (!policies.of_container_.emplace(assignment->container, place.value_or(0)).second) {
      faults.push_back("policy.containers: " + name + " is there twice");
    }
  }
  if (!faults.empty()) {
    throw Error(ErrorKind::invalid_object, std::move(faults))
        .with_help("`hsm-signer policy list` shows the profiles, `hsm-signer policy check FILE` checks one");
  }
  return policies;
}

void Policies::read_directory(const std::string& directory, std::vector<std::string>& faults) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") files.push_back(entry->path());
  }
  if (error) {
    faults.push_back("policy.directory: cannot be read: " + error.message());
    return;
  }
  if (files.size() > kMostProfiles) {
    faults.push_back("policy.directory: has more than " + std::to_string(kMostProfiles) + " profiles");
    return;
  }
  std::ranges::sort(files);
  std::vector<Profile> own;
  for (const fs::path& file : files) {
    const std::string place = "policy.directory: " + file.filename().string() + ": ";
    try {
      Profile profile = load_profile(file.string());
      const auto same = [&](const Profile& other) { return other.name == profile.name; };
      if (find(profile.name) != nullptr) {
        faults.push_back(place + "name: the profile " + profile.name + " is built in and cannot be replaced");
      } else if (std::ranges::any_of(own, same)) {
        faults.push_back(place + "name: another file has the profile " + profile.name);
      } else {
        own.push_back(std::move(profile));
      }
    } catch (const Error& fault) {
      for (const std::string& detail : fault.details()) faults.push_back(place + detail);
    }
  }
  std::ranges::sort(own, {}, &Profile::name);
  std::ranges::move(own, std::back_inserter(profiles_));
}

const Profile& Policies::of(const Container& container) const {
  const auto own = of_container_.find(container);
  return profiles_.at(own == of_container_.end() ? fallback_ : own->second);
}

const Profile* Policies::find(std::string_view name) const noexcept {
  const auto place = place_of(name);
  return place ? &profiles_[*place] : nullptr;
}

std::optional<std::size_t> Policies::place_of(std::string_view name) const noexcept {
  for (std::size_t place = 0; place < profiles_.size(); ++place) {
    if (profiles_[place].name == name) return place;
  }
  return std::nullopt;
}

}  // namespace hsmsigner::policy
