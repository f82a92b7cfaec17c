#include "system/random_requests.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "system/files.h"

namespace system_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::vector<std::string> kMethods = {"GET",   "POST", "DELETE", "PUT",     "PATCH", "HEAD",        "OPTIONS",
                                           "TRACE", "get",  "FOO",    "CONNECT", "POST ", "P\xc3\xb6ST", ""};
const std::vector<std::string> kBases = {"",
                                         "",
                                         "/config/identity/v1",
                                         "/sse/config/v1",
                                         "/config/identity/v2",
                                         "/sse/config/v99999999999999999999",
                                         "/config",
                                         "//",
                                         "/.."};
const std::vector<std::string> kValues = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-1",
                                          "1",
                                          "256",
                                          "256.0",
                                          "2.56e2",
                                          "245",
                                          "36500",
                                          "36501",
                                          "1e400",
                                          "-1e308",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "18446744073709551616",
                                          "0.1",
                                          "[]",
                                          "{}",
                                          "[[]]",
                                          "[null]",
                                          "[1,2,3]",
                                          "{\"a\":{}}",
                                          "\"\"",
                                          "\" \"",
                                          "\"x\"",
                                          "\"external\"",
                                          "\"md5\"",
                                          "\"sha256\"",
                                          "\"true\"",
                                          "\"192.0.2.1\"",
                                          "\"::1\"",
                                          "\"*.example\"",
                                          "\"http://x\"",
                                          "\"a@b\"",
                                          "[\"a\",\"a\"]",
                                          "[\"\"]",
                                          "nul",
                                          "01",
                                          "+1",
                                          "NaN",
                                          "Infinity",
                                          "'x'",
                                          "\"\\ud800\"",
                                          "\"\\u0000\"",
                                          "\"\\x\"",
                                          "{\"ecdsa_number_of_bits\":256}",
                                          "{\"ecdsa_number_of_bits\":2048}",
                                          "{\"rsa_number_of_bits\":512}",
                                          "{\"rsa_number_of_bits\":513}"};
const std::vector<std::string> kFields = {"folder",
                                          "snippet",
                                          "device",
                                          "algorithm",
                                          "certificate_name",
                                          "common_name",
                                          "digest",
                                          "signed_by",
                                          "is_certificate_authority",
                                          "is_block_privateKey",
                                          "day_till_expiration",
                                          "country_code",
                                          "state",
                                          "locality",
                                          "department",
                                          "email",
                                          "alternate_email",
                                          "hostname",
                                          "ip",
                                          "ocsp_responder_url",
                                          "id",
                                          "name",
                                          "format",
                                          "certificate_file",
                                          "key_file",
                                          "passphrase",
                                          "client_id",
                                          "grants",
                                          "description",
                                          "expires_at",
                                          "unknown",
                                          "Folder",
                                          "",
                                          " ",
                                          "__proto__",
                                          "\\u0066older"};
const std::vector<std::string> kUnicode = {
    "\xc3\xa9",     "\xe2\x80\xae", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xcc\x81\xcc\x81\xcc\x81",
    "\xe2\x80\x8b", "\xef\xbf\xbe", "\xf4\x8f\xbf\xbf", "\xd7\xa9",     "\xc2\x85",
    "\xe2\x80\xa8", "\xef\xbc\x81"};
const std::vector<std::string> kNotUtf8 = {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\x80", "\xe2\x82"};
const std::vector<std::string> kEscapes = {"%",      "%2",  "%zz",    "%00", "%2e%2e", "%2F", "%ff", "%c0%af",
                                           "%0d%0a", "%25", "%u0041", "%20", "+",      "%3a", "%5B"};
const std::vector<std::string> kQueries = {"folder=Shared",
                                           "snippet=x",
                                           "device=y",
                                           "name=r1",
                                           "limit=1",
                                           "limit=0",
                                           "limit=5001",
                                           "limit=-1",
                                           "limit=x",
                                           "offset=0",
                                           "offset=3",
                                           "offset=99999999999999999999",
                                           "limit=1.0",
                                           "folder=",
                                           "=",
                                           "&",
                                           "x=y",
                                           "folder",
                                           "name=",
                                           "folder=a%20b",
                                           "folder=a%2Fb",
                                           "limit=1&limit=2",
                                           "folder=Shared&snippet=x",
                                           "limit=%31"};
const std::vector<std::string> kOddHeaders = {"Accept: text/html",
                                              "Accept: application/xml;q=1, */*;q=0",
                                              "Accept: */*",
                                              "Accept: ,;,=\"",
                                              "Accept:",
                                              "Content-Type: text/plain",
                                              "Content-Type: application/json; charset=latin1",
                                              "Content-Type: application/json",
                                              "Content-Encoding: gzip",
                                              "Content-Encoding: identity",
                                              "Expect: 100-continue",
                                              "Expect: something",
                                              "Authorization: Bearer x.y.z",
                                              "Authorization: Basic !!!",
                                              "Authorization: Basic Og==",
                                              "Authorization:",
                                              "Authorization: Negotiate x",
                                              "Idempotency-Key: one",
                                              "Idempotency-Key:",
                                              "Idempotency-Key: \x01",
                                              "Host:",
                                              "Host: a, b",
                                              "Connection: keep-alive, foo",
                                              "Connection: close",
                                              "Upgrade: h2c",
                                              "Range: bytes=0-1",
                                              "If-None-Match: *",
                                              "X-Forwarded-For: ::1",
                                              "x-auth-jwt: a",
                                              "Cookie: a=b",
                                              "TE: trailers",
                                              "No colon here",
                                              ": no name",
                                              "Bad name : x",
                                              "X-\xc3\xa9: y",
                                              "X-Null: a",
                                              " folded: x",
                                              "X-Request-ID: mine",
                                              "Via: 1.1 x"};

std::string quoted_percent(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else {
      constexpr char digits[] = "0123456789ABCDEF";
      out += {'%', digits[static_cast<unsigned char>(c) >> 4U], digits[static_cast<unsigned char>(c) & 15U]};
    }
  }
  return out;
}

// "name":value pairs of the outermost object, as texts; nothing when the body is no such object.
std::vector<std::pair<std::string, std::string>> members_of(const std::string& body) {
  std::vector<std::pair<std::string, std::string>> members;
  std::size_t at = 1;
  const auto skip_value = [&](std::size_t from) {
    int depth = 0;
    bool quoted = false;
    for (; from < body.size(); ++from) {
      const char c = body[from];
      if (quoted) {
        if (c == '\\') ++from;
        if (c == '"') quoted = false;
        continue;
      }
      if (c == '"') quoted = true;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') {
        if (depth == 0) break;
        --depth;
      }
      if ((c == ',' || c == ':') && depth == 0) break;
    }
    return std::min(from, body.size());
  };
  while (body.starts_with('{') && at < body.size() && body[at] != '}') {
    const std::size_t colon = skip_value(at);
    const std::size_t end = skip_value(std::min(colon + 1, body.size()));
    if (colon >= body.size()) break;
    members.emplace_back(body.substr(at, colon - at), body.substr(colon + 1, end - colon - 1));
    at = end + 1;
  }
  return members;
}

std::string object_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string body = "{";
  for (const auto& [name, value] : members) body += (body.size() > 1 ? "," : "") + name + ":" + value;
  return body + "}";
}

std::string nested(std::size_t depth, const std::string& inner) {
  return std::string(depth, '[') + inner + std::string(depth, ']');
}

}  // namespace

struct RandomRequests::Draft {
  std::string method;
  std::string target;
  std::vector<std::string> headers;
  std::string body;
  bool json = true;
  bool chunked = false;
  std::optional<std::string> content_length;  // other than the body's
  std::string version = "HTTP/1.1";
};

std::string RandomRequests::odd_text() {
  switch (random_.below(8)) {
    case 0: return random_.pick(kUnicode) + random_.pick(kUnicode);
    case 1: return random_.pick(kNotUtf8);
    case 2: return std::string(1, static_cast<char>(random_.below(32)));
    case 3: return "\\u00" + std::to_string(10 + random_.below(10));
    case 4: return std::string(random_.pick(std::vector<std::size_t>{64, 65, 255, 256, 4097}), 'a');
    case 5:
      return random_.pick(std::vector<std::string>{"'; DROP TABLE certificates; --", "../../etc/passwd", "%s%n", "${x}",
                                                   "<script>", "\\\\", "\\\"", "/CN=x", "a,b=c+d"});
    case 6: return random_.one_in(20) ? std::string(200000, 'b') : std::string(1000, 'b');
    default: return "";
  }
}

std::string RandomRequests::odd_value() {
  switch (random_.below(6)) {
    case 0: return "\"" + odd_text() + "\"";
    case 1: return nested(random_.pick(std::vector<std::size_t>{1, 10, 100, 3000}), random_.pick(kValues));
    case 2: return "[\"" + odd_text() + "\",\"" + odd_text() + "\"]";
    default: return random_.pick(kValues);
  }
}

std::string RandomRequests::generate_body() {
  Body body;
  body.text(random_.one_in(8) ? "snippet" : "folder", random_.one_in(6) ? "Other" : "Shared");
  body.set("algorithm", random_.one_in(25) ? R"({"rsa_number_of_bits":512})" : R"({"ecdsa_number_of_bits":256})");
  const std::string name = "r" + std::to_string(random_.below(600));
  body.text("certificate_name", name).text("common_name", name + ".example").text("digest", "sha256");
  if (random_.one_in(3)) body.text("signed_by", random_.pick(materials_.authority_names));
  if (random_.one_in(8)) body.text("signed_by", "external");
  if (random_.one_in(6)) body.set("is_certificate_authority", "true");
  if (random_.one_in(5)) body.set("is_block_privateKey", "false");
  if (random_.one_in(3)) body.set("day_till_expiration", std::to_string(1 + random_.below(300)));
  if (random_.one_in(4)) body.set("hostname", R"(["a.example","*.b.example"])");
  if (random_.one_in(4)) body.set("ip", R"(["192.0.2.7","2001:db8::7"])");
  if (random_.one_in(4)) body.text("email", "a@b.example").set("department", R"(["One","Two"])");
  if (random_.one_in(4)) body.text("country_code", "us").text("state", "s").text("locality", "l");
  if (random_.one_in(4)) body.text("ocsp_responder_url", "http://ocsp.example/");
  return body.json();
}

std::string RandomRequests::account_body() {
  Body body;
  body.text("client_id", "made-" + std::to_string(random_.below(40)));
  body.set("grants", random_.one_in(2) ? R"([{"role":"reader","container":"folder:Shared"}])"
                                       : R"([{"role":"issuer","container":"*"},{"role":"exporter","container":"*"}])");
  if (random_.one_in(3)) body.text("description", "made by chance");
  return body.json();
}

RandomRequests::Draft RandomRequests::valid(const std::vector<std::string>& ids) {
  Draft draft;
  draft.headers = {"Host: 127.0.0.1", "Authorization: " + materials_.authorization};
  const std::string base =
      random_.one_in(2) ? "" : random_.pick(std::vector<std::string>{"/config/identity/v1", "/sse/config/v1"});
  const std::string id = ids.empty() || random_.one_in(15) ? "00000000-0000-4000-8000-000000000000" : random_.pick(ids);
  const auto set = [&](const std::string& method, const std::string& target, const std::string& body = "") {
    draft.method = method;
    draft.target = target;
    draft.body = body;
  };
  const std::size_t choice = random_.below(100);
  if (choice < 26) {
    set("POST", base + "/certificates", generate_body());
  } else if (choice < 42) {
    std::string body = random_.pick(materials_.import_bodies);
    const std::string mark = "NAME";
    body.replace(body.find(mark), mark.size(), "i" + std::to_string(random_.below(200)));
    set("POST", base + "/certificates:import", body);
  } else if (choice < 50) {
    set("POST", base + "/certificates/" + id + ":export",
        random_.pick(std::vector<std::string>{R"({"format":"pem"})", R"({"format":"der"})", R"({"format":"pkcs10"})",
                                              R"({"format":"pem","passphrase":"a good one"})",
                                              R"({"format":"pkcs12","passphrase":"a good one"})"}));
  } else if (choice < 58) {
    set("DELETE", base + "/certificates/" + id, random_.one_in(3) ? R"({"folder":"Shared"})" : "");
  } else if (choice < 66) {
    set("GET", base + "/certificates/" + id);
  } else if (choice < 78) {
    set("GET", base + "/certificates?" + random_.pick(kQueries) + "&" + random_.pick(kQueries));
  } else if (choice < 90) {
    const std::string& victim = random_.pick(materials_.victims);
    switch (random_.below(6)) {
      case 0: set("GET", "/accounts?limit=5"); break;
      case 1: set("GET", "/accounts/" + victim); break;
      case 2:
        set("POST", "/accounts/" + victim + ":" + random_.pick(std::vector<std::string>{"disable", "enable"}));
        break;
      case 3: set("POST", "/accounts/" + victim + ":rotate"); break;
      default: set("POST", "/accounts", account_body()); break;
    }
  } else if (choice < 98) {
    draft.json = false;
    const std::string path = random_.pick(std::vector<std::string>{"/oauth2", "/auth/v1/oauth2", "/am/oauth2"});
    set("POST", path + "/access_token",
        "grant_type=client_credentials&client_id=" + quoted_percent(materials_.client.client_id) +
            "&client_secret=" + quoted_percent(materials_.client.client_secret + (random_.one_in(4) ? "x" : "")) +
            (random_.one_in(2) ? "&scope=tsg_id%3A1" : "") + (random_.one_in(3) ? "&unknown=1" : ""));
    draft.headers.pop_back();
  } else {
    set("GET", random_.pick(std::vector<std::string>{"/openapi.json", "/oauth2/connect/jwk_uri"}));
  }
  if (!draft.body.empty()) {
    draft.headers.push_back(draft.json ? "Content-Type: application/json"
                                       : "Content-Type: application/x-www-form-urlencoded");
  }
  return draft;
}

void RandomRequests::break_json(std::string& body) {
  auto members = members_of(body);
  if (members.empty()) return break_octets(body);
  auto& member = members[random_.below(members.size())];
  switch (random_.below(9)) {
    case 0: members.erase(members.begin() + static_cast<std::ptrdiff_t>(random_.below(members.size()))); break;
    case 1: {
      const auto copy = member;
      members.push_back(copy);
      break;
    }
    case 2: member.second = odd_value(); break;
    case 3: member.second = random_.pick(kValues); break;
    case 4: member.first = "\"" + random_.pick(kFields) + "\""; break;
    case 5: members.emplace_back("\"" + random_.pick(kFields) + "\"", random_.pick(kValues)); break;
    case 6:  // inside a string
      if (member.second.size() > 2 && member.second.front() == '"') {
        member.second.insert(1 + random_.below(member.second.size() - 1), odd_text());
      }
      break;
    case 7:  // other letters, the length as it was
      for (std::size_t i = 0; member.second.size() > 8 && i < 1 + random_.below(4); ++i) {
        member.second[1 + random_.below(member.second.size() - 2)] =
            random_.pick(std::vector<char>{'A', 'z', '0', '/', '=', ' ', '-'});
      }
      break;
    default: std::swap(member.second, members[random_.below(members.size())].second); break;
  }
  body = object_of(members);
  if (random_.one_in(40)) body = nested(random_.pick(std::vector<std::size_t>{1, 60, 3000}), body);
}

void RandomRequests::break_octets(std::string& text) {
  const std::size_t at = random_.below(text.size() + 1);
  switch (random_.below(7)) {
    case 0: text.insert(at, 1, random_.octet()); break;
    case 1:
      if (at < text.size()) text[at] = random_.octet();
      break;
    case 2: text.erase(at, 1 + random_.below(20)); break;
    case 3: text.resize(at); break;
    case 4:
      text += random_.pick(std::vector<std::string>{"}", "x", "\n", "{}", "\xef\xbb\xbf", ",", "/* */", "&a=b"});
      break;
    case 5: text.insert(at, random_.pick(kNotUtf8)); break;
    default:
      text.clear();
      for (std::size_t i = random_.below(200); i > 0; --i) text += random_.octet();
      break;
  }
}

void RandomRequests::break_target(std::string& target) {
  switch (random_.below(8)) {
    case 0: target.insert(random_.below(target.size() + 1), random_.pick(kEscapes)); break;
    case 1: target = random_.pick(kBases) + target; break;
    case 2: target += (target.find('?') == std::string::npos ? "?" : "&") + random_.pick(kQueries); break;
    case 3:
      target += random_.pick(std::vector<std::string>{":move", ":import", ":export", ":", "/", "/x", "?", "#a",
                                                      ":renew", "::export", ";a=b"});
      break;
    case 4: target.erase(random_.below(target.size()), 1 + random_.below(3)); break;
    case 5: target.insert(random_.below(target.size() + 1), 1, static_cast<char>(33 + random_.below(94))); break;
    case 6: target += "?name=" + std::string(random_.pick(std::vector<std::size_t>{300, 5000, 40000}), 'n'); break;
    default:
      target = random_.pick(std::vector<std::string>{
          "*", "/", "", "http://127.0.0.1/certificates", "certificates", "/certificates/%00", "//certificates",
          "/Certificates", "/\xc3\xa9", "/certificates\\", "/accounts/%2e%2e", "/.well-known/x"});
      break;
  }
}

void RandomRequests::break_headers(Draft& draft) {
  switch (random_.below(9)) {
    case 0:
      draft.headers.erase(draft.headers.begin() + static_cast<std::ptrdiff_t>(random_.below(draft.headers.size())));
      break;
    case 1: draft.headers.push_back(std::string(random_.pick(draft.headers))); break;
    case 2:
      draft.headers.push_back("X-Long: " + std::string(random_.pick(std::vector<std::size_t>{4000, 33000}), 'h'));
      break;
    case 3:
      for (std::size_t i = random_.pick(std::vector<std::size_t>{50, 500}); i > 0; --i) draft.headers.push_back("X: y");
      break;
    case 4: {
      std::string& header = draft.headers[random_.below(draft.headers.size())];
      header.insert(random_.below(header.size() + 1), 1, random_.octet());
      break;
    }
    case 5: draft.chunked = true; break;
    case 6:
      if (random_.one_in(6)) {
        draft.content_length = random_.pick(std::vector<std::string>{"-1", "x", "", "0", "99999999999999999999", "1e3",
                                                                     "0x10", "+5", "5, 5", std::to_string(1U << 30U)});
      }
      break;
    case 7:
      if (random_.one_in(4))
        draft.version =
            random_.pick(std::vector<std::string>{"HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/1", ""});
      break;
    default: draft.headers.push_back(random_.pick(kOddHeaders)); break;
  }
}

Wire RandomRequests::written(const Draft& draft) {
  Wire wire{"", draft.method, draft.target, false};
  wire.octets = draft.method + " " + draft.target + " " + draft.version + "\r\n";
  for (const std::string& header : draft.headers) wire.octets += header + "\r\n";
  std::string body = draft.body;
  if (draft.chunked) {
    std::ostringstream chunk;
    chunk << std::hex << body.size() << "\r\n" << body << (body.empty() ? "\r\n" : "\r\n0\r\n\r\n");
    body = chunk.str();
    wire.octets += "Transfer-Encoding: chunked\r\n";
  }
  if (draft.content_length) {
    wire.octets += "Content-Length: " + *draft.content_length + "\r\n";
    wire.misframed = true;
  } else if (!draft.chunked && (!body.empty() || draft.method == "POST")) {
    wire.octets += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  wire.octets += "\r\n" + body;
  return wire;
}

Wire RandomRequests::next(const std::vector<std::string>& ids) {
  Draft draft = valid(ids);
  if (random_.one_in(60)) {  // no request at all
    Wire wire{"", "", "", true};
    for (std::size_t i = 1 + random_.below(300); i > 0; --i) wire.octets += random_.octet();
    wire.octets += "\r\n\r\n";
    return wire;
  }
  if (!random_.one_in(5)) {
    for (std::size_t i = 1 + random_.below(3); i > 0; --i) {
      const std::size_t choice = random_.below(20);
      if (choice < 11 && !draft.body.empty()) {
        draft.json ? break_json(draft.body) : break_octets(draft.body);
      } else if (choice < 13) {
        break_octets(draft.body);
      } else if (choice < 15) {
        draft.method = random_.pick(kMethods);
      } else if (choice < 17) {
        break_target(draft.target);
      } else if (!draft.headers.empty()) {
        break_headers(draft);
      }
    }
  }
  Wire wire = written(draft);
  // A head that was broken may not say any more where its body ends.
  const std::size_t head = wire.octets.size() - draft.body.size();
  wire.misframed = wire.misframed || wire.octets.find("\r\n\r\n") + 4 < head || draft.version != "HTTP/1.1";
  return wire;
}

// --- the connection

void KeptConnection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  received_.clear();
}

bool KeptConnection::connect() {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{10, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool KeptConnection::send(const std::string& octets) {
  for (std::size_t sent = 0; sent < octets.size();) {
    const ssize_t count = ::send(fd_, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return false;  // answered and closed before all was read, maybe
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

Reply KeptConnection::receive(bool without_body, steady_clock::time_point deadline) {
  Reply reply;
  const auto more = [&] {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    pollfd wait{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
      reply.body = "no answer in time";
      return false;
    }
    char buffer[16384];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) {
      reply.body = "closed after " + std::to_string(received_.size()) + " octets";
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(count));
    return true;
  };
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return reply;
  }
  std::istringstream head(received_.substr(0, end));
  received_.erase(0, end + 4);
  int status = 0;
  std::string line;
  std::getline(head, line);
  if (line.size() > 12) std::from_chars(line.data() + 9, line.data() + 12, status);
  while (std::getline(head, line)) {
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string value = line.substr(std::min(line.size(), colon + 2));
    if (value.ends_with('\r')) value.pop_back();
    reply.headers.emplace(name, value);
  }
  if (status == 100) return receive(without_body, deadline);
  std::size_t length = 0;
  const std::string content_length = reply.header("content-length");
  std::from_chars(content_length.data(), content_length.data() + content_length.size(), length);
  while (!without_body && received_.size() < length) {
    if (!more()) return reply;
  }
  reply.status = status;
  if (!without_body) {
    reply.body = received_.substr(0, length);
    received_.erase(0, length);
  }
  return reply;
}

Reply KeptConnection::exchange(const Wire& wire, std::chrono::seconds limit) {
  const auto deadline = steady_clock::now() + limit;
  for (const bool kept : {fd_ >= 0, false}) {
    if (fd_ < 0 && !connect()) {
      close();
      return {0, {}, "no connection"};
    }
    send(wire.octets);
    Reply reply = receive(wire.method == "HEAD", deadline);
    const bool ends = reply.status == 0 || wire.misframed || reply.header("connection") == "close";
    if (ends) close();
    // The server may have closed the kept connection as the request left.
    if (reply.status != 0 || !kept || !reply.body.starts_with("closed after 0")) return reply;
  }
  return {};
}

// --- the answer

namespace {

struct ErrorRow {
  int status;
  const char* code;
  const char* type;
};

// Section 5 of the contract, without what a healthy token and store never bring about.
const std::vector<ErrorRow> kErrors = {{401, "E016", "Not Authenticated"},
                                       {401, "E016", "Invalid Credential"},
                                       {401, "E016", "Key Too Long"},
                                       {401, "E016", "Key Expired"},
                                       {403, "E007", "Unauthorized"},
                                       {403, "E007", "Private Key Export Blocked"},
                                       {400, "E003", "Input Format Mismatch"},
                                       {400, "E003", "Output Format Mismatch"},
                                       {400, "E003", "Missing Query Parameter"},
                                       {400, "E003", "Invalid Query Parameter"},
                                       {400, "E003", "Missing Body"},
                                       {400, "E003", "Invalid Object"},
                                       {400, "E003", "Malformed Command"},
                                       {400, "E003", "Invalid Command"},
                                       {400, "E013", "Bad XPath"},
                                       {404, "E005", "Object Not Present"},
                                       {409, "E016", "Object Not Unique"},
                                       {409, "E006", "Name Not Unique"},
                                       {409, "E009", "Reference Not Zero"},
                                       {405, "E012", "Action Not Supported"},
                                       {501, "E012", "Method Not Supported"},
                                       {501, "E012", "Version Not Supported"},
                                       {429, "E429", "Too Many Requests"}};

std::string why_no_error(const Reply& reply, const Json& json) {
  if (json.names() != std::vector<std::string>{"_errors", "_request_id"}) return "not the error form";
  if (json["_request_id"].text() != reply.header("x-request-id")) return "another request id in the header";
  if (json["_errors"].items().size() != 1) return "not one error";
  const Json& error = json["_errors"].at(0);
  const std::string& type = error["details"]["errorType"].text();
  const std::string& message = error["message"].text();
  error["details"]["message"].texts();
  if (!message.starts_with(type)) return "the message is not of its type";
  for (const ErrorRow& row : kErrors) {
    if (reply.status == row.status && error["code"].text() == row.code && type == row.type) return "";
  }
  return "an error that the contract does not have";
}

}  // namespace

std::string why_not_in_contract(const Wire& wire, const Reply& reply) {
  if (reply.status == 0) return reply.body;
  if (!reply.header("content-type").starts_with("application/json")) return "not JSON by its Content-Type";
  if (reply.header("x-request-id").empty()) return "without X-Request-ID";
  if (reply.status == 429 && reply.header("retry-after").empty()) return "without Retry-After";
  if (wire.method == "HEAD") return reply.status < 500 || reply.status == 501 ? "" : "a status of the server's fault";
  try {
    const Json json = reply.json();
    if (json.kind() != Json::Kind::object) return "no JSON object";
    if (reply.status == 200 || reply.status == 201) return json["_errors"].exists() ? "an error with a success" : "";
    if (!json["error"].exists()) return why_no_error(reply, json);
    if (wire.octets.find("access_token") == std::string::npos) return "OAuth's error form elsewhere";
    if (reply.status != 400 && reply.status != 401) return "OAuth's error form with another status";
    json["error"].text();
    json["error_description"].text();
    return json.names().size() == 2 ? "" : "more than OAuth's error form";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace system_test
