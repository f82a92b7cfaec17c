// Key pairs made ahead, and which process holds which.
//
// Every open Store is an instance with a name of its own, the owner. It holds keys as long as its lease lasts; keys of
// an owner whose lease is over, or who is known to be gone, may be taken over. Whatever a stalled process believes,
// only the owner on record can use a key: the certificate's own transaction removes the pool's row
// (Alongside::pool_key).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/key_class.h"
#include "base/uuid.h"
#include "store/pool_key_record.h"

namespace hsmsigner::store {

// Keys of one class on one token, of all instances.
struct PoolLevel {
  KeyClass key_class;
  std::size_t all = 0;
  std::size_t held = 0;  // by instances whose lease lasts; others may not take these
  std::size_t own = 0;   // of these, by this instance
};

// Thread safe. Errors as in certificate_store.h. Tokens are named by their serial number.
class KeyPoolStore {
 public:
  virtual ~KeyPoolStore() = default;

  // This instance's name. Throws Error{internal_error} when its lock cannot be had.
  virtual const std::string& owner() = 0;

  // Begins or prolongs this instance's lease. False when there was none that still lasted at `now`: others may have
  // taken keys over, so that what was held must be read anew with held().
  virtual bool renew(UnixTime now, UnixTime until, Deadline deadline) = 0;
  // Gives back everything that is held, at once.
  virtual void release(Deadline deadline) = 0;
  // Ends the leases of instances on this machine that no longer run: each holds a lock that its process's end undoes.
  // Returns how many there were.
  virtual std::size_t end_leases_of_the_dead(Deadline deadline) = 0;

  enum class Hold { own, nobody };
  // Adds keys that this instance has planned, held by it or by nobody, with the event that tells of them, in one
  // transaction. Throws Error{object_not_unique} when a key has another record already, Error{object_not_present} when
  // its plan is not this instance's (any more).
  virtual void add(const std::vector<PoolKeyRecord>& keys, Hold hold, const audit::Event& event, Deadline deadline) = 0;
  // Takes up to `most` keys of the class that nobody holds at `now`, the oldest first.
  virtual std::vector<PoolKeyRecord> take(const std::string& token_serial, const KeyClass& key_class, std::size_t most,
                                          UnixTime now, Deadline deadline) = 0;
  // What this instance holds.
  virtual std::vector<PoolKeyRecord> held(const std::string& token_serial) = 0;
  virtual std::vector<PoolLevel> levels(const std::string& token_serial, UnixTime now) = 0;
  virtual std::optional<PoolKeyRecord> find(const Uuid& id) = 0;
  // Of every key of the pool on any token, those to be destroyed included.
  virtual std::vector<Uuid> ids() = 0;
  // The serial numbers of the tokens that have some.
  virtual std::vector<std::string> tokens() = 0;

  // Takes a key that this instance holds out of the stock for good, as the step before it is destroyed. False when it
  // does not hold it (any more): then it must leave the key alone.
  virtual bool withdraw(const Uuid& id, Deadline deadline) = 0;
  // Those that are to be destroyed and that nobody else is at: of this instance, or of one whose lease is over.
  virtual std::vector<Uuid> withdrawn(const std::string& token_serial, UnixTime now) = 0;
  // Removes the row of a withdrawn key that is gone from the token, with the event that tells of it. Nothing happens
  // when there is none.
  virtual void erase_withdrawn(const Uuid& id, const audit::Event& event, Deadline deadline) = 0;

  // Removes every key and every plan, without a look at the token, and writes the event with their number in the detail
  // `count`. Returns it. Throws Error{invalid_command} while an instance that runs holds a lease.
  virtual std::size_t forget_all(UnixTime now, const audit::Event& event, Deadline deadline) = 0;

  // Writes down, for this instance, that keys of these ids are about to be made. A plan ends with add(), with the
  // certificate that names it as its Alongside::pool_key, or with end_plans(): so a key without a record that is under
  // a plan is a crash's leaving, and this store's own.
  virtual void plan(const std::string& token_serial, const std::vector<Uuid>& ids, Deadline deadline) = 0;
  // Takes over the plans of owners whose lease is over.
  virtual std::vector<Uuid> take_plans(const std::string& token_serial, UnixTime now, Deadline deadline) = 0;
  // Those of these that are this instance's, with the event if there is one.
  virtual void end_plans(const std::vector<Uuid>& ids, const audit::Event* event, Deadline deadline) = 0;
};

}  // namespace hsmsigner::store
