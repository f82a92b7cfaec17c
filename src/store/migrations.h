// The schema and how a database is brought forward to it. Private to the store.
#pragma once

#include <soci/soci.h>

#include <span>
#include <string_view>

namespace hsmsigner::store {

// PRAGMA application_id of our files: "HSMS".
inline constexpr long long application_id = 0x48534d53;

// One step forward, from version - 1. Its statements and its version number are committed together.
struct Migration {
  int version;
  std::span<const std::string_view> statements;
};

// Every step there is, versions 1, 2, …; a released one is never changed.
std::span<const Migration> migrations() noexcept;

// Throws Error{internal_error} with a public sentence when the file is not an SQLite database, is another
// application's, or was written by a newer version of this program. Reads only.
void check_identity(soci::session& session, std::span<const Migration> steps = migrations());

// Runs the steps that are missing, each in its own transaction. Safe when another process does the same.
void migrate(soci::session& session, std::span<const Migration> steps = migrations());

// Throws Error{internal_error} unless the tables, indexes and triggers of a migrated database are those that the steps
// make: a trigger of somebody else's could swallow an event, or write another.
void check_schema(soci::session& session, std::span<const Migration> steps = migrations());

}  // namespace hsmsigner::store
