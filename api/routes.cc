#include "api/routes.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "api/certificate_json.h"
#include "api/content_negotiation.h"
#include "api/generate_body.h"
#include "api/json_document.h"
#include "api/text_rules.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

enum class Shape { collection, item };

constexpr std::string_view kResource = "certificates";
constexpr std::size_t kMaxLimit = 5000;
constexpr std::size_t kDefaultLimit = 200;

// Where a path leads.
struct Place {
  Shape shape = Shape::collection;
  std::optional<Uuid> id;
  std::string action;  // what follows ':'
  std::string base;    // "/config/identity/v1", for Location
};

[[noreturn]] void no_such_resource() { throw Error(ErrorKind::bad_xpath, {"the path names no resource"}); }

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes the base prefix off `segments` and returns it.
std::string take_base(std::vector<std::string>& segments) {
  struct Base {
    std::string_view first, second;
  };
  for (const Base base : {Base{"config", "identity"}, Base{"sse", "config"}}) {
    if (segments.size() < 3 || segments[0] != base.first || segments[1] != base.second) continue;
    const std::string version = segments[2];
    if (!version.starts_with('v') || !is_number(std::string_view(version).substr(1))) no_such_resource();
    if (version != "v1") {
      throw Error(ErrorKind::version_not_supported, {"the path's version is not served; use v1"});
    }
    segments.erase(segments.begin(), segments.begin() + 3);
    return "/" + std::string(base.first) + "/" + std::string(base.second) + "/v1";
  }
  return "";
}

// Splits "x:verb" at its colon.
std::string take_action(std::string& segment) {
  const std::size_t colon = segment.find(':');
  if (colon == std::string::npos) return "";
  std::string action = segment.substr(colon + 1);
  segment.resize(colon);
  const bool word = std::all_of(action.begin(), action.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (action.empty() || action.size() > 64 || !word) no_such_resource();
  return action;
}

Place find_place(std::vector<std::string> segments) {
  Place place;
  place.base = take_base(segments);
  if (segments.empty() || segments.size() > 2) no_such_resource();
  place.action = take_action(segments.back());
  if (segments.front() != kResource) no_such_resource();
  if (segments.size() == 2) {
    place.shape = Shape::item;
    place.id = Uuid::parse(segments[1]);
    if (!place.id) throw Error(ErrorKind::bad_xpath, {"id: must be a UUID"});
  }
  return place;
}

[[noreturn]] void invalid_parameter(const std::string& name, const std::string& value, std::string_view sentence) {
  throw Error(ErrorKind::invalid_query_parameter, {shown(name) + ": " + std::string(sentence)})
      .with_subject(shown(name) + "=" + shown(value));
}

// The container in the query, if any. Refuses every parameter that is neither one nor in `others`.
std::optional<store::Container> read_container(const RequestTarget& target,
                                               std::initializer_list<std::string_view> others) {
  std::optional<store::Container> container;
  for (const auto& [name, value] : target.query) {
    if (std::find(others.begin(), others.end(), name) != others.end()) continue;
    const auto kind = store::container_kind_from(name);
    if (!kind) invalid_parameter(name, value, "unknown parameter");
    if (!is_container_name(value)) {
      invalid_parameter(name, value, "must have 1 to 64 letters, digits, '-', '_', '.' and spaces");
    }
    if (container) invalid_parameter(name, value, "only one of folder, snippet and device may be given");
    container = store::Container{*kind, value};
  }
  return container;
}

std::size_t read_number(const RequestTarget& target, const std::string& name, std::size_t least, std::size_t most,
                        std::size_t otherwise) {
  const std::string* text = target.parameter(name);
  if (text == nullptr) return otherwise;
  std::size_t value = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
  if (!is_number(*text) || result.ec != std::errc() || value < least || value > most) {
    invalid_parameter(name, *text,
                      "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

}  // namespace

MethodNotSupported::MethodNotSupported(const std::string& method, std::string allow)
    : Error(ErrorKind::method_not_allowed, {shown(method, 32) + " is not a method of this resource; it has " + allow}),
      allow_(std::move(allow)) {}

struct Router::Call {
  const RequestHead& head;
  const RequestTarget& target;
  const Place& place;
  const ReadBody& read_body;
};

struct Router::Route {
  std::string_view method;
  Shape shape;
  Answer (Router::*handler)(const Call&) const;
};

// The one table of routes. HEAD is GET without its body.
const Router::Route Router::kRoutes[] = {
    {"GET", Shape::collection, &Router::list},
    {"HEAD", Shape::collection, &Router::list},
    {"POST", Shape::collection, &Router::generate},
    {"GET", Shape::item, &Router::get},
    {"HEAD", Shape::item, &Router::get},
};

Answer Router::answer(const RequestHead& head, const ReadBody& read_body) const {
  // Without authentication, a web page in the user's browser must not reach this server under a name of its own
  // (DNS rebinding).
  if (!is_loopback_host(head.host)) {
    throw Error(ErrorKind::auth_unauthorized, {"Host: must name this machine's loopback address"})
        .with_help("Call the server as http://127.0.0.1 or http://localhost: it has no authentication yet.");
  }
  const RequestTarget target = parse_request_target(head.target);
  const Place place = find_place(target.segments);
  if (!place.action.empty()) {
    throw Error(ErrorKind::action_not_supported, {"no such action on this resource"}).with_subject(place.action);
  }
  const Route* chosen = nullptr;
  std::string allow;
  for (const Route& route : kRoutes) {
    if (route.shape != place.shape) continue;
    allow += (allow.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == head.method) chosen = &route;
  }
  if (chosen == nullptr) throw MethodNotSupported(head.method, allow);
  require_json_accepted(head);
  return (this->*chosen->handler)(Call{head, target, place, read_body});
}

Answer Router::generate(const Call& call) const {
  const auto in_query = read_container(call.target, {});
  const auto missing = [] { return Error(ErrorKind::missing_body, {"a JSON object is required"}); };
  if (!call.head.has_body()) throw missing();
  require_json_body(call.head);
  const std::string body = call.read_body();
  if (body.empty()) throw missing();
  const rapidjson::Document document = parse_json(body);
  if (!document.IsObject()) throw Error(ErrorKind::invalid_object, {"body: must be a JSON object"});
  const store::CertificateRecord record =
      generation_.generate(read_generate_body(document, in_query), deadline_in(request_timeout_));
  Answer answer;
  answer.status = 201;
  answer.body = certificate_json(record, catalogue_.now());
  answer.headers.emplace_back("Location", call.place.base + "/" + std::string(kResource) + "/" + record.id.to_string());
  return answer;
}

Answer Router::list(const Call& call) const {
  const auto container = read_container(call.target, {"name", "limit", "offset"});
  const std::size_t limit = read_number(call.target, "limit", 1, kMaxLimit, kDefaultLimit);
  const std::size_t offset = read_number(call.target, "offset", 0, 1'000'000'000, 0);
  Answer answer;
  const std::string* name = call.target.parameter("name");
  if (name == nullptr) {
    answer.body = certificate_list_json(catalogue_.list(container, offset, limit), offset, limit, catalogue_.now());
    return answer;
  }
  if (name->empty() || utf8_length(*name).value_or(0) > 255) {
    invalid_parameter("name", *name, "must have 1 to 255 characters");
  }
  if (!container) {
    throw Error(ErrorKind::missing_query_parameter, {"folder: name needs one of folder, snippet and device beside it"})
        .with_subject("folder");
  }
  answer.body = certificate_hybrid_json(catalogue_.get_by_name(*container, *name), offset, limit, catalogue_.now());
  return answer;
}

Answer Router::get(const Call& call) const {
  const auto container = read_container(call.target, {});
  const store::CertificateRecord record = catalogue_.get(*call.place.id);
  if (container && *container != record.container) {
    throw Error(ErrorKind::object_not_present, {"id: is not in this container"});
  }
  Answer answer;
  answer.body = certificate_json(record, catalogue_.now());
  return answer;
}

}  // namespace hsmsigner::api
