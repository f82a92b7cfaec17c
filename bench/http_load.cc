#include "http_load.h"

#include <httplib.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace hsmsigner::bench {
namespace {

constexpr const char* folder = "Bench";

struct Request {
  Algorithm algorithm;
  std::string name;
  std::string signed_by;  // empty: self-signed
  bool authority;
};

std::string body_of(const Request& request) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.StartObject();
  writer.Key("folder"), writer.String(folder);
  writer.Key("certificate_name"), writer.String(request.name);
  writer.Key("common_name"), writer.String("bench.example.com");
  writer.Key("algorithm");
  writer.StartObject();
  if (request.algorithm == Algorithm::p256) {
    writer.Key("ecdsa_number_of_bits"), writer.Int(256);
  } else {
    writer.Key("rsa_number_of_bits"), writer.Int(2048);
  }
  writer.EndObject();
  writer.Key("digest"), writer.String("sha256");
  if (request.authority) {
    writer.Key("is_certificate_authority"), writer.Bool(true);
    writer.Key("day_till_expiration"), writer.Int(730);
  }
  if (!request.signed_by.empty()) writer.Key("signed_by"), writer.String(request.signed_by);
  writer.EndObject();
  return buffer.GetString();
}

std::unique_ptr<httplib::Client> connect(const Server& server) {
  auto client = std::make_unique<httplib::Client>(server.url);
  client->set_default_headers({{"Authorization", server.authorization}});
  client->set_keep_alive(true);
  client->set_tcp_nodelay(true);
  client->set_connection_timeout(5);
  client->set_read_timeout(120);
  client->set_write_timeout(10);
  return client;
}

// Returns the answer's body.
std::string post(httplib::Client& client, const Request& request) {
  const auto result = client.Post("/certificates", body_of(request), "application/json");
  if (!result) throw std::runtime_error("POST /certificates: " + httplib::to_string(result.error()));
  if (result->status != 201) {
    throw std::runtime_error("POST /certificates: status " + std::to_string(result->status) + ": " + result->body);
  }
  return result->body;
}

Uuid id_in(const std::string& answer) {
  rapidjson::Document document;
  document.Parse(answer);
  if (!document.HasParseError() && document.IsObject() && document.HasMember("id") && document["id"].IsString()) {
    if (const auto id = Uuid::parse(document["id"].GetString())) return *id;
  }
  throw std::runtime_error("POST /certificates: a 201 without an id: " + answer);
}

}  // namespace

std::string authorization_in(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  constexpr std::string_view name = "Authorization: ";
  if (!line.starts_with(name)) throw std::runtime_error("no Authorization in " + path);
  return line.substr(name.size());
}

Uuid make_authority(const Server& server, Algorithm algorithm, const std::string& name) {
  return id_in(post(*connect(server), {algorithm, name, "", true}));
}

HttpResult measure_http(const HttpOptions& options) {
  const std::string run = Uuid::random().to_string();
  std::atomic<std::size_t> number{0};
  std::mutex mutex;
  std::vector<std::string> answers;  // guarded by mutex; read once the clock has stopped

  std::vector<std::unique_ptr<httplib::Client>> clients;
  Workers workers;
  for (unsigned i = 0; i < options.clients; ++i) {
    clients.push_back(connect(options.server));
    workers.push_back([&, &client = *clients.back()] {
      auto answer =
          post(client, {options.algorithm, "bench " + run + " " + std::to_string(++number), options.authority, false});
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
    });
  }

  HttpResult result;
  run_closed_loop(workers, options.warm_up);
  result.loop = run_closed_loop(workers, options.operations);
  for (const auto& answer : answers) result.ids.insert(id_in(answer));
  return result;
}

}  // namespace hsmsigner::bench
