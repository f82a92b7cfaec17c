#include "store/database.h"

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace hsmsigner::store {
namespace {

// How long SQLite waits for another process's lock. The writer's callers can give up earlier (group_writer.h).
constexpr int busy_timeout_milliseconds = 5000;
constexpr long long synchronous_full = 2;
// Of each connection: the inner pages of the indexes of some 100,000 certificates, and what is read again and again.
// The rest is the operating system's to keep. No mapped file: its pages would count as ours, and a disk's error would
// be a signal instead of an answer.
constexpr int page_cache_kibibytes = 2048;
constexpr int sqlite_constraint = 19;  // SQLITE_CONSTRAINT

Error unusable(const char* sentence, const std::string& cause) {
  return Error(ErrorKind::internal_error, {sentence}).with_cause(cause);
}

std::string errno_text(const char* call) { return std::string(call) + ": " + std::strerror(errno); }

// SQLite syncs a directory for its journals, not for a database file that it found already made.
void sync_directory(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int fd = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw unusable("The database's directory cannot be read.", errno_text("open"));
  const int result = ::fsync(fd);
  const std::string cause = result == 0 ? "" : errno_text("fsync");
  ::close(fd);
  if (result != 0) throw unusable("The database's directory cannot be made durable.", cause);
}

const char* name_of(soci::soci_error::error_category category) {
  switch (category) {
    case soci::soci_error::connection_error: return "connection error";
    case soci::soci_error::invalid_statement: return "invalid statement";
    case soci::soci_error::no_privilege: return "no privilege";
    case soci::soci_error::no_data: return "no data";
    case soci::soci_error::constraint_violation: return "constraint violation";
    case soci::soci_error::unknown_transaction_state: return "unknown transaction state";
    case soci::soci_error::system_error: return "system error";
    case soci::soci_error::unknown: break;
  }
  return "unknown";
}

// SOCI's connection string quotes a value with '"' and has no escape for it.
void refuse_quotation_mark(const std::string& path) {
  if (path.find('"') != std::string::npos) {
    throw unusable("The database file's name must not contain a quotation mark.", "quotation mark");
  }
}

std::unique_ptr<soci::session> connect_as(const std::string& path, const std::string& options) {
  refuse_quotation_mark(path);
  // Absolute, so that SQLite sees neither ":memory:" nor "file:".
  const std::string name = std::filesystem::absolute(path).string();
  auto session = std::make_unique<soci::session>(soci::sqlite3, "dbname=\"" + name + "\"" + options);
  *session << "PRAGMA busy_timeout = " << busy_timeout_milliseconds;
  return session;
}

}  // namespace

void prepare_database_file(const std::string& path) {
  if (path.empty()) throw unusable("No database file is named.", "empty path");
  refuse_quotation_mark(path);
  // Never open and close a file that is there already: close() would drop this process's locks on it (fcntl(2)).
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    // The umask can only have taken bits away; SQLite gives the -wal and -shm files this file's mode.
    const int result = ::fchmod(fd, 0600);
    const std::string cause = result == 0 ? "" : errno_text("fchmod");
    ::close(fd);
    if (result != 0) throw unusable("The database file's mode cannot be set.", cause);
    sync_directory(path);
    return;
  }
  if (errno != EEXIST) throw unusable("The database file cannot be made in its directory.", errno_text("open"));
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw unusable("The database file cannot be read.", errno_text("stat"));
  if (!S_ISREG(status.st_mode)) throw unusable("The database is not a regular file.", "not a regular file");
  if ((status.st_mode & S_IWOTH) != 0) {
    throw unusable("The database file may be written by every user of this machine; it is not trusted.", "mode");
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) {
    throw unusable("The database file cannot be written.", errno_text("access"));
  }
}

std::unique_ptr<soci::session> connect(const std::string& path) { return connect_as(path, ""); }

std::unique_ptr<soci::session> connect_to_read(const std::string& path) {
  std::unique_ptr<soci::session> session = connect_as(path, " readonly=true");
  *session << "PRAGMA query_only = ON";
  // What a schema made by somebody else may bring along is not run.
  *session << "PRAGMA trusted_schema = OFF";
  *session << "PRAGMA cell_size_check = ON";
  return session;
}

void make_durable(soci::session& session) {
  std::string journal_mode;
  session << "PRAGMA journal_mode = WAL", soci::into(journal_mode);
  session << "PRAGMA synchronous = FULL";
  session << "PRAGMA foreign_keys = ON";
  if (journal_mode != "wal" || query_number(session, "PRAGMA synchronous") != synchronous_full ||
      query_number(session, "PRAGMA foreign_keys") != 1) {
    throw unusable("The database file's directory cannot keep a durable journal.", "journal_mode or synchronous");
  }
}

std::unique_ptr<soci::session> open_connection(const std::string& path, Access access) {
  std::unique_ptr<soci::session> session = connect(path);
  make_durable(*session);
  *session << "PRAGMA cache_size = -" << page_cache_kibibytes;
  *session << "PRAGMA mmap_size = 0";
  if (access == Access::read_only) *session << "PRAGMA query_only = ON";
  return session;
}

long long query_number(soci::session& session, const std::string& statement) {
  long long number = 0;
  session << statement, soci::into(number);
  return number;
}

bool is_constraint_violation(const soci::soci_error& fault) {
  const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&fault);
  return fault.get_error_category() == soci::soci_error::constraint_violation ||
         (sqlite != nullptr && sqlite->result() == sqlite_constraint);
}

Error database_error(const soci::soci_error& fault, std::string_view doing, SourcePlace where) {
  std::string cause = std::string(doing) + ": " + name_of(fault.get_error_category());
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&fault)) {
    cause += ", SQLite result " + std::to_string(sqlite->result());
  }
  log::error("database failed", {{"cause", cause}});
  return Error(ErrorKind::internal_error, {"The certificate database failed."}, where).with_cause(cause);
}

Error not_written(const soci::soci_error& fault, std::string_view doing, SourcePlace where) {
  return Error(ErrorKind::journal_unavailable, {"The journal could not be written, so nothing was done."}, where)
      .with_cause(database_error(fault, doing).cause());
}

Error current_error(std::string_view doing) {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const soci::soci_error& fault) {
    return is_constraint_violation(fault) ? database_error(fault, doing) : not_written(fault, doing);
  } catch (const std::exception& fault) {
    return Error(ErrorKind::internal_error).with_cause(std::string(doing) + ": " + fault.what());
  }
}

}  // namespace hsmsigner::store
