#include "sample.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace hsmsigner::bench {
namespace {

// Nearest rank (the smallest value that at least this share of all values does not exceed).
double percentile(const std::vector<double>& ascending, double share) {
  if (ascending.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size())));
  return ascending[std::min(ascending.size(), std::max<std::size_t>(rank, 1)) - 1];
}

const rapidjson::Value& member(const rapidjson::Document& document, const char* name) {
  const auto found = document.FindMember(name);
  if (found == document.MemberEnd()) throw std::runtime_error(std::string("a sample without ") + name);
  return found->value;
}

std::string text(const rapidjson::Document& document, const char* name) {
  const auto& value = member(document, name);
  if (!value.IsString()) throw std::runtime_error(std::string("a sample whose ") + name + " is no text");
  return value.GetString();
}

double number(const rapidjson::Document& document, const char* name) {
  const auto& value = member(document, name);
  if (!value.IsNumber()) throw std::runtime_error(std::string("a sample whose ") + name + " is no number");
  return value.GetDouble();
}

std::size_t count(const rapidjson::Document& document, const char* name) {
  return static_cast<std::size_t>(number(document, name));
}

}  // namespace

void take(Sample& sample, const LoopResult& result) {
  sample.operations = result.latencies_ms.size();
  sample.seconds = result.seconds;
  sample.rate = static_cast<double>(sample.operations) / result.seconds;
  sample.p50_ms = percentile(result.latencies_ms, 0.50);
  sample.p99_ms = percentile(result.latencies_ms, 0.99);
  sample.p999_ms = percentile(result.latencies_ms, 0.999);
}

std::string to_json_line(const Sample& sample) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  writer.Key("side"), writer.String(sample.side);
  writer.Key("work"), writer.String(sample.work);
  writer.Key("algorithm"), writer.String(sample.algorithm);
  writer.Key("concurrency"), writer.Uint(sample.concurrency);
  writer.Key("keys"), writer.Uint64(sample.keys);
  writer.Key("round"), writer.Uint(sample.round);
  writer.Key("operations"), writer.Uint64(sample.operations);
  writer.Key("seconds"), writer.Double(sample.seconds);
  writer.Key("rate"), writer.Double(sample.rate);
  writer.Key("p50_ms"), writer.Double(sample.p50_ms);
  writer.Key("p99_ms"), writer.Double(sample.p99_ms);
  writer.Key("p999_ms"), writer.Double(sample.p999_ms);
  writer.Key("asked_rate"), writer.Double(sample.asked_rate);
  writer.Key("server_cpu_us"), writer.Double(sample.server_cpu_us);
  writer.Key("client_cpu_us"), writer.Double(sample.client_cpu_us);
  writer.Key("store_syncs"), writer.Double(sample.store_syncs);
  writer.Key("other_syncs"), writer.Double(sample.other_syncs);
  writer.Key("errors"), writer.Uint64(sample.errors);
  writer.Key("objects_before"), writer.Uint64(sample.objects_before);
  writer.Key("objects_after"), writer.Uint64(sample.objects_after);
  writer.EndObject();
  return buffer.GetString();
}

Sample sample_from_json(const std::string& line) {
  rapidjson::Document document;
  document.Parse(line);
  if (document.HasParseError() || !document.IsObject()) throw std::runtime_error("a sample that is no JSON object");
  Sample sample;
  sample.side = text(document, "side");
  sample.work = text(document, "work");
  sample.algorithm = text(document, "algorithm");
  sample.concurrency = static_cast<unsigned>(count(document, "concurrency"));
  sample.keys = count(document, "keys");
  sample.round = static_cast<unsigned>(count(document, "round"));
  sample.operations = count(document, "operations");
  sample.seconds = number(document, "seconds");
  sample.rate = number(document, "rate");
  sample.p50_ms = number(document, "p50_ms");
  sample.p99_ms = number(document, "p99_ms");
  sample.p999_ms = number(document, "p999_ms");
  sample.asked_rate = number(document, "asked_rate");
  sample.server_cpu_us = number(document, "server_cpu_us");
  sample.client_cpu_us = number(document, "client_cpu_us");
  sample.store_syncs = number(document, "store_syncs");
  sample.other_syncs = number(document, "other_syncs");
  sample.errors = count(document, "errors");
  sample.objects_before = count(document, "objects_before");
  sample.objects_after = count(document, "objects_after");
  return sample;
}

}  // namespace hsmsigner::bench
