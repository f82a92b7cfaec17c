#include "growth_commands.h"

#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "growth.h"
#include "http_load.h"
#include "store_fill.h"

namespace hsmsigner::bench {
namespace {

struct Arguments {
  GrowthOptions options;
  std::string store;
  std::string issuer;
  std::string authorization_file;
  std::string scoped_authorization_file;
  unsigned round = 0;
  double seconds = 600;
  int process = 0;
  std::string figures;
  std::string out;
  std::string commit;
  std::string started;
};

void read_authorizations(Arguments& arguments) {
  arguments.options.server.authorization = authorization_in(arguments.authorization_file);
  arguments.options.scoped_authorization = authorization_in(arguments.scoped_authorization_file);
}

void add_call_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--url", arguments.options.server.url)->required();
  command.add_option("--authorization-file", arguments.authorization_file, "of an account for everything")->required();
  command
      .add_option("--scoped-authorization-file", arguments.scoped_authorization_file,
                  "of one that reads the filled folders only")
      ->required();
  command.add_option("--authority", arguments.options.authority, "name of the CA certificate that signs")->required();
  command.add_option("--certificates", arguments.options.certificates, "that the store was filled with")->required();
}

void fill(const Arguments& arguments) {
  const auto issuer = Uuid::parse(arguments.issuer);
  if (!issuer) throw std::runtime_error("--issuer is no UUID");
  const Filled filled = fill_store(arguments.store, arguments.options.certificates, *issuer);
  std::cerr << "added " << filled.added << " certificates in " << filled.seconds << " s\n";
}

void grow(Arguments& arguments) {
  read_authorizations(arguments);
  for (Figure figure : measure_growth(arguments.options)) {
    figure.round = arguments.round;
    std::cout << to_json_line(figure) << "\n";
  }
}

void stay(Arguments& arguments) {
  read_authorizations(arguments);
  for (const Figure& figure : measure_flatness({arguments.options, arguments.seconds, arguments.process})) {
    std::cout << to_json_line(figure) << "\n";
  }
}

void report(const Arguments& arguments) {
  std::vector<Figure> figures;
  std::ifstream lines(arguments.figures);
  for (std::string line; std::getline(lines, line);) figures.push_back(figure_from_json(line));
  if (figures.empty()) throw std::runtime_error("no figures in " + arguments.figures);
  print_growth(std::cout, figures);
  std::ofstream file(arguments.out);
  file << growth_json(figures, arguments.commit, arguments.started);
  if (!file.flush()) throw std::runtime_error("cannot write " + arguments.out);
}

}  // namespace

void add_growth_commands(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();

  auto* fill_command = app.add_subcommand("fill-store", "add certificates to a store on which no server runs");
  fill_command->add_option("--store", arguments->store, "the database file")->required();
  fill_command->add_option("--issuer", arguments->issuer, "id of a certificate in it that signed them")->required();
  fill_command->add_option("--certificates", arguments->options.certificates, "how many it is to have")->required();
  fill_command->callback([arguments] { fill(*arguments); });

  auto* growth = app.add_subcommand("growth", "p50 of every call at this size; prints lines of JSON");
  add_call_options(*growth, *arguments);
  growth->add_option("--round", arguments->round);
  growth->add_option("--reads", arguments->options.reads, "of each kind");
  growth->add_option("--writes", arguments->options.writes, "POST, and as many DELETE");
  growth->add_option("--load-seconds", arguments->options.load_seconds, "of GET by id with 64 clients");
  growth->callback([arguments] { grow(*arguments); });

  auto* flat = app.add_subcommand("flatness", "the server's memory under load; prints lines of JSON");
  add_call_options(*flat, *arguments);
  flat->add_option("--seconds", arguments->seconds);
  flat->add_option("--process", arguments->process, "the server's process id")->required();
  flat->callback([arguments] { stay(*arguments); });

  auto* table = app.add_subcommand("growth-report", "figures to a table (standard output) and JSON (--out)");
  table->add_option("--figures", arguments->figures, "file of what growth and flatness printed")->required();
  table->add_option("--out", arguments->out)->required();
  table->add_option("--commit", arguments->commit);
  table->add_option("--started", arguments->started);
  table->callback([arguments] { report(*arguments); });
}

}  // namespace hsmsigner::bench
