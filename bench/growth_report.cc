#include <rapidjson/document.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <iomanip>
#include <map>
#include <set>
#include <stdexcept>
#include <thread>

#include "growth.h"

namespace hsmsigner::bench {
namespace {

struct Row {
  std::map<std::size_t, std::map<unsigned, double>> values;  // by size and round

  double at(std::size_t certificates) const {
    std::vector<double> all;
    for (const auto& [round, value] : values.at(certificates)) all.push_back(value);
    return median_of(all);
  }
  // 0 when there is one size only.
  double ratio() const {
    std::vector<double> ratios;
    for (const auto& [round, value] : values.begin()->second) {
      const auto& largest = values.rbegin()->second;
      const auto same = largest.find(round);
      if (values.size() > 1 && same != largest.end() && value > 0) ratios.push_back(same->second / value);
    }
    return ratios.empty() ? 0 : median_of(ratios);
  }
};

struct Table {
  std::vector<std::string> names;  // in the order of their first appearance
  std::map<std::string, Row> rows;
  std::set<std::size_t> sizes;
};

Table table_of(const std::vector<Figure>& figures) {
  Table table;
  for (const Figure& figure : figures) {
    if (!table.rows.contains(figure.name)) table.names.push_back(figure.name);
    table.rows[figure.name].values[figure.certificates][figure.round] = figure.value;
    table.sizes.insert(figure.certificates);
  }
  return table;
}

}  // namespace

std::string to_json_line(const Figure& figure) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  writer.Key("figure"), writer.String(figure.name);
  writer.Key("certificates"), writer.Uint64(figure.certificates);
  writer.Key("round"), writer.Uint(figure.round);
  writer.Key("value"), writer.Double(figure.value);
  writer.EndObject();
  return buffer.GetString();
}

Figure figure_from_json(const std::string& line) {
  rapidjson::Document document;
  document.Parse(line);
  const auto has = [&](const char* name) { return document.HasMember(name); };
  if (document.HasParseError() || !document.IsObject() || !has("figure") || !has("certificates") || !has("round") ||
      !has("value")) {
    throw std::runtime_error("a figure that is none: " + line);
  }
  return {document["figure"].GetString(), document["certificates"].GetUint64(), document["round"].GetUint(),
          document["value"].GetDouble()};
}

void print_growth(std::ostream& out, const std::vector<Figure>& figures) {
  const Table table = table_of(figures);
  out << std::left << std::setw(36) << "figure" << std::right;
  for (const std::size_t size : table.sizes) out << std::setw(14) << ("at " + std::to_string(size));
  out << std::setw(9) << "ratio"
      << "\n"
      << std::fixed;
  for (const std::string& name : table.names) {
    const Row& row = table.rows.at(name);
    out << std::left << std::setw(36) << name << std::right << std::setprecision(1);
    for (const std::size_t size : table.sizes) {
      if (row.values.contains(size)) {
        out << std::setw(14) << row.at(size);
      } else {
        out << std::setw(14) << "";
      }
    }
    if (row.values.size() > 1) out << std::setw(9) << std::setprecision(2) << row.ratio();
    out << "\n";
  }
}

std::string growth_json(const std::vector<Figure>& figures, const std::string& commit, const std::string& started) {
  const Table table = table_of(figures);
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  writer.SetMaxDecimalPlaces(3);
  writer.StartObject();
  writer.Key("commit"), writer.String(commit);
  writer.Key("started"), writer.String(started);
  writer.Key("cores"), writer.Uint(std::thread::hardware_concurrency());
  writer.Key("figures");
  writer.StartObject();
  for (const std::string& name : table.names) {
    const Row& row = table.rows.at(name);
    writer.Key(name);
    writer.StartObject();
    for (const auto& [size, rounds] : row.values) {
      writer.Key(std::to_string(size));
      writer.Double(row.at(size));
    }
    if (row.values.size() > 1) writer.Key("ratio"), writer.Double(row.ratio());
    writer.EndObject();
  }
  writer.EndObject();
  writer.EndObject();
  return std::string(buffer.GetString()) + "\n";
}

}  // namespace hsmsigner::bench
