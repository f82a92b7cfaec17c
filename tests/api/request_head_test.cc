// The strict reading of a request's head: what two readers could take in two ways is refused.
#include "api/request_head.h"

#include <doctest/doctest.h>

#include <string>

#include "base/error.h"

using namespace hsmsigner;
using api::parse_request_head;
using api::RequestHead;

namespace {

RequestHead with(const std::string& fields, const std::string& line = "POST /certificates HTTP/1.1") {
  return parse_request_head(line + "\r\nHost: 127.0.0.1\r\n" + fields + "\r\n");
}

bool refused(const std::string& text) {
  try {
    parse_request_head(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::malformed_command);
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE("method, target, host and fields") {
  const RequestHead head = with("Accept:  application/json \t\r\nX-A: 1\r\nx-a: 2\r\n", "GET /a?b=c HTTP/1.1");
  CHECK(head.method == "GET");
  CHECK(head.target == "/a?b=c");
  CHECK(head.host == "127.0.0.1");
  CHECK(head.field("accept") == "application/json");
  CHECK(head.field("x-a") == "1, 2");
  CHECK_FALSE(head.field("x-b"));
  CHECK_FALSE(head.has_body());
  CHECK_FALSE(head.wants_close);
  // RFC 9112 3.2.2: the absolute form's authority goes before Host.
  const RequestHead absolute = with("", "GET http://localhost:8080/x?y HTTP/1.1");
  CHECK(absolute.target == "/x?y");
  CHECK(absolute.host == "localhost:8080");
}

TEST_CASE("framing: one length or chunked, and never a doubt (RFC 9112 6.3)") {
  CHECK(with("Content-Length: 12\r\n").content_length == 12);
  CHECK(with("Transfer-Encoding: Chunked\r\n").chunked);
  for (const char* fields :
       {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1, 1\r\n", "Content-Length: +1\r\n",
        "Content-Length: -1\r\n", "Content-Length: 0x1\r\n", "Content-Length: 1 1\r\n", "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding : chunked\r\n",
        "Expect: 200-ok\r\n"}) {
    CAPTURE(fields);
    CHECK(refused("POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n"));
  }
  CHECK(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST_CASE("request lines and field lines that are none") {
  for (const std::string& text :
       {std::string("GET / HTTP/1.1\r\n\r\n"),  // no Host
        std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), std::string("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        std::string("GET /\r\nHost: a\r\n\r\n"), std::string("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"), std::string("GET /# HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("GET / HTTP/1.1\nHost: a\n\n"), std::string("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"), std::string("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a") + '\0' + "b\r\n\r\n",
        "GET /" + std::string(api::kMaxTargetBytes, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    CAPTURE(text.substr(0, 60));
    CHECK(refused(text));
  }
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 0; i < api::kMaxHeaderFields; ++i) many += "X: y\r\n";
  CHECK(refused(many + "\r\n"));
}

TEST_CASE("whether the connection stays (RFC 9112 9.3)") {
  CHECK(with("Connection: close\r\n").wants_close);
  CHECK(with("Connection: x, Close\r\n").wants_close);
  CHECK_FALSE(with("Connection: closed\r\n").wants_close);
  CHECK(parse_request_head("GET / HTTP/1.0\r\n\r\n").wants_close);
  CHECK_FALSE(parse_request_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").wants_close);
}
