#include "api/http_server.h"

#include <fcntl.h>
#include <httplib.h>
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
#include "api/routes.h"
#include "base/log.h"
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
  Connection& connection;
  RequestHead head;
  std::exception_ptr fault;  // found before the router was asked
  std::string request_id = Uuid::random().to_string();
  steady_clock::time_point began = steady_clock::now();
  bool close = false;  // after the answer
};

void send_answer(const Answer& answer, httplib::Response& response) {
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) response.set_header(name, value);
  response.set_content(answer.body, "application/json");
}

Answer answer_to(const Error& error, const std::string& request_id) {
  const ErrorRow& row = row_of(error.kind());
  Answer answer;
  answer.status = row.status;
  answer.body = error_body(error, request_id);
  if (row.retry_after_seconds > 0) answer.headers.emplace_back("Retry-After", std::to_string(row.retry_after_seconds));
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
  Impl(ServerOptions server_options, service::Generation& generation, service::Catalogue& catalogue)
      : options(std::move(server_options)),
        limits{options.read_timeout, options.write_timeout, options.max_body_bytes},
        router(generation, catalogue, options.request_timeout) {
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
      send_answer(answer_to(Error(ErrorKind::internal_error), current->request_id), response);
      current->close = true;
    });
    // What cpp-httplib answers by itself. Its words for our own errors are already ours.
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      const Error error(ErrorKind::malformed_command, {"the request could not be read"});
      send_answer(answer_to(error, current->request_id), response);
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
    std::string body;
    bool exceeded = false;
    const bool complete = reader != nullptr && (*reader)([&](const char* data, std::size_t size) {
                            exceeded = size > options.max_body_bytes - body.size();
                            if (!exceeded) body.append(data, size);
                            return !exceeded;
                          });
    if (exceeded) throw too_long();
    if (!complete || (current->head.chunked && !current->connection.ended_in_last_chunk())) {
      throw Error(
          ErrorKind::malformed_command,
          {"the body broke off, came too slowly or is wrongly chunked (chunk extensions and trailers are not taken)"});
    }
    return body;
  }

  // The one place where an exception becomes an answer.
  void handle(httplib::Response& response, const httplib::ContentReader* reader) const {
    const auto fail = [&](const Error& error) {
      send_answer(answer_to(error, current->request_id), response);
      log_request(*current, response.status, &error);
    };
    try {
      if (current->fault) std::rethrow_exception(current->fault);
      const Answer answer = router.answer(current->head, [&] { return read_body(reader); });
      send_answer(answer, response);
      log_request(*current, answer.status, nullptr);
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

  // Headers that every answer has. Here it is known what of the body was read.
  void finish(httplib::Response& response) const {
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
  bool serve_request(Connection& connection, bool first) {
    RequestHead head;
    std::exception_ptr fault;
    try {
      if (!connection.read_head(head, [&] { return patience(first); })) return false;
    } catch (const Error&) {
      fault = std::current_exception();
      head.wants_close = true;
    }
    Exchange exchange{connection, std::move(head), fault};
    const log::Context context("request_id", exchange.request_id);
    current = &exchange;
    connection.begin_exchange(head_for_httplib(exchange.head, fault != nullptr), exchange.head);
    const bool answered = call(&Impl::process_request, connection) && connection.flush();
    current = nullptr;
    if (answered && exchange.close) connection.close_lingering();
    return answered && !exchange.close;
  }

  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, limits, idle);
    if (ConnectionThreads::refusing()) return false;
    try {
      for (bool first = true; serve_request(connection, first); first = false) continue;
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
  const Router router;
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

std::optional<std::string> fault_of_listen_address(const std::string& address) {
  if (is_loopback_address(address)) return std::nullopt;
  return "must be a loopback address (127.0.0.1 or ::1), because this version has no authentication and whoever "
         "reaches it may issue certificates; reach it from elsewhere through an SSH tunnel or a proxy that "
         "authenticates its callers";
}

HttpServer::HttpServer(ServerOptions options, service::Generation& generation, service::Catalogue& catalogue)
    : impl_(std::make_unique<Impl>(std::move(options), generation, catalogue)) {}

HttpServer::~HttpServer() {
  impl_->begin_stop();
  impl_->close_listener();
}

int HttpServer::bind() {
  const ServerOptions& options = impl_->options;
  if (const auto fault = fault_of_listen_address(options.address)) {
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

void HttpServer::run() { impl_->serve(); }

void HttpServer::stop() { impl_->begin_stop(); }

}  // namespace hsmsigner::api
