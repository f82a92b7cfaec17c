#include "api/http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "api/connection.h"
#include "api/connection_threads.h"
#include "api/errors.h"
#include "api/method_not_supported.h"
#include "api/request_labels.h"
#include "api/wiped_buffer.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace hsmsigner::api {
namespace {

using std::chrono::steady_clock;

constexpr int kBacklog = 512;
constexpr std::size_t kMostWaiting = 256;
// For a newcomer to say something while others wait for its thread.
constexpr std::chrono::milliseconds kFirstRequestPatience{1000};

// One request and its answer.
struct Exchange {
  Exchange(Connection& the_connection, const Peer& the_peer, RequestHead the_head, std::exception_ptr the_fault)
      : connection(the_connection), peer(the_peer), head(std::move(the_head)), fault(std::move(the_fault)) {}
  ~Exchange() { cleanse(answer_body); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Connection& connection;
  const Peer& peer;
  RequestHead head;
  std::exception_ptr fault;      // found before the handler was asked
  const Route* route = nullptr;  // that the handler found
  std::string request_id = Uuid::random().to_string();
  steady_clock::time_point began = steady_clock::now();
  bool answered = false;
  std::string answer_body;  // follows the head that cpp-httplib sends; may hold secrets
  bool close = false;       // after the answer
};

// cpp-httplib sends the head only: it would leave copies of a body behind.
void put_answer(Answer answer, Exchange& exchange, httplib::Response& response) {
  exchange.answered = true;
  response.status = answer.status;
  response.headers.clear();
  for (const auto& [name, value] : answer.headers) response.set_header(name, value);
  if (!answer.body.empty()) response.set_header("Content-Type", answer.content_type);
  response.set_header("Content-Length", std::to_string(answer.body.size()));
  cleanse(exchange.answer_body);
  std::swap(exchange.answer_body, answer.body);
  cleanse(answer.body);
}

// RFC 6750 3: what is wrong with a token that was shown; nothing about one that was not.
std::string challenge(ErrorKind kind) {
  const bool refused = kind == ErrorKind::invalid_credential || kind == ErrorKind::key_expired;
  return std::string("Bearer realm=\"hsm-signer\"") + (refused ? ", error=\"invalid_token\"" : "");
}

Answer answer_to(const Error& error, const std::string& request_id) {
  const ErrorRow& row = row_of(error.kind());
  Answer answer;
  answer.status = row.status;
  answer.body = error_body(error, request_id);
  const std::chrono::seconds wait = error.retry_after().value_or(std::chrono::seconds(row.retry_after_seconds));
  if (wait.count() > 0) answer.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  if (row.status == 401) answer.headers.emplace_back("WWW-Authenticate", challenge(error.kind()));
  if (const auto* method = dynamic_cast<const MethodNotSupported*>(&error)) {
    answer.headers.emplace_back("Allow", method->allow());
  } else if (row.status == 405) {
    answer.headers.emplace_back("Allow", "");  // RFC 9110 15.5.6: an unknown action has no method
  }
  return answer;
}

void log_request(const Exchange& exchange, int status, const Error* error) {
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - exchange.began;
  const std::string path = exchange.head.target.substr(0, exchange.head.target.find('?'));
  if (error == nullptr) {
    log::info("request",
              {{"method", exchange.head.method}, {"path", path}, {"status", status}, {"milliseconds", took.count()}});
    return;
  }
  const std::string place = std::string(error->where().file) + ":" + std::to_string(error->where().line);
  log::write(status >= 500 && error->kind() != ErrorKind::method_not_allowed &&
                     error->kind() != ErrorKind::version_not_supported
                 ? log::Level::error
                 : log::Level::info,
             "request",
             {{"method", exchange.head.method},
              {"path", path},
              {"status", status},
              {"milliseconds", took.count()},
              {"error", to_string(error->kind())},
              {"cause", error->cause()},
              {"where", place}});
}

// The peer's IP address; an IPv4 one that came to an IPv6 socket (RFC 4291 2.5.5.2) as what it is.
std::string peer_address(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
  }
  return text;
}

// RFC 9110 5.6.7, in UTC.
std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);  // the locale is "C": nothing here sets another
  return text;
}

// cpp-httplib sees a request of its own words only: its method says whether there is a body to read, and nothing that
// a client wrote can reach its parser of lines, ranges, forms and encodings.
std::string head_for_httplib(const RequestHead& head, bool faulty) {
  if (faulty) return "GET / HTTP/1.1\r\n\r\n";
  if (head.method == "HEAD") return "HEAD / HTTP/1.1\r\n\r\n";
  if (head.method == "GET" || !head.has_body()) return "GET / HTTP/1.1\r\n\r\n";
  return "POST / HTTP/1.1\r\n" +
         (head.chunked ? std::string("Transfer-Encoding: chunked")
                       : "Content-Length: " + std::to_string(head.content_length)) +
         "\r\n\r\n";
}

}  // namespace

struct HttpServer::Impl : httplib::Server {
  Impl(ServerOptions server_options, api::Handler request_handler, AcceptTransport accept,
       metrics::RequestMetrics& request_metrics)
      : options(std::move(server_options)),
        limits{options.read_timeout, options.write_timeout, options.max_body_bytes, accept.tls},
        handler(std::move(request_handler)),
        accept_transport(std::move(accept)),
        metrics(request_metrics) {
    new_task_queue = [this] {
      threads = new ConnectionThreads(
          options.max_connections, kMostWaiting, [this] { idle.end_oldest(); }, [this] { idle.end_present(); });
      return threads;  // cpp-httplib's from here on
    };
    set_payload_max_length(options.max_body_bytes);
    set_socket_options([](socket_t socket) {
      // SO_REUSEADDR only: with SO_REUSEPORT, cpp-httplib's default, two servers would share a port unnoticed.
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      ::fcntl(socket, F_SETFD, FD_CLOEXEC);
    });
    Get(".*", [this](const httplib::Request&, httplib::Response& response) { handle(response, nullptr); });
    Post(".*", [this](const httplib::Request&, httplib::Response& response, const httplib::ContentReader& reader) {
      handle(response, &reader);
    });
    set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) { finish(response); });
    // Never its own words for an exception, which it would send in a header.
    set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
      put_answer(answer_to(Error(ErrorKind::internal_error), current->request_id), *current, response);
      current->close = true;
    });
    // What cpp-httplib answers by itself. Its words for our own errors are already ours.
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (current->answered) return;
      const Error error(ErrorKind::malformed_command, {"the request could not be read"});
      put_answer(answer_to(error, current->request_id), *current, response);
      current->close = true;
    });
  }

  // --- one request -------------------------------------------------------------------------------------------------

  std::string read_body(const httplib::ContentReader* reader) const {
    const auto too_long = [this] {
      return Error(ErrorKind::malformed_command,
                   {"the body is longer than " + std::to_string(options.max_body_bytes) + " octets"});
    };
    if (current->head.content_length > options.max_body_bytes) throw too_long();
    WipedBuffer body;
    body.reserve(static_cast<std::size_t>(current->head.content_length));
    bool exceeded = false;
    const bool complete = reader != nullptr && (*reader)([&](const char* data, std::size_t size) {
                            exceeded = size > options.max_body_bytes - body.size();
                            if (!exceeded) body.append({data, size});
                            // It is cpp-httplib's buffer on this thread's stack, which it does not wipe.
                            cleanse(const_cast<char*>(data), size);
                            return !exceeded;
                          });
    if (exceeded) throw too_long();
    if (!complete || (current->head.chunked && !current->connection.ended_in_last_chunk())) {
      throw Error(
          ErrorKind::malformed_command,
          {"the body broke off, came too slowly or is wrongly chunked (chunk extensions and trailers are not taken)"});
    }
    return body.take();
  }

  // The one place where an exception becomes an answer.
  void handle(httplib::Response& response, const httplib::ContentReader* reader) const {
    const auto fail = [&](const Error& error) {
      put_answer(answer_to(error, current->request_id), *current, response);
      log_request(*current, response.status, &error);
    };
    try {
      if (current->fault) std::rethrow_exception(current->fault);
      put_answer(
          handler(
              current->head, current->peer, current->request_id, [&] { return read_body(reader); }, current->route),
          *current, response);
      log_request(*current, response.status, nullptr);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::internal_error) {
        // Whatever it says is for the log.
        fail(Error(ErrorKind::internal_error, {}, error.where()).with_cause(error.what()));
      } else {
        fail(error);
      }
    } catch (const std::exception& exception) {
      fail(Error(ErrorKind::internal_error).with_cause(exception.what()));
    } catch (...) {
      fail(Error(ErrorKind::internal_error).with_cause("an exception of unknown type"));
    }
  }

  // Once for every answer, before it goes out: whoever has it finds it counted. Headers that every answer has; here it
  // is known what of the body was read.
  void finish(httplib::Response& response) const {
    metrics.answered(slot_of(current->route, current->head.method), response.status,
                     steady_clock::now() - current->began);
    current->close = current->close || stopping || current->head.wants_close || !current->connection.body_is_read() ||
                     threads->wanted_back();
    for (const char* name : {"Accept-Ranges", "Connection", "Keep-Alive"}) response.headers.erase(name);
    if (current->close) {
      response.set_header("Connection", "close");
    } else if (current->head.http_1_0) {
      response.set_header("Connection", "keep-alive");
    }
    response.set_header("Date", http_date());
    response.set_header("X-Request-ID", current->request_id);
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
  }

  // --- one connection ----------------------------------------------------------------------------------------------

  // Its arguments differ between versions of cpp-httplib: up to 0.15, and later ones with the peers' addresses.
  using Setup = std::function<void(httplib::Request&)>;
  bool call(bool (httplib::Server::*process)(httplib::Stream&, bool, bool&, const Setup&), httplib::Stream& stream) {
    bool closed = false;
    return (this->*process)(stream, false, closed, nullptr);
  }
  bool call(bool (httplib::Server::*process)(httplib::Stream&, const std::string&, int, const std::string&, int, bool,
                                             bool&, const Setup&),
            httplib::Stream& stream) {
    bool closed = false;
    return (this->*process)(stream, "", 0, "", 0, false, closed, nullptr);
  }

  // How long a connection may wait for its next request, or for its first.
  std::chrono::milliseconds patience(bool first) const {
    if (!threads->wanted_back()) return options.keep_alive_timeout;
    return first ? std::min(kFirstRequestPatience, options.keep_alive_timeout) : std::chrono::milliseconds(0);
  }

  // False when the connection is to be closed.
  bool serve_request(Connection& connection, const Peer& peer, bool first) {
    RequestHead head;
    std::exception_ptr fault;
    try {
      if (!connection.read_head(head, [&] { return patience(first); })) return false;
    } catch (const Error&) {
      fault = std::current_exception();
      head.wants_close = true;
    }
    Exchange exchange(connection, peer, std::move(head), fault);
    const log::Context context("request_id", exchange.request_id);
    const metrics::RequestMetrics::UnderWay under_way(metrics);
    current = &exchange;
    connection.begin_exchange(head_for_httplib(exchange.head, fault != nullptr), exchange.head);
    const bool has_body = exchange.head.method != "HEAD";
    const bool answered = call(&Impl::process_request, connection) &&
                          (!has_body || connection.write(exchange.answer_body) >= 0) && connection.flush();
    current = nullptr;
    if (answered && exchange.close) connection.close_lingering();
    return answered && !exchange.close;
  }

  // Null when the connection is to be closed. A TLS handshake is begun only when the peer has begun; until then the
  // connection is an idle one, and ended at once when its thread is needed. One under way has a second of the
  // peer's time before that: else newcomers would end each other's.
  std::unique_ptr<Transport> accepted(int socket, const std::string& peer_address) {
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::unique_ptr<Transport> transport = accept_transport.make(socket);
    if (!accept_transport.tls) return transport;
    const log::Context context("peer", peer_address);
    const auto go_on = [this] { return !stopping && !threads->wanted_back(); };
    if (!wait_for_first_octet(socket, idle, [this] { return patience(true); }) ||
        !transport->handshake(deadline_in(options.read_timeout), go_on)) {
      return nullptr;
    }
    return transport;
  }

  bool process_and_close_socket(socket_t socket) override {
    if (ConnectionThreads::refusing()) {
      ::close(socket);
      return false;
    }
    try {
      Peer peer{peer_address(socket), std::nullopt};
      std::unique_ptr<Transport> transport = accepted(socket, peer.address);
      if (!transport) return true;
      peer.certificate = transport->peer_certificate();
      Connection connection(std::move(transport), limits, idle);
      for (bool first = true; serve_request(connection, peer, first); first = false) continue;
    } catch (const std::exception& exception) {
      log::error("connection lost", {{"cause", exception.what()}});
    }
    return true;
  }

  // --- the listener ------------------------------------------------------------------------------------------------

  bool open_listener() {
    const std::lock_guard lock(listener_mutex);
    if (stopping) return false;
    // A wrong port shows in the result; a listener that could not be made, in errno.
    errno = 0;
    if (port == 0) {
      port = bind_to_any_port(address);
    } else if (!bind_to_port(address, port)) {
      return false;
    }
    // cpp-httplib listens with a backlog of 5; once more makes it longer.
    return port > 0 && ::listen(svr_sock_, kBacklog) == 0;
  }

  void serve() {
    while (!stopping) {
      // False: accept() failed for a reason that cpp-httplib takes for final; it has closed the listener.
      if (listen_after_bind() || stopping) break;
      log::error("listener lost", {{"cause", std::strerror(errno)}});
      const Deadline deadline = deadline_in(std::chrono::seconds(10));
      while (!open_listener() && !stopping) {
        if (steady_clock::now() > deadline) throw Error(ErrorKind::internal_error, {"the listening socket was lost"});
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    close_listener();
  }

  void begin_stop() {
    const std::lock_guard lock(listener_mutex);
    if (stopping.exchange(true)) return;
    // Wakes accept(), which then finds no socket to go on with. Closed by the thread that accepts, so that the
    // descriptor is not another file's when it looks.
    stopped_listener = svr_sock_.exchange(INVALID_SOCKET);
    if (stopped_listener != INVALID_SOCKET) ::shutdown(stopped_listener, SHUT_RDWR);
    idle.end_all();
  }

  void close_listener() {
    const std::lock_guard lock(listener_mutex);
    if (stopped_listener != INVALID_SOCKET) ::close(stopped_listener);
    stopped_listener = INVALID_SOCKET;
  }

  const ServerOptions options;
  const ConnectionLimits limits;
  const api::Handler handler;
  const AcceptTransport accept_transport;
  metrics::RequestMetrics& metrics;
  IdleConnections idle;
  ConnectionThreads* threads = nullptr;  // of the running listener; used by its own threads only
  std::string address;
  int port = 0;
  std::atomic<bool> stopping{false};
  std::mutex listener_mutex;
  socket_t stopped_listener = INVALID_SOCKET;

  // cpp-httplib hands its handlers nothing of ours; a connection is served by one thread from end to end.
  static thread_local Exchange* current;
};

thread_local Exchange* HttpServer::Impl::current = nullptr;

std::optional<std::string> fault_of_listen_address(const std::string& address, bool tls) {
  if (tls || is_loopback_address(address)) return std::nullopt;
  return "must be a loopback address (127.0.0.1 or ::1) as long as there is no TLS: set tls.certificate_file and "
         "tls.key_file, or tls.certificate, or keep to loopback and reach it through a proxy that speaks TLS";
}

HttpServer::HttpServer(ServerOptions options, Handler handler, AcceptTransport accept, metrics::RequestMetrics& metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler), std::move(accept), metrics)) {}

HttpServer::~HttpServer() {
  impl_->begin_stop();
  impl_->close_listener();
}

int HttpServer::bind() {
  const ServerOptions& options = impl_->options;
  if (const auto fault = fault_of_listen_address(options.address, impl_->accept_transport.tls)) {
    throw Error(ErrorKind::invalid_object, {"server.address: " + *fault});
  }
  impl_->address = options.address;
  impl_->port = options.port;
  if (!impl_->open_listener()) {
    throw Error(ErrorKind::internal_error, {"server.port: cannot listen on " + options.address + " port " +
                                            std::to_string(options.port) + "; is another program listening there?"})
        .with_cause(std::strerror(errno));
  }
  return impl_->port;
}

std::string HttpServer::url() const {
  const bool version_6 = impl_->address.find(':') != std::string::npos;
  return (impl_->accept_transport.tls ? "https://" : "http://") +
         (version_6 ? "[" + impl_->address + "]" : impl_->address) + ":" + std::to_string(impl_->port);
}

void HttpServer::run() { impl_->serve(); }

void HttpServer::stop() { impl_->begin_stop(); }

}  // namespace hsmsigner::api
