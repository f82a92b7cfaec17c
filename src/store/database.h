// One SQLite file and the connections to it. Private to the store.
#pragma once

#include <soci/soci.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace hsmsigner::store {

enum class Access { read_write, read_only };

// Makes the file (mode 0600) when there is none. Throws Error{internal_error} with a public sentence when it cannot be
// made, is not a regular file of ours to write, or may be written by every user of the machine.
void prepare_database_file(const std::string& path);

// A connection that has only looked: not yet in WAL mode, so that a file which is not ours stays as it was.
std::unique_ptr<soci::session> connect(const std::string& path);

// One that can only read, of a file that is there and that need not be trusted. Its file is never made.
std::unique_ptr<soci::session> connect_to_read(const std::string& path);

// WAL and synchronous=FULL, read back; foreign keys. Throws Error{internal_error} when the file will not have them.
void make_durable(soci::session& session);

// connect() and make_durable(), for a file whose schema has been brought forward.
std::unique_ptr<soci::session> open_connection(const std::string& path, Access access);

// The first column of the first row of a statement without parameters.
long long query_number(soci::session& session, const std::string& statement);

// SOCI 4.0.3 gives SQLite's errors no category, so SQLite's own result code is asked as well.
bool is_constraint_violation(const soci::soci_error& fault);

// Logs and turns a database's error into ours. Only its category and SQLite's result code are kept: its text repeats
// the bound values. `doing` is a short constant phrase.
Error database_error(const soci::soci_error& fault, std::string_view doing, SourcePlace where = SourcePlace::here());

// The same where something was to be written: Error{journal_unavailable}, since no event can be written either.
Error not_written(const soci::soci_error& fault, std::string_view doing, SourcePlace where = SourcePlace::here());

// An error of either kind for any exception that is being handled; an Error stays as it is.
Error current_error(std::string_view doing);

}  // namespace hsmsigner::store
