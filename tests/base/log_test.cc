#include "base/log.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_directory.h"

using namespace hsmsigner;

namespace {

// Standard error of this process, into a file while the object lives.
class CapturedStderr {
 public:
  CapturedStderr() : saved_(::dup(2)) {
    const std::string path = directory_.write("stderr", "");
    if (std::FILE* file = std::fopen(path.c_str(), "a")) {
      ::dup2(::fileno(file), 2);
      std::fclose(file);
    }
  }
  ~CapturedStderr() {
    ::dup2(saved_, 2);
    ::close(saved_);
  }
  std::vector<std::string> lines() const {
    std::istringstream text(test_support::read_file(directory_.file("stderr")));
    std::vector<std::string> result;
    for (std::string line; std::getline(text, line);) result.push_back(line);
    return result;
  }

 private:
  test_support::TemporaryDirectory directory_;
  int saved_;
};

}  // namespace

TEST_CASE("a JSON log line is one valid JSON object whatever the values hold") {
  const std::string nasty = "a\"b\\c\nd\re\tf\x01\x7f {} {0} %s \xc3\xa4\xe2\x82\xac";
  std::vector<std::string> lines;
  {
    const CapturedStderr captured;
    log::configure(log::Level::info, log::Format::json);
    log::info("key destroyed", {{"text", nasty}, {"na\"me", "x"}, {"count", 42}, {"rate", 0.5}, {"ok", true}});
    log::debug("not seen");
    lines = captured.lines();
  }
  REQUIRE(lines.size() == 1);
  rapidjson::Document json;
  json.Parse<rapidjson::kParseValidateEncodingFlag>(lines[0].c_str());
  REQUIRE_FALSE(json.HasParseError());
  CHECK(std::string(json["event"].GetString()) == "key destroyed");
  CHECK(std::string(json["level"].GetString()) == "info");
  CHECK(std::string(json["text"].GetString()) == nasty);
  CHECK(std::string(json["na\"me"].GetString()) == "x");
  CHECK(json["count"].GetInt() == 42);
  CHECK(json["rate"].GetDouble() == doctest::Approx(0.5));
  CHECK(json["ok"].GetBool());
  CHECK(std::string(json["time"].GetString()).ends_with("Z"));
}

TEST_CASE("a line break in a value cannot forge a line of the text log") {
  std::vector<std::string> lines;
  {
    const CapturedStderr captured;
    log::configure(log::Level::warning, log::Format::text);
    log::info("not seen");
    log::error("failed", {{"name", "x\n2026-01-01T00:00:00.000Z info all is well"}});
    lines = captured.lines();
  }
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(" error failed name=\"x\\u000a2026") != std::string::npos);
}

TEST_CASE("threads do not mix their lines") {
  std::vector<std::string> lines;
  {
    const CapturedStderr captured;
    log::configure(log::Level::info, log::Format::json);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 100; ++i) log::info("tick", {{"thread", t}, {"filler", std::string(200, 'x')}});
      });
    }
    for (std::thread& thread : threads) thread.join();
    lines = captured.lines();
  }
  CHECK(lines.size() == 400);
  for (const std::string& line : lines) {
    rapidjson::Document json;
    CHECK_FALSE(json.Parse(line.c_str()).HasParseError());
  }
}

TEST_CASE("a context stands in every line of its thread, and of no other") {
  std::vector<std::string> lines;
  {
    const CapturedStderr captured;
    log::configure(log::Level::info, log::Format::json);
    {
      const log::Context context("request_id", "r-1");
      log::info("one", {{"count", 1}});
      std::thread([] { log::info("two"); }).join();
    }
    log::info("three");
    lines = captured.lines();
  }
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find(R"("event":"one","request_id":"r-1","count":1})") != std::string::npos);
  CHECK(lines[1].find("request_id") == std::string::npos);
  CHECK(lines[2].find("request_id") == std::string::npos);
}
