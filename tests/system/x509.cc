#include "system/x509.h"

#include <ctime>
#include <iomanip>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "support/command.h"
#include "support/temporary_directory.h"

namespace system_test {
namespace {

using test_support::must_run;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

long long seconds(const std::string& date) {  // "notAfter=2026-11-24 08:33:44Z"
  std::tm parts{};
  std::istringstream in(date.substr(date.find('=') + 1));
  in >> std::get_time(&parts, "%Y-%m-%d %H:%M:%SZ");
  if (in.fail()) throw std::runtime_error("no date: " + date);
  return static_cast<long long>(::timegm(&parts));
}

}  // namespace

std::string x509(const std::string& pem, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"openssl", "x509", "-noout"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return trimmed(must_run(command, pem));
}

std::string x509_text(const std::string& pem) { return x509(pem, {"-text", "-nameopt", "oneline,utf8,-esc_msb"}); }

std::string extension(const std::string& pem, const std::string& name) {
  const std::string text = x509(pem, {"-text"});
  std::istringstream lines(text);
  std::string result;
  bool inside = false;
  std::size_t depth = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (inside) {
      if (indent == std::string::npos || indent <= depth) break;
      result += (result.empty() ? "" : " ") + trimmed(line);
    } else if (indent != std::string::npos && line.compare(indent, name.size() + 1, name + ":") == 0) {
      inside = true;
      depth = indent;
      result = trimmed(line.substr(indent + name.size() + 1));
    }
  }
  return result;
}

long long not_before(const std::string& pem) { return seconds(x509(pem, {"-startdate", "-dateopt", "iso_8601"})); }
long long not_after(const std::string& pem) { return seconds(x509(pem, {"-enddate", "-dateopt", "iso_8601"})); }

std::string public_key(const std::string& pem) {
  const std::string text = x509_text(pem);
  std::smatch algorithm;
  std::smatch bits;
  if (!std::regex_search(text, algorithm, std::regex("Public Key Algorithm: (\\S+)")) ||
      !std::regex_search(text, bits, std::regex("Public-Key: \\((\\d+) bit"))) {
    throw std::runtime_error("no public key in " + text);
  }
  return algorithm[1].str() + " " + bits[1].str();
}

std::string verify(const std::string& pem, const std::string& intermediates, const std::string& root) {
  const test_support::TemporaryDirectory directory;
  std::vector<std::string> command = {"openssl",     "verify",  "-x509_strict",
                                      "-auth_level", "0",       "-no-CApath",
                                      "-no-CAstore", "-CAfile", directory.write("root.pem", root)};
  if (!intermediates.empty()) {
    command.insert(command.end(), {"-untrusted", directory.write("intermediates.pem", intermediates)});
  }
  command.push_back(directory.write("subject.pem", pem));
  const test_support::CommandResult result = test_support::run_command(command);
  return result.exit_code == 0 ? "" : result.out;
}

}  // namespace system_test
