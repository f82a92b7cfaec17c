// What a request means: one table of routes (method, shape of the path, handler), and the checks in their fixed order:
// Host, path and version, action, method, Accept, query, and for POST body, Content-Type, JSON.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/request_head.h"
#include "api/request_target.h"
#include "base/error.h"
#include "base/uuid.h"
#include "service/catalogue.h"
#include "service/generation.h"

namespace hsmsigner::api {

struct Answer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // beside those that every answer carries
};

// Error{method_not_allowed} that knows what the header Allow says.
class MethodNotSupported : public Error {
 public:
  MethodNotSupported(const std::string& method, std::string allow);
  const std::string& allow() const noexcept { return allow_; }

 private:
  std::string allow_;
};

class Router {
 public:
  // Reads the request's body to its end; throws Error{malformed_command} when it is too long or broken.
  using ReadBody = std::function<std::string()>;

  // The services outlive this object.
  Router(service::Generation& generation, service::Catalogue& catalogue, std::chrono::milliseconds request_timeout)
      : generation_(generation), catalogue_(catalogue), request_timeout_(request_timeout) {}

  // Throws Error. Calls `read_body` at most once, and only for a body that is wanted. Thread safe.
  Answer answer(const RequestHead& head, const ReadBody& read_body) const;

 private:
  struct Call;
  struct Route;
  static const Route kRoutes[];

  Answer generate(const Call& call) const;
  Answer list(const Call& call) const;
  Answer get(const Call& call) const;

  service::Generation& generation_;
  service::Catalogue& catalogue_;
  std::chrono::milliseconds request_timeout_;
};

}  // namespace hsmsigner::api
