#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "report.h"

namespace hsmsigner::bench {
namespace {

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void write_circumstances(Writer& writer, const Circumstances& circumstances) {
  const Machine& machine = circumstances.machine;
  writer.Key("started"), writer.String(circumstances.started);
  writer.Key("mode"), writer.String(circumstances.mode);
  writer.Key("machine");
  writer.StartObject();
  writer.Key("cores"), writer.Int64(machine.cores);
  writer.Key("cpu"), writer.String(machine.cpu);
  writer.Key("memory_mib"), writer.Int64(machine.memory_mib);
  writer.Key("kernel"), writer.String(machine.kernel);
  writer.Key("load_at_start"), writer.String(circumstances.load_average);
  writer.EndObject();
  writer.Key("versions");
  writer.StartObject();
  writer.Key("server"), writer.String(circumstances.server_version);
  writer.Key("commit"), writer.String(circumstances.commit);
  writer.Key("module"), writer.String(circumstances.module);
  writer.Key("softhsm"), writer.String(circumstances.softhsm);
  writer.Key("openssl"), writer.String(circumstances.openssl);
  writer.Key("compiler"), writer.String(circumstances.compiler);
  writer.EndObject();
  writer.Key("token"), writer.String(circumstances.token_place);
}

void write_verdicts(Writer& writer, const std::vector<Verdict>& verdicts) {
  writer.StartArray();
  for (const auto& verdict : verdicts) {
    writer.StartObject();
    writer.Key("name"), writer.String(verdict.name);
    writer.Key("what"), writer.String(verdict.what);
    writer.Key("unit"), writer.String(verdict.unit);
    writer.Key(verdict.at_most ? "at_most" : "at_least"), writer.Double(verdict.goal);
    if (verdict.value) writer.Key("value"), writer.Double(*verdict.value);
    if (verdict.floor) {
      writer.Key("floor"), writer.Double(*verdict.floor);
      writer.Key("floor_is"), writer.String(verdict.floor_is);
    }
    writer.Key("met"), writer.Bool(verdict.met());
    writer.EndObject();
  }
  writer.EndArray();
}

void write_row(Writer& writer, const Row& row) {
  const auto& sample = row.median;
  writer.StartObject();
  writer.Key("algorithm"), writer.String(sample.algorithm);
  writer.Key("keys"), writer.Uint64(sample.keys);
  writer.Key("side"), writer.String(sample.side);
  writer.Key("work"), writer.String(sample.work);
  writer.Key("concurrency"), writer.Uint(sample.concurrency);
  if (sample.asked_rate > 0) writer.Key("asked_rate"), writer.Double(sample.asked_rate);
  writer.Key("rounds"), writer.Uint64(row.rounds);
  writer.Key("operations_per_round"), writer.Uint64(sample.operations);
  writer.Key("rate"), writer.Double(sample.rate);
  writer.Key("rate_slowest_round"), writer.Double(row.slowest_round);
  writer.Key("rate_fastest_round"), writer.Double(row.fastest_round);
  writer.Key("ratio_to_best_raw"), writer.Double(row.ratio);
  writer.Key("p50_ms"), writer.Double(sample.p50_ms);
  writer.Key("p99_ms"), writer.Double(sample.p99_ms);
  writer.Key("p999_ms"), writer.Double(sample.p999_ms);
  if (sample.side == "http") {
    writer.Key("server_cpu_us"), writer.Double(sample.server_cpu_us);
    writer.Key("client_cpu_us"), writer.Double(sample.client_cpu_us);
    writer.Key("store_syncs"), writer.Double(sample.store_syncs);
    writer.Key("other_syncs"), writer.Double(sample.other_syncs);
  }
  writer.Key("errors"), writer.Uint64(sample.errors);
  writer.Key("objects_before"), writer.Uint64(sample.objects_before);
  writer.Key("objects_after"), writer.Uint64(sample.objects_after);
  writer.EndObject();
}

}  // namespace

std::string to_json(const Report& report, const std::vector<Verdict>& verdicts, const Circumstances& circumstances,
                    const std::string& growth) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.SetIndent(' ', 1);
  writer.SetFormatOptions(rapidjson::kFormatSingleLineArray);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  write_circumstances(writer, circumstances);
  writer.Key("figures");
  write_verdicts(writer, verdicts);
  writer.Key("results");
  writer.StartArray();
  for (const auto& row : report.rows) write_row(writer, row);
  writer.EndArray();
  writer.Key("overhead");
  writer.StartArray();
  for (const auto& overhead : report.overheads) {
    writer.StartObject();
    writer.Key("algorithm"), writer.String(overhead.algorithm);
    writer.Key("keys"), writer.Uint64(overhead.keys);
    writer.Key("raw_p50_ms"), writer.Double(overhead.raw_p50_ms);
    writer.Key("http_p50_ms"), writer.Double(overhead.http_p50_ms);
    writer.Key("overhead_ms"), writer.Double(overhead.overhead_ms);
    writer.EndObject();
  }
  writer.EndArray();
  if (!growth.empty()) {
    writer.Key("growth");
    writer.RawValue(growth.data(), growth.size(), rapidjson::kObjectType);
  }
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

}  // namespace hsmsigner::bench
