#include "store/migrations.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <set>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "store/database.h"

namespace hsmsigner::store {
namespace {

constexpr int sqlite_not_a_database = 26;  // SQLITE_NOTADB

// Text compares octet by octet (SQLite's BINARY collation), so container names are case-sensitive. Times are seconds
// since the epoch. A list is one text, every element ended by a line feed.
constexpr std::string_view version_1[] = {
    R"(CREATE TABLE certificate (
         id                   TEXT    NOT NULL PRIMARY KEY,
         container_kind       TEXT    NOT NULL CHECK (container_kind IN ('folder', 'snippet', 'device')),
         container_name       TEXT    NOT NULL,
         name                 TEXT    NOT NULL,
         common_name          TEXT    NOT NULL,
         algorithm            TEXT    NOT NULL,
         certificate_authority INTEGER NOT NULL CHECK (certificate_authority IN (0, 1)),
         subject              TEXT    NOT NULL,
         issuer               TEXT    NOT NULL,
         subject_hash         TEXT    NOT NULL,
         issuer_hash          TEXT    NOT NULL,
         not_before           INTEGER NOT NULL,
         not_after            INTEGER NOT NULL,
         certificate_pem      TEXT    NOT NULL,
         serial_number        TEXT    NOT NULL,
         fingerprint_sha256   TEXT    NOT NULL,
         issuer_id            TEXT    REFERENCES certificate (id),
         signed_by            TEXT    NOT NULL,
         digest               TEXT    NOT NULL,
         alternative_names    TEXT    NOT NULL,
         warnings             TEXT    NOT NULL,
         key_token_label      TEXT    NOT NULL,
         key_token_serial     TEXT    NOT NULL,
         key_id               TEXT    NOT NULL,
         key_type             TEXT    NOT NULL,
         key_bits             INTEGER NOT NULL,
         key_sensitive         INTEGER NOT NULL CHECK (key_sensitive IN (0, 1)),
         key_always_sensitive  INTEGER NOT NULL CHECK (key_always_sensitive IN (0, 1)),
         key_extractable       INTEGER NOT NULL CHECK (key_extractable IN (0, 1)),
         key_never_extractable INTEGER NOT NULL CHECK (key_never_extractable IN (0, 1)),
         key_local             INTEGER NOT NULL CHECK (key_local IN (0, 1)),
         created_at           INTEGER NOT NULL,
         UNIQUE (container_kind, container_name, name)
       ) STRICT)",
    // A name in any container, and all certificates in order. One container's are in the order of the UNIQUE index.
    "CREATE INDEX certificate_by_name ON certificate (name, container_kind, container_name, id)",
    // The foreign key: who was signed by this one.
    "CREATE INDEX certificate_by_issuer ON certificate (issuer_id) WHERE issuer_id IS NOT NULL",
};

constexpr std::string_view version_2[] = {
    // Who may be meant by a name elsewhere, without reading all namesakes.
    "CREATE INDEX certificate_by_name_authorities_first ON certificate (name, certificate_authority DESC, "
    "container_kind, container_name)",
};

// No key: key_id is ''. Octets are lower-case hexadecimal.
constexpr std::string_view version_3[] = {
    "ALTER TABLE certificate ADD COLUMN request_pem TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE certificate ADD COLUMN deleting INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1))",
    R"(CREATE INDEX certificate_by_fingerprint ON certificate (fingerprint_sha256, container_kind, container_name, name)
       WHERE fingerprint_sha256 <> '')",
    // Who signed an imported certificate.
    "CREATE INDEX certificate_by_subject ON certificate (subject, id) WHERE certificate_authority = 1",
    // How many that one signed are unexpired, without reading them.
    R"(CREATE INDEX certificate_by_issuer_and_end ON certificate (issuer_id, not_after, id)
       WHERE issuer_id IS NOT NULL AND certificate_pem <> '')",
    R"(CREATE TABLE account (
         client_id               TEXT    NOT NULL PRIMARY KEY CHECK (client_id <> ''),
         description             TEXT    NOT NULL,
         enabled                 INTEGER NOT NULL CHECK (enabled IN (0, 1)),
         grants                  TEXT    NOT NULL,
         secret_salt             TEXT    NOT NULL,
         secret_hash             TEXT    NOT NULL,
         secret_initial          INTEGER NOT NULL CHECK (secret_initial IN (0, 1)),
         previous_salt           TEXT    NOT NULL,
         previous_hash           TEXT    NOT NULL,
         previous_secret_end     INTEGER NOT NULL,
         expires_at              INTEGER,
         generation              INTEGER NOT NULL CHECK (generation >= 0),
         certificate_fingerprint TEXT    NOT NULL,
         certificate_subject     TEXT    NOT NULL,
         created_at              INTEGER NOT NULL,
         changed_at              INTEGER NOT NULL
       ) STRICT)",
    R"(CREATE UNIQUE INDEX account_by_fingerprint ON account (certificate_fingerprint)
       WHERE certificate_fingerprint <> '')",
    R"(CREATE INDEX account_by_subject ON account (certificate_subject, created_at, client_id)
       WHERE certificate_subject <> '')",
    R"(CREATE TABLE access_token_key (
         id         TEXT    NOT NULL PRIMARY KEY,
         modulus    TEXT    NOT NULL CHECK (modulus <> ''),
         exponent   TEXT    NOT NULL CHECK (exponent <> ''),
         created_at INTEGER NOT NULL,
         retired_at INTEGER
       ) STRICT)",
    R"(CREATE TABLE answer (
         client_id    TEXT    NOT NULL CHECK (client_id <> ''),
         key_hash     TEXT    NOT NULL CHECK (key_hash <> ''),
         request_hash TEXT    NOT NULL,
         sealed       TEXT    NOT NULL,
         created_at   INTEGER NOT NULL,
         PRIMARY KEY (client_id, key_hash)
       ) STRICT)",
    "CREATE INDEX answer_by_age ON answer (created_at, client_id, key_hash)",
};

// The journal. Its lines are written once and never changed; times are milliseconds.
constexpr std::string_view version_4[] = {
    R"(CREATE TABLE event (
         sequence INTEGER NOT NULL PRIMARY KEY CHECK (sequence > 0),
         time     INTEGER NOT NULL,
         kind     TEXT    NOT NULL,
         account  TEXT    NOT NULL,
         object   TEXT    NOT NULL,
         line     TEXT    NOT NULL,
         hash     TEXT    NOT NULL
       ) STRICT)",
    "CREATE INDEX event_by_time ON event (time, sequence)",
    "CREATE INDEX event_by_kind ON event (kind, sequence)",
    "CREATE INDEX event_by_account ON event (account, sequence) WHERE account <> ''",
    "CREATE INDEX event_by_object ON event (object, sequence) WHERE object <> ''",
    R"(CREATE TABLE checkpoint (
         number   INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
         sequence INTEGER NOT NULL CHECK (sequence > 0),
         time     INTEGER NOT NULL,
         jws      TEXT    NOT NULL
       ) STRICT)",
    R"(CREATE TABLE audit_key (
         id             TEXT    NOT NULL PRIMARY KEY,
         public_key_pem TEXT    NOT NULL,
         created_at     INTEGER NOT NULL
       ) STRICT)",
    R"(CREATE TABLE journal_copy (
         sink     TEXT    NOT NULL PRIMARY KEY,
         sequence INTEGER NOT NULL
       ) STRICT)",
};

// Where the pages of a list begin, and how many there are, without reading the list (certificate_list.h). A list, of
// all certificates ('', '') or of one container, is cut into sections by the order of its keys. A section begins at its
// key and ends where the next begins; the first of a list begins at ('', '', ''). The triggers keep the numbers right
// whoever writes, and the sections neither long (1,024) nor, beside another, very short.
constexpr std::string_view version_5[] = {
    R"(CREATE TABLE certificate_section (
         scope_kind     TEXT    NOT NULL,
         scope_name     TEXT    NOT NULL,
         name           TEXT    NOT NULL,
         container_kind TEXT    NOT NULL,
         container_name TEXT    NOT NULL,
         certificates   INTEGER NOT NULL CHECK (certificates >= 0),
         PRIMARY KEY (scope_kind, scope_name, name, container_kind, container_name)
       ) STRICT, WITHOUT ROWID)",
    // The other columns of a group are those of its row with the smallest `place`.
    R"(INSERT INTO certificate_section
       SELECT '', '', iif(place = 0, '', name), iif(place = 0, '', container_kind), iif(place = 0, '', container_name),
              certificates
         FROM (SELECT min(place) AS place, name, container_kind, container_name, count(*) AS certificates
                 FROM (SELECT name, container_kind, container_name,
                              row_number() OVER (ORDER BY name, container_kind, container_name) - 1 AS place
                         FROM certificate)
                GROUP BY place / 512))",
    R"(INSERT INTO certificate_section
       SELECT container_kind, container_name, iif(place = 0, '', name), iif(place = 0, '', container_kind),
              iif(place = 0, '', container_name), certificates
         FROM (SELECT min(place) AS place, name, container_kind, container_name, count(*) AS certificates
                 FROM (SELECT name, container_kind, container_name,
                              row_number() OVER (PARTITION BY container_kind, container_name ORDER BY name) - 1 AS place
                         FROM certificate)
                GROUP BY container_kind, container_name, place / 512))",
    R"(CREATE TRIGGER certificate_inserted AFTER INSERT ON certificate BEGIN
         INSERT INTO certificate_section VALUES ('', '', '', '', '', 0),
                (NEW.container_kind, NEW.container_name, '', '', '', 0) ON CONFLICT DO NOTHING;
         UPDATE certificate_section SET certificates = certificates + 1
          WHERE (scope_kind, scope_name, name, container_kind, container_name) = (
            SELECT scope_kind, scope_name, name, container_kind, container_name FROM certificate_section
             WHERE scope_kind = '' AND scope_name = ''
               AND (name, container_kind, container_name) <= (NEW.name, NEW.container_kind, NEW.container_name)
             ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1);
         UPDATE certificate_section SET certificates = certificates + 1
          WHERE (scope_kind, scope_name, name, container_kind, container_name) = (
            SELECT scope_kind, scope_name, name, container_kind, container_name FROM certificate_section
             WHERE scope_kind = NEW.container_kind AND scope_name = NEW.container_name
               AND (name, container_kind, container_name) <= (NEW.name, NEW.container_kind, NEW.container_name)
             ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1);
       END)",
    R"(CREATE TRIGGER certificate_deleted AFTER DELETE ON certificate BEGIN
         UPDATE certificate_section SET certificates = certificates - 1
          WHERE (scope_kind, scope_name, name, container_kind, container_name) = (
            SELECT scope_kind, scope_name, name, container_kind, container_name FROM certificate_section
             WHERE scope_kind = '' AND scope_name = ''
               AND (name, container_kind, container_name) <= (OLD.name, OLD.container_kind, OLD.container_name)
             ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1);
         UPDATE certificate_section SET certificates = certificates - 1
          WHERE (scope_kind, scope_name, name, container_kind, container_name) = (
            SELECT scope_kind, scope_name, name, container_kind, container_name FROM certificate_section
             WHERE scope_kind = OLD.container_kind AND scope_name = OLD.container_name
               AND (name, container_kind, container_name) <= (OLD.name, OLD.container_kind, OLD.container_name)
             ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1);
       END)",
    R"(CREATE TRIGGER certificate_stays BEFORE UPDATE OF name, container_kind, container_name ON certificate
       WHEN (NEW.name, NEW.container_kind, NEW.container_name) <> (OLD.name, OLD.container_kind, OLD.container_name)
       BEGIN
         SELECT RAISE(ABORT, 'a certificate keeps its name and its container');
       END)",
    R"(CREATE TRIGGER certificate_section_split AFTER UPDATE OF certificates ON certificate_section
       WHEN NEW.certificates > 1024 AND NEW.scope_kind = '' BEGIN
         INSERT INTO certificate_section
           SELECT '', '', name, container_kind, container_name, NEW.certificates - 512 FROM certificate
            WHERE (name, container_kind, container_name) >= (NEW.name, NEW.container_kind, NEW.container_name)
            ORDER BY name, container_kind, container_name LIMIT 1 OFFSET 512;
         UPDATE certificate_section SET certificates = 512
          WHERE (scope_kind, scope_name, name, container_kind, container_name) =
                ('', '', NEW.name, NEW.container_kind, NEW.container_name);
       END)",
    R"(CREATE TRIGGER certificate_section_of_container_split AFTER UPDATE OF certificates ON certificate_section
       WHEN NEW.certificates > 1024 AND NEW.scope_kind <> '' BEGIN
         INSERT INTO certificate_section
           SELECT container_kind, container_name, name, container_kind, container_name, NEW.certificates - 512
             FROM certificate
            WHERE container_kind = NEW.scope_kind AND container_name = NEW.scope_name AND name >= NEW.name
            ORDER BY name LIMIT 1 OFFSET 512;
         UPDATE certificate_section SET certificates = 512
          WHERE (scope_kind, scope_name, name, container_kind, container_name) =
                (NEW.scope_kind, NEW.scope_name, NEW.name, NEW.container_kind, NEW.container_name);
       END)",
    // Into the one before it, if that has room: then changes() is 1. An empty one goes in any case.
    R"(CREATE TRIGGER certificate_section_joined AFTER UPDATE OF certificates ON certificate_section
       WHEN NEW.certificates < OLD.certificates AND NEW.certificates < 128 BEGIN
         UPDATE certificate_section SET certificates = certificates + NEW.certificates
          WHERE (scope_kind, scope_name, name, container_kind, container_name) = (
            SELECT scope_kind, scope_name, name, container_kind, container_name FROM certificate_section
             WHERE scope_kind = NEW.scope_kind AND scope_name = NEW.scope_name
               AND (name, container_kind, container_name) < (NEW.name, NEW.container_kind, NEW.container_name)
             ORDER BY name DESC, container_kind DESC, container_name DESC LIMIT 1)
            AND certificates + NEW.certificates <= 768;
         DELETE FROM certificate_section
          WHERE (scope_kind, scope_name, name, container_kind, container_name) =
                (NEW.scope_kind, NEW.scope_name, NEW.name, NEW.container_kind, NEW.container_name)
            AND (changes() = 1 OR certificates = 0);
       END)",
};

// Keys made ahead. An owner is an open store ("" is nobody); its lease says how long what it holds is its own.
constexpr std::string_view version_6[] = {
    R"(CREATE TABLE pool_key (
         id                    TEXT    NOT NULL PRIMARY KEY,
         class                 TEXT    NOT NULL,
         public_key_pem        TEXT    NOT NULL,
         key_token_label       TEXT    NOT NULL,
         key_token_serial      TEXT    NOT NULL,
         key_id                TEXT    NOT NULL,
         key_type              TEXT    NOT NULL,
         key_bits              INTEGER NOT NULL,
         key_sensitive         INTEGER NOT NULL CHECK (key_sensitive IN (0, 1)),
         key_always_sensitive  INTEGER NOT NULL CHECK (key_always_sensitive IN (0, 1)),
         key_extractable       INTEGER NOT NULL CHECK (key_extractable IN (0, 1)),
         key_never_extractable INTEGER NOT NULL CHECK (key_never_extractable IN (0, 1)),
         key_local             INTEGER NOT NULL CHECK (key_local IN (0, 1)),
         created_at            INTEGER NOT NULL,
         owner                 TEXT    NOT NULL,
         withdrawn             INTEGER NOT NULL CHECK (withdrawn IN (0, 1))
       ) STRICT)",
    // The stock of a class by owner, and how much there is without reading the rows.
    "CREATE INDEX pool_key_by_class ON pool_key (key_token_serial, withdrawn, class, owner, created_at, id)",
    R"(CREATE TABLE pool_lease (
         owner TEXT    NOT NULL PRIMARY KEY CHECK (owner <> ''),
         until INTEGER NOT NULL
       ) STRICT)",
    // Keys that are about to be made: written before, so that a crash leaves none that this store does not know of.
    R"(CREATE TABLE planned_key (
         id           TEXT NOT NULL PRIMARY KEY,
         token_serial TEXT NOT NULL,
         owner        TEXT NOT NULL CHECK (owner <> '')
       ) STRICT)",
};

constexpr Migration all_migrations[] = {
    {1, version_1}, {2, version_2}, {3, version_3}, {4, version_4}, {5, version_5}, {6, version_6},
};

Error refused(const char* sentence) { return Error(ErrorKind::internal_error, {sentence}); }

// In a transaction of the caller's.
void apply(soci::session& session, const Migration& step) {
  for (const std::string_view statement : step.statements) session << statement;
  session << "PRAGMA application_id = " << application_id;
  session << "PRAGMA user_version = " << step.version;
}

void run_step(soci::session& session, const Migration& step) {
  session << "BEGIN IMMEDIATE";
  try {
    // Read again under the lock: another process may have done this step meanwhile.
    const bool missing = query_number(session, "PRAGMA user_version") < step.version;
    if (missing) apply(session, step);
    session << "COMMIT";
    if (missing) log::info("database schema brought forward", {{"version", step.version}});
  } catch (...) {
    try {
      session << "ROLLBACK";
    } catch (const soci::soci_error&) {
      // SQLite has rolled back by itself; the first fault is the one to tell.
    }
    throw;
  }
}

}  // namespace

std::span<const Migration> migrations() noexcept { return all_migrations; }

void check_identity(soci::session& session, std::span<const Migration> steps) {
  long long owner = 0;
  try {
    owner = query_number(session, "PRAGMA application_id");
  } catch (const soci::sqlite3_soci_error& fault) {
    if (fault.result() != sqlite_not_a_database) throw;
    throw refused("The database file is not a database.");
  }
  const long long version = query_number(session, "PRAGMA user_version");
  const bool blank = owner == 0 && version == 0 && query_number(session, "SELECT count(*) FROM sqlite_master") == 0;
  if (owner != application_id && !blank) {
    throw refused("The database file belongs to another application.");
  }
  if (version > (steps.empty() ? 0 : steps.back().version)) {
    throw refused("The database was written by a newer version of this program.");
  }
}

void check_schema(soci::session& session, std::span<const Migration> steps) {
  const auto objects_of = [](soci::session& database) {
    std::set<std::string> objects;
    const soci::rowset<std::string> rows =
        (database.prepare << "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') "
                             "FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
    for (const std::string& row : rows) objects.insert(row);
    return objects;
  };
  soci::session expected(soci::sqlite3, "dbname=:memory:");
  for (const Migration& step : steps) apply(expected, step);
  if (objects_of(session) != objects_of(expected)) {
    throw refused("The database holds tables, indexes or triggers that this program has not made, or lacks some.");
  }
}

void migrate(soci::session& session, std::span<const Migration> steps) {
  for (const Migration& step : steps) {
    if (query_number(session, "PRAGMA user_version") < step.version) run_step(session, step);
  }
}

}  // namespace hsmsigner::store
