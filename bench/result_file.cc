#include "result_file.h"

#include <rapidjson/document.h>

#include <cstdio>
#include <map>
#include <stdexcept>
#include <string_view>

#include "report.h"

namespace hsmsigner::bench {
namespace {

rapidjson::Document parsed(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json);
  if (document.HasParseError() || !document.IsObject()) throw std::runtime_error("a result that is no JSON object");
  return document;
}

std::string text_of(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsString() ? found->value.GetString() : "";
}

// 0 for none.
double number_of(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found != object.MemberEnd() && found->value.IsNumber() ? found->value.GetDouble() : 0;
}

const rapidjson::Value& part_of(const rapidjson::Value& object, const char* name, rapidjson::Type type) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || found->value.GetType() != type) {
    throw std::runtime_error(std::string("a result without ") + name);
  }
  return found->value;
}

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  return text;
}

}  // namespace

Result result_from_json(const std::string& json) {
  const auto document = parsed(json);
  Result result;
  result.started = text_of(document, "started");
  result.mode = document.HasMember("mode") ? text_of(document, "mode") : "full";
  const auto& machine = part_of(document, "machine", rapidjson::kObjectType);
  result.machine =
      std::to_string(static_cast<long>(number_of(machine, "cores"))) + " cores, " + text_of(machine, "cpu");
  result.commit = text_of(part_of(document, "versions", rapidjson::kObjectType), "commit");
  if (document.HasMember("figures")) {
    for (const auto& figure : part_of(document, "figures", rapidjson::kArrayType).GetArray()) {
      if (figure.HasMember("value")) result.numbers.emplace_back(text_of(figure, "name"), number_of(figure, "value"));
    }
  }
  for (const auto& row : part_of(document, "results", rapidjson::kArrayType).GetArray()) {
    Sample sample;
    sample.work = text_of(row, "work");
    sample.concurrency = static_cast<unsigned>(number_of(row, "concurrency"));
    sample.asked_rate = number_of(row, "asked_rate");
    const std::string what = text_of(row, "algorithm") + " at " +
                             std::to_string(static_cast<long>(number_of(row, "keys"))) + ": " + label(sample);
    result.numbers.emplace_back(what + ", per s", number_of(row, "rate"));
    result.numbers.emplace_back(what + ", p99 ms", number_of(row, "p99_ms"));
  }
  return result;
}

GrowthFigures growth_figures(const std::string& json) {
  const auto document = parsed(json);
  GrowthFigures figures;
  for (const auto& figure : part_of(document, "figures", rapidjson::kObjectType).GetObject()) {
    if (!figure.value.IsObject()) continue;
    std::size_t largest = 0;
    for (const auto& [name, value] : figure.value.GetObject()) {
      if (std::string_view(name.GetString()) == "ratio") {
        figures.ratios[figure.name.GetString()] = value.GetDouble();
      } else if (const std::size_t size = std::stoul(name.GetString()); size >= largest) {
        largest = size;
        figures.large[figure.name.GetString()] = value.GetDouble();
      }
    }
  }
  return figures;
}

void print_comparison(std::ostream& out, const Result& before, const Result& now) {
  out << "\ncompared with " << before.started << " at " << before.commit << "\n";
  if (before.machine != now.machine) out << "  made on another machine: " << before.machine << "\n";
  std::map<std::string, double> earlier(before.numbers.begin(), before.numbers.end());
  char line[256];
  std::snprintf(line, sizeof line, "  %-56s %11s %11s %9s\n", "", "before", "now", "change");
  out << line;
  for (const auto& [what, value] : now.numbers) {
    const auto found = earlier.find(what);
    if (found == earlier.end() || found->second == 0) continue;
    std::snprintf(line, sizeof line, "  %-56s %11.6g %11.6g %+8.1f %%\n", what.c_str(), found->second, value,
                  (value / found->second - 1) * 100);
    out << line;
  }
}

void print_markdown(std::ostream& out, const std::string& json) {
  const auto document = parsed(json);
  out << "| figure | reached | goal | floor |\n| --- | --- | --- | --- |\n";
  for (const auto& figure : part_of(document, "figures", rapidjson::kArrayType).GetArray()) {
    if (!figure.HasMember("value")) continue;
    const bool at_most = figure.HasMember("at_most");
    const std::string unit = text_of(figure, "unit");
    const auto with_unit = [&](double value) { return rounded(value) + (unit.empty() ? "" : " " + unit); };
    out << "| " << text_of(figure, "what") << " | " << with_unit(number_of(figure, "value"))
        << (figure["met"].IsTrue() ? "" : " (missed)") << " | " << (at_most ? "≤ " : "≥ ")
        << with_unit(number_of(figure, at_most ? "at_most" : "at_least")) << " | ";
    if (figure.HasMember("floor")) {
      out << rounded(number_of(figure, "floor")) << " " << text_of(figure, "floor_is");
    }
    out << " |\n";
  }
}

}  // namespace hsmsigner::bench
