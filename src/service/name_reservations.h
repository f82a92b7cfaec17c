// Names of certificates being generated or imported at this moment, so that of several concurrent requests for one name
// exactly one goes on to make a key. The store's UNIQUE constraint has the last word.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/container.h"

namespace hsmsigner::service {

// Thread safe.
class NameReservations {
 public:
  // Held while a request is under way.
  class Reservation {
   public:
    Reservation(Reservation&& other) noexcept : owner_(other.owner_), key_(other.key_) { other.owner_ = nullptr; }
    Reservation& operator=(Reservation&&) = delete;
    ~Reservation() {
      if (owner_ != nullptr) owner_->release(key_);
    }

   private:
    friend class NameReservations;
    using Key = std::set<std::pair<Container, std::string>>::iterator;
    Reservation(NameReservations& owner, Key key) : owner_(&owner), key_(key) {}
    NameReservations* owner_;
    Key key_;
  };

  // Nothing when another request holds the name.
  std::optional<Reservation> reserve(const Container& container, const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto [position, added] = names_.emplace(container, name);
    if (!added) return std::nullopt;
    return Reservation(*this, position);
  }

 private:
  void release(Reservation::Key key) {
    const std::lock_guard lock(mutex_);
    names_.erase(key);
  }

  std::mutex mutex_;  // guards names_
  std::set<std::pair<Container, std::string>> names_;
};

}  // namespace hsmsigner::service
