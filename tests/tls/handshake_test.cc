// The server over TLS as other people's clients meet it.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "api/plain_transport.h"
#include "base/error.h"
#include "tls/test_server.h"

using namespace hsmsigner;
using namespace tls_test;
using std::chrono::milliseconds;

namespace {

struct Fixture {
  explicit Fixture(const std::string& algorithm = "ec", api::ServerOptions options = {})
      : context(options_for(issued(authority, algorithm))), server(context, std::move(options)) {}

  static Authority::Issued issued(const Authority& from, const std::string& algorithm) {
    Authority::Wanted wanted;
    wanted.algorithm = algorithm;
    return from.issue("server", wanted);
  }

  Authority authority;
  tls::Context context;
  TestServer server;
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("curl gets its answer over TLS 1.2 and 1.3, and the server knows where it comes from") {
  for (const char* algorithm : {"ec", "rsa"}) {
    const Fixture fixture(algorithm);
    for (const char* version : {"1.2", "1.3"}) {
      CAPTURE(algorithm);
      CAPTURE(version);
      const auto result = curl(fixture.authority, {"--tls-max", version, fixture.server.url()});
      CHECK(result.exit_code == 0);
      CHECK(result.out == "from 127.0.0.1; anonymous");
    }
  }
}

TEST_CASE("versions before 1.2 are refused") {
  const Fixture fixture;
  for (const char* version : {"-tls1", "-tls1_1"}) {
    CAPTURE(version);
    // At level 0, so that it is the server who refuses.
    const auto result = s_client(fixture.authority, fixture.server.port(), {version, "-cipher", "DEFAULT@SECLEVEL=0"});
    CHECK(result.exit_code != 0);
    CHECK(holds(result.out, "alert protocol version"));
  }
}

TEST_CASE("only ciphers with forward secrecy and authentication are spoken") {
  const Fixture fixture("rsa");
  for (const char* cipher :
       {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"}) {
    CAPTURE(cipher);
    const auto result = s_client(fixture.authority, fixture.server.port(), {"-tls1_2", "-cipher", cipher});
    CHECK(result.exit_code == 0);
    CHECK(holds(result.out, "HTTP/1.1 200"));
  }
  for (const char* cipher :
       {"AES256-GCM-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES256-GCM-SHA384"}) {
    CAPTURE(cipher);
    const auto result =
        s_client(fixture.authority, fixture.server.port(), {"-tls1_2", "-cipher", std::string(cipher) + "@SECLEVEL=0"});
    CHECK(result.exit_code != 0);
    CHECK(holds(result.out, "handshake failure"));
  }
}

TEST_CASE("SHA-1 signatures are not made, compression, renegotiation and tickets are not offered") {
  const Fixture fixture("rsa");
  CHECK(s_client(fixture.authority, fixture.server.port(),
                 {"-tls1_2", "-sigalgs", "RSA+SHA1", "-cipher", "DEFAULT@SECLEVEL=0"})
            .exit_code != 0);
  const auto v12 = s_client(fixture.authority, fixture.server.port(), {"-tls1_2", "-comp"});
  CHECK(holds(v12.out, "Compression: NONE"));
  CHECK_FALSE(holds(v12.out, "TLS session ticket:"));
  const auto v13 = s_client(fixture.authority, fixture.server.port(), {"-tls1_3"});
  CHECK(holds(v13.out, "HTTP/1.1 200"));
  CHECK_FALSE(holds(v13.out, "New Session Ticket arrived"));
  // "R" asks for a new handshake.
  const auto again =
      test_support::run_command({"openssl", "s_client", "-tls1_2", "-CAfile", fixture.authority.certificate_file(),
                                 "-connect", "127.0.0.1:" + std::to_string(fixture.server.port())},
                                "R\n");
  CHECK(holds(again.out, "RENEGOTIATING"));
  CHECK(holds(again.out, "no renegotiation"));
}

TEST_CASE("http/1.1 is agreed on, and a client that speaks only other protocols is told so") {
  const Fixture fixture;
  CHECK(holds(s_client(fixture.authority, fixture.server.port(), {"-alpn", "h2,http/1.1"}).out,
              "ALPN protocol: http/1.1"));
  const auto other = s_client(fixture.authority, fixture.server.port(), {"-alpn", "h2"});
  CHECK(other.exit_code != 0);
  CHECK(holds(other.out, "no application protocol"));
}

TEST_CASE("big bodies and answers arrive whole") {
  api::ServerOptions options;
  options.max_body_bytes = 4'000'000;
  const Fixture fixture("ec", options);
  const auto big = curl(fixture.authority, {fixture.server.url("/big")});
  CHECK(big.exit_code == 0);
  CHECK(big.out.size() == kBigAnswer);
  CHECK(big.out.find_first_not_of('b') == std::string::npos);
  const std::string body(3'500'000, 'x');
  CHECK(curl(fixture.authority, {"--data-binary", "@-", fixture.server.url()}, body).out == "read 3500000");
  CHECK(curl(fixture.authority, {"-H", "Transfer-Encoding: chunked", "--data-binary", "@-", fixture.server.url()}, body)
            .out == "read 3500000");
}

TEST_CASE("a body that is too long is refused, and the client still reads the answer") {
  api::ServerOptions options;
  options.max_body_bytes = 1000;
  const Fixture fixture("ec", options);
  const auto result =
      curl(fixture.authority, {"-w", "%{http_code}", "-H", "Expect:", "--data-binary", "@-", fixture.server.url()},
           std::string(2'000'000, 'x'));
  CHECK(result.exit_code == 0);
  CHECK(holds(result.out, "Malformed Command"));
  CHECK(result.out.ends_with("400"));
}

TEST_CASE("one connection serves several requests, and its end is told with close_notify") {
  const Fixture fixture;
  const auto twice = curl(fixture.authority, {"-w", " %{num_connects} ", fixture.server.url(), fixture.server.url()});
  CHECK(twice.out == "from 127.0.0.1; anonymous 1 from 127.0.0.1; anonymous 0 ");
  // s_client calls an end without close_notify an error.
  const auto ended = s_client(fixture.authority, fixture.server.port(), {"-tls1_3"});
  CHECK(ended.exit_code == 0);
  CHECK_FALSE(holds(ended.out, "unexpected eof"));
  CHECK(holds(ended.out, "closed"));
}

TEST_CASE("who sends nothing, or half a handshake, is let go at the deadline") {
  api::ServerOptions options;
  options.read_timeout = milliseconds(500);
  options.keep_alive_timeout = milliseconds(500);
  const Fixture fixture("ec", options);
  for (const std::string& octets : {std::string(), std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8)}) {
    const Raw raw = talk(fixture.server.port(), octets);
    CHECK(raw.closed);
    CHECK(raw.took >= milliseconds(400));
    CHECK(raw.took < milliseconds(4000));
  }
}

TEST_CASE("a handshake that stalls keeps nobody else waiting") {
  api::ServerOptions options;
  options.max_connections = 2;
  const Fixture fixture("ec", options);
  std::thread stalled([&] { talk(fixture.server.port(), std::string("\x16\x03\x01\x02\x00\x01", 6)); });
  std::this_thread::sleep_for(milliseconds(200));
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) CHECK(curl(fixture.authority, {fixture.server.url()}).exit_code == 0);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  stalled.join();
}

TEST_CASE("a handshake that stalls, or comes an octet at a time, gives its thread to who waits") {
  api::ServerOptions options;
  options.max_connections = 1;
  options.read_timeout = std::chrono::seconds(30);
  const Fixture fixture("ec", options);
  const std::string hello("\x16\x03\x01\x02\x00\x01", 6);
  for (const bool dribbles : {false, true}) {
    CAPTURE(dribbles);
    Raw raw;
    std::thread stalled(
        [&] { raw = talk(fixture.server.port(), hello, dribbles ? milliseconds(100) : milliseconds(0)); });
    std::this_thread::sleep_for(milliseconds(200));
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) CHECK(curl(fixture.authority, {fixture.server.url()}).exit_code == 0);
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
    stalled.join();
    CHECK(raw.closed);
    CHECK(raw.took < milliseconds(5000));
    CHECK(raw.took >= milliseconds(900));  // a newcomer does not end at once what is under way
  }
}

TEST_CASE("silent connections give way to those that speak") {
  api::ServerOptions options;
  options.max_connections = 1;
  const Fixture fixture("ec", options);
  std::thread silent([&] { talk(fixture.server.port(), ""); });
  std::this_thread::sleep_for(milliseconds(200));
  const auto began = std::chrono::steady_clock::now();
  CHECK(curl(fixture.authority, {fixture.server.url()}).exit_code == 0);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  silent.join();
}

TEST_CASE("plain HTTP and noise sent to the TLS port end quickly") {
  const Fixture fixture;
  for (const std::string& octets : {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                                    std::string("\x80\x2e\x01\x00\x02", 5) + std::string(60, '\0'),
                                    std::string(5000, '\xff'), std::string("SSH-2.0-OpenSSH_9.2\r\n")}) {
    CAPTURE(octets.substr(0, 10));
    const Raw raw = talk(fixture.server.port(), octets);
    CHECK(raw.closed);
    CHECK(raw.took < milliseconds(3000));
    CHECK_FALSE(holds(raw.received, "200"));
  }
  CHECK(curl(fixture.authority, {fixture.server.url()}).exit_code == 0);
}

TEST_CASE("errors of who may call say in their headers what to do") {
  const Fixture fixture;
  const std::string nobody = curl(fixture.authority, {"-i", fixture.server.url("/nobody")}).out;
  CHECK(holds(nobody, "HTTP/1.1 401"));
  CHECK(holds(nobody, "WWW-Authenticate: Bearer realm=\"hsm-signer\"\r\n"));
  CHECK(holds(nobody, "Content-Type: application/json\r\n"));
  const std::string expired = curl(fixture.authority, {"-i", fixture.server.url("/expired")}).out;
  CHECK(holds(expired, "WWW-Authenticate: Bearer realm=\"hsm-signer\", error=\"invalid_token\"\r\n"));
  const std::string slower = curl(fixture.authority, {"-i", fixture.server.url("/slower")}).out;
  CHECK(holds(slower, "HTTP/1.1 429"));
  CHECK(holds(slower, "Retry-After: 7\r\n"));
  CHECK_FALSE(holds(slower, "WWW-Authenticate"));
}

TEST_CASE("HEAD has the length and no body") {
  const Fixture fixture;
  const auto result = curl(fixture.authority, {"-I", fixture.server.url("/big")});
  CAPTURE(result.out);
  CHECK(result.exit_code == 0);
  CHECK(holds(result.out, "Content-Length: " + std::to_string(kBigAnswer)));
  CHECK(holds(result.out, "Content-Type: text/plain"));
  CHECK_FALSE(holds(result.out, "bbb"));
}

TEST_CASE("a server without TLS listens on loopback only, one with it anywhere, and its URL says which it is") {
  const Authority authority;
  const tls::Context context(options_for(authority.issue("server")));
  const auto nothing = [](const auto&...) { return api::Answer(); };
  metrics::RequestMetrics metrics(api::request_labels());
  api::ServerOptions options;
  options.port = 0;
  for (const std::string address : {"127.0.0.1", "0.0.0.0"}) {
    CAPTURE(address);
    options.address = address;
    api::HttpServer with(options, nothing, context.transport(), metrics);
    const int port = with.bind();
    CHECK(with.url() == "https://" + address + ":" + std::to_string(port));
    api::HttpServer without(options, nothing, api::plain_transport(), metrics);
    if (address == "0.0.0.0") {
      CHECK_THROWS_AS(without.bind(), Error);
    } else {
      const int plain_port = without.bind();
      CHECK(without.url() == "http://" + address + ":" + std::to_string(plain_port));
    }
  }
}

TEST_CASE("a server that is told to stop ends handshakes under way") {
  const Authority authority;
  const tls::Context context(options_for(authority.issue("server")));
  api::ServerOptions options;
  options.read_timeout = std::chrono::seconds(30);
  std::thread stalled;
  const auto began = std::chrono::steady_clock::now();
  {
    const TestServer server(context, options);
    stalled = std::thread([port = server.port()] { talk(port, std::string("\x16\x03\x01\x02\x00\x01", 6)); });
    std::this_thread::sleep_for(milliseconds(200));
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  stalled.join();
}

TEST_CASE("a server that is told to stop lets silent and kept-alive clients go") {
  const Authority authority;
  const tls::Context context(options_for(authority.issue("server")));
  std::thread silent;
  const auto began = std::chrono::steady_clock::now();
  {
    const TestServer server(context);
    silent = std::thread([port = server.port()] { talk(port, ""); });
    std::this_thread::sleep_for(milliseconds(200));
  }
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  silent.join();
}
