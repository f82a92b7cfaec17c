#include "http_load.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fstream>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "client_crowd.h"
#include "lean_client.h"
#include "server_process.h"

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
    writer.Key("rsa_number_of_bits"), writer.Int(request.algorithm == Algorithm::rsa4096 ? 4096 : 2048);
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

std::string post_text(const Server& server, const Request& request) {
  return request_text("POST", "/certificates", server.authorization, body_of(request));
}

rapidjson::Document json_of(std::string_view answer) {
  rapidjson::Document document;
  document.Parse(answer.data(), answer.size());
  if (document.HasParseError() || !document.IsObject()) {
    throw std::runtime_error("an answer that is no JSON object: " + std::string(answer));
  }
  return document;
}

Uuid id_in(const rapidjson::Value& certificate) {
  const auto found = certificate.FindMember("id");
  if (found != certificate.MemberEnd() && found->value.IsString()) {
    if (const auto id = Uuid::parse(found->value.GetString())) return *id;
  }
  throw std::runtime_error("an answer without an id");
}

// One request, one answer of this status; returns its body.
std::string ask(const Server& server, const std::string& request, int status) {
  LeanClient client(endpoint_of(server.url));
  client.send(request);
  client.wait();
  std::string body(client.body());
  if (client.status() != status) throw std::runtime_error("status " + std::to_string(client.status()) + ": " + body);
  return body;
}

std::vector<std::string> get_texts(const Server& server) {
  const auto list = json_of(ask(server, request_text("GET", "/certificates?limit=50", server.authorization), 200));
  std::vector<std::string> texts;
  for (const auto& certificate : list["data"].GetArray()) {
    texts.push_back(request_text("GET", "/certificates/" + id_in(certificate).to_string(), server.authorization));
  }
  if (texts.empty()) throw std::runtime_error("there is no certificate to ask for");
  return texts;
}

std::function<std::string(std::size_t)> requests_of(const HttpOptions& options) {
  const Server& server = options.server;
  switch (options.call) {
    case Call::certificate:
      return [&options, run = Uuid::random().to_string()](std::size_t i) {
        return post_text(options.server,
                         {options.algorithm, "bench " + run + " " + std::to_string(i), options.authority, false});
      };
    case Call::get: return [texts = get_texts(server)](std::size_t i) { return texts[i % texts.size()]; };
    case Call::open:
      return
          [text = request_text("GET", "/oauth2/connect/jwk_uri", server.authorization)](std::size_t) { return text; };
  }
  throw std::logic_error("a call that is none");
}

struct Taken {
  double server = 0;
  double client = 0;
  SyncCounts syncs;
};

Taken taken_so_far(const HttpOptions& options) {
  Taken taken;
  if (options.server_process != 0) taken.server = processor_seconds(options.server_process);
  taken.client = own_processor_seconds();
  if (!options.sync_file.empty()) taken.syncs = sync_counts(options.sync_file);
  return taken;
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
  return id_in(json_of(ask(server, post_text(server, {algorithm, name, "", true}), 201)));
}

HttpResult measure_http(const HttpOptions& options) {
  const bool issues = options.call == Call::certificate;
  CrowdLoad load;
  load.endpoint = endpoint_of(options.server.url);
  load.clients = options.clients;
  load.warm_up = options.warm_up;
  load.requests = options.operations;
  load.per_second = options.per_second;
  load.expected_status = issues ? 201 : 200;
  std::vector<std::string> answers;  // read once the clock has stopped
  answers.reserve(issues ? options.warm_up + options.operations : 0);
  Taken before;
  const auto crowd = run_crowd(
      load, requests_of(options),
      [&](const LeanClient& client) {
        if (issues) answers.emplace_back(client.body());
      },
      [&] { before = taken_so_far(options); });
  const Taken after = taken_so_far(options);

  HttpResult result;
  result.loop = crowd.loop;
  result.errors = crowd.errors;
  result.first_error = crowd.first_error;
  result.server_seconds = after.server - before.server;
  result.client_seconds = after.client - before.client;
  result.syncs = {after.syncs.store - before.syncs.store, after.syncs.others - before.syncs.others};
  for (const auto& answer : answers) result.ids.insert(id_in(json_of(answer)));
  return result;
}

}  // namespace hsmsigner::bench
