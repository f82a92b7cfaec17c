// A bounded set of connections that read. Private to the store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace hsmsigner::store {

// `Reader` is a connection with its prepared statements. Thread safe.
template <class Reader>
class ReaderPool {
 public:
  using Factory = std::function<std::unique_ptr<Reader>()>;

  // Makes all of them at once, so that what is wrong shows when the program starts.
  ReaderPool(unsigned size, Factory factory) : factory_(std::move(factory)) {
    for (unsigned i = 0; i < size; ++i) idle_.push_back(factory_());
  }

  // Runs `work` on a reader of its own. Throws Error{session_timeout} when none is free in time. A reader in whose
  // hands something was thrown is replaced: it may be left in the middle of a statement or a transaction, and an open
  // read transaction would show an old state for ever.
  template <class Work>
  auto use(std::chrono::milliseconds patience, const Work& work) {
    Lease lease(*this, patience);
    auto result = work(*lease.reader);
    lease.sound = true;
    return result;
  }

 private:
  struct Lease {
    Lease(ReaderPool& from, std::chrono::milliseconds patience) : pool(from), reader(pool.take(patience)) {
      try {
        if (!reader) reader = pool.factory_();
      } catch (...) {
        pool.give_back(nullptr);
        throw;
      }
    }
    ~Lease() {
      if (!sound) reader.reset();
      pool.give_back(std::move(reader));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    ReaderPool& pool;
    std::unique_ptr<Reader> reader;
    bool sound = false;
  };

  std::unique_ptr<Reader> take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_until(lock, deadline_in(patience), [&] { return !idle_.empty(); })) {
      throw Error(ErrorKind::session_timeout, {"The database was not free in time."});
    }
    std::unique_ptr<Reader> reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
  }

  // Never grows past the size it began with, so push_back does not allocate.
  void give_back(std::unique_ptr<Reader> reader) noexcept {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(reader));
    }
    freed_.notify_one();
  }

  Factory factory_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Reader>> idle_;  // guarded by mutex_; null: to be made anew
};

}  // namespace hsmsigner::store
