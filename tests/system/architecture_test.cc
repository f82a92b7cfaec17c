// The order of the rooms (docs/ARCHITECTURE.md), read off the #include lines. The include path and the linker enforce
// most of it; this catches what they cannot, such as a system library's header in the wrong room.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace {

namespace fs = std::filesystem;

struct Room {
  const char* name;
  const char* directory;
  std::set<std::string> may_include;  // other rooms
};

// A room reaches those below it.
const Room kRooms[] = {
    {"base", "src/base", {}},
    {"crypto", "src/crypto", {"base"}},
    {"audit", "src/audit", {"base", "crypto"}},
    {"metrics", "src/metrics", {"base"}},
    {"report", "src/report", {"base", "crypto"}},
    {"hsm", "hsm", {"base", "crypto"}},
    {"pki", "src/pki", {"base", "crypto"}},
    {"auth", "src/auth", {"base", "crypto"}},
    {"policy", "src/policy", {"base"}},
    {"store", "src/store", {"base", "audit"}},
    {"tls", "src/tls", {"base", "crypto"}},
    {"service",
     "src/service",
     {"base", "crypto", "audit", "metrics", "policy", "report", "hsm", "pki", "auth", "store"}},
    {"api", "api", {"base", "crypto", "audit", "metrics", "report", "hsm", "pki", "auth", "store", "service"}},
    {"app",
     "src/app",
     {"base", "crypto", "audit", "metrics", "report", "hsm", "pki", "auth", "policy", "store", "tls", "service",
      "api"}},
};

struct Library {
  const char* name;
  std::regex header;
  std::set<std::string> rooms;  // where it may be included
};

const Library kLibraries[] = {
    // pki: X.509, key files. hsm: keys wrapped and opened. auth: HMAC, AES-GCM. tls: TLS, and the key that it drives.
    {"OpenSSL", std::regex("openssl/.*"), {"crypto", "pki", "hsm", "auth", "tls"}},
    {"PKCS#11", std::regex("p11-kit/.*|pkcs11.*\\.h|libp11\\.h|p11-kit-1/.*"), {"hsm"}},
    {"SQL", std::regex("soci/.*|soci.*\\.h|sqlite3\\.h"), {"store"}},
    {"HTTP", std::regex("httplib\\.h"), {"api"}},
    {"JSON", std::regex("rapidjson/.*"), {"api", "auth", "audit", "report"}},
    {"metrics", std::regex("prometheus/.*"), {"metrics"}},
    {"TOML", std::regex("toml\\+\\+/.*|toml\\+\\+\\.h|toml\\.hpp"), {"app", "policy"}},
    {"command line", std::regex("CLI/.*"), {"app"}},
    {"logging", std::regex("spdlog/.*"), {"base"}},
};

struct Include {
  std::string file;
  std::string header;
};

std::vector<Include> includes_of(const Room& room) {
  std::vector<Include> result;
  static const std::regex line_form("\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"].*");
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIRECTORY) / room.directory)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".h" && extension != ".cc") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);) {
      if (std::regex_match(line, match, line_form)) {
        result.push_back({fs::relative(entry.path(), SOURCE_DIRECTORY).string(), match[1].str()});
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a room includes only rooms below it") {
  std::set<std::string> rooms;
  for (const Room& room : kRooms) rooms.insert(room.name);
  for (const Room& room : kRooms) {
    const std::vector<Include> includes = includes_of(room);
    CHECK_MESSAGE(!includes.empty(), room.name);
    for (const Include& include : includes) {
      const std::string target = include.header.substr(0, include.header.find('/'));
      if (include.header.find('/') == std::string::npos || !rooms.contains(target) || target == room.name) continue;
      CHECK_MESSAGE(room.may_include.contains(target), include.file << " includes " << include.header);
    }
  }
}

TEST_CASE("a library's headers stay in the room that hides it") {
  for (const Room& room : kRooms) {
    for (const Include& include : includes_of(room)) {
      for (const Library& library : kLibraries) {
        if (!std::regex_match(include.header, library.header)) continue;
        CHECK_MESSAGE(library.rooms.contains(room.name),
                      include.file << " includes " << include.header << " (" << library.name << ")");
      }
    }
  }
}

TEST_CASE("a room's headers are reached by its name, never by a relative path") {
  for (const Room& room : kRooms) {
    for (const Include& include : includes_of(room)) {
      CHECK_MESSAGE(include.header.find("..") == std::string::npos, include.file << " includes " << include.header);
    }
  }
}

TEST_CASE("no product code includes a test's header") {
  for (const Room& room : kRooms) {
    for (const Include& include : includes_of(room)) {
      CHECK_MESSAGE(!std::regex_match(include.header, std::regex("(support|tests|doctest)/.*")),
                    include.file << " includes " << include.header);
    }
  }
}
