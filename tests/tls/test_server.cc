#include "tls/test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "base/clock.h"
#include "base/error.h"
#include "tls/key_file.h"

namespace tls_test {

using namespace hsmsigner;

namespace {

api::Answer answer(const api::RequestHead& head, const api::Peer& peer, const std::string&,
                   const api::ReadBody& read_body, const api::Route*&) {
  api::Answer answer;
  answer.content_type = "text/plain";
  if (head.method == "POST") {
    answer.body = "read " + std::to_string(read_body().size());
  } else if (head.target == "/nobody") {
    throw Error(ErrorKind::auth_not_authenticated);
  } else if (head.target == "/expired") {
    throw Error(ErrorKind::key_expired);
  } else if (head.target == "/slower") {
    throw Error(ErrorKind::too_many_requests).with_retry_after(std::chrono::seconds(7));
  } else if (head.target == "/big") {
    answer.body.assign(kBigAnswer, 'b');
  } else {
    answer.body = "from " + peer.address + "; ";
    answer.body +=
        peer.certificate ? peer.certificate->fingerprint_sha256 + " " + peer.certificate->subject : "anonymous";
  }
  return answer;
}

api::ServerOptions on_any_port(api::ServerOptions options) {
  options.port = 0;
  return options;
}

}  // namespace

TestServer::TestServer(AcceptTransport accept, api::ServerOptions options)
    : server_(on_any_port(std::move(options)), answer, std::move(accept), metrics_),
      port_(server_.bind()),
      thread_([this] { server_.run(); }) {}

TestServer::TestServer(const tls::Context& context, api::ServerOptions options)
    : TestServer(context.transport(), std::move(options)) {}

TestServer::~TestServer() {
  server_.stop();
  thread_.join();
}

tls::ContextOptions options_for(const Authority::Issued& issued) {
  tls::ContextOptions options;
  options.certificate_chain = issued.certificate();
  options.key = tls::key_from_pem(issued.key());
  return options;
}

test_support::CommandResult curl(const Authority& authority, const std::vector<std::string>& arguments,
                                 const std::string& input) {
  std::vector<std::string> argv{
      "curl", "-sS", "-4", "--noproxy", "*", "--max-time", "10", "--cacert", authority.certificate_file()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test_support::run_command(argv, input);
}

test_support::CommandResult s_client(const Authority& authority, int port, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{"openssl",  "s_client",
                                "-ign_eof", "-verify_return_error",
                                "-CAfile",  authority.certificate_file(),
                                "-connect", "127.0.0.1:" + std::to_string(port)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return test_support::run_command(argv, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}

Raw talk(int port, const std::string& octets, std::chrono::milliseconds interval) {
  const auto began = std::chrono::steady_clock::now();
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket);
    throw std::runtime_error("cannot connect");
  }
  Raw raw;
  if (!octets.empty() && ::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL) < 0) {
    ::close(socket);
    throw std::runtime_error("cannot send");
  }
  const Deadline deadline = deadline_in(std::chrono::seconds(10));
  char chunk[4096];
  const auto something_came = [&] {
    if (interval.count() == 0) return wait_for_socket(socket, POLLIN, deadline);
    while (std::chrono::steady_clock::now() < deadline) {
      if (wait_for_socket(socket, POLLIN, deadline_in(interval))) return true;
      ::send(socket, "", 1, MSG_NOSIGNAL);
    }
    return false;
  };
  while (something_came()) {
    const ssize_t count = ::recv(socket, chunk, sizeof chunk, 0);
    raw.closed = count <= 0;
    if (raw.closed) break;
    raw.received.append(chunk, static_cast<std::size_t>(count));
  }
  ::close(socket);
  raw.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  return raw;
}

}  // namespace tls_test
