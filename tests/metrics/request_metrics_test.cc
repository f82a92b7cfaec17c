// Requests as they are counted, by many threads at once.
#include "metrics/request_metrics.h"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "metrics/exposition.h"

using namespace hsmsigner::metrics;
using std::chrono::duration;
using std::chrono::milliseconds;

namespace {

const std::vector<RequestLabels> kLabels{{"/a", "GET"}, {"/a", "POST"}, {"/b/{id}", "GET"}};

// 0 when there is no such series.
double value_in(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  }
  return 0;
}

std::string text_of(const RequestMetrics& requests) { return Exposition().text(requests); }

}  // namespace

TEST_CASE("a request is counted by route, method and status, and its time falls into its buckets") {
  RequestMetrics requests(kLabels);
  requests.answered(1, 201, milliseconds(3));
  requests.answered(1, 201, milliseconds(40));
  requests.answered(1, 503, std::chrono::seconds(31));
  requests.answered(2, 404, duration<double>(0.0005));
  const std::string text = text_of(requests);
  CHECK(value_in(text, R"(hsm_signer_http_requests_total{code="201",method="POST",route="/a"})") == 2);
  CHECK(value_in(text, R"(hsm_signer_http_requests_total{code="503",method="POST",route="/a"})") == 1);
  CHECK(value_in(text, R"(hsm_signer_http_requests_total{code="404",method="GET",route="/b/{id}"})") == 1);
  CHECK(text.find(R"(method="GET",route="/a")") == std::string::npos);
  const auto bucket = [&](const std::string& most, const std::string& labels = R"(method="POST",route="/a")") {
    return value_in(text, "hsm_signer_http_request_duration_seconds_bucket{" + labels + ",le=\"" + most + "\"}");
  };
  CHECK(bucket("0.0025") == 0);
  CHECK(bucket("0.005") == 1);
  CHECK(bucket("0.05") == 2);
  CHECK(bucket("30") == 2);
  CHECK(bucket("+Inf") == 3);
  CHECK(bucket("0.0005", R"(method="GET",route="/b/{id}")") == 1);  // at most: the bound itself belongs to it
  CHECK(value_in(text, R"(hsm_signer_http_request_duration_seconds_sum{method="POST",route="/a"})") ==
        doctest::Approx(31.043));
}

TEST_CASE("a request is under way until its guard goes") {
  RequestMetrics requests(kLabels);
  const std::string series = "hsm_signer_http_requests_in_flight";
  CHECK(text_of(requests).find("\n" + series + " 0\n") != std::string::npos);
  {
    const RequestMetrics::UnderWay one(requests);
    const RequestMetrics::UnderWay two(requests);
    CHECK(value_in(text_of(requests), series) == 2);
  }
  CHECK(text_of(requests).find("\n" + series + " 0\n") != std::string::npos);
}

TEST_CASE("no other slot and no other status") {
  RequestMetrics requests(kLabels);
  CHECK_THROWS_AS(requests.answered(3, 200, milliseconds(1)), std::out_of_range);
  for (const int status : {-1, 0, 99, 600, 1000}) {
    CHECK_THROWS_AS(requests.answered(0, status, milliseconds(1)), std::out_of_range);
  }
  requests.answered(0, 100, milliseconds(1));
  requests.answered(0, 599, milliseconds(1));
  CHECK(value_in(text_of(requests), R"(hsm_signer_http_requests_total{code="599",method="GET",route="/a"})") == 1);
}

TEST_CASE("64 threads lose no count, whoever is the first to make a series, and every scrape is whole") {
  constexpr int kThreads = 64;
  constexpr int kEach = 3000;
  RequestMetrics requests(kLabels);
  std::barrier all_at_once(kThreads + 1);
  std::atomic<int> at_work = kThreads;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      all_at_once.arrive_and_wait();
      for (int j = 0; j < kEach; ++j) {
        const RequestMetrics::UnderWay under_way(requests);
        requests.answered(static_cast<std::size_t>(j % 3), 200 + j % 2, milliseconds(j % 10));
      }
      --at_work;
    });
  }
  const std::string duration_of = "hsm_signer_http_request_duration_seconds";
  const std::string labels = R"(method="GET",route="/a")";
  all_at_once.arrive_and_wait();
  double last = 0;
  while (at_work > 0) {
    const std::string text = text_of(requests);
    const double count = value_in(text, duration_of + "_count{" + labels + "}");
    CHECK(count >= last);
    CHECK(value_in(text, duration_of + "_bucket{" + labels + ",le=\"+Inf\"}") == count);
    CHECK(value_in(text, "hsm_signer_http_requests_in_flight") <= kThreads);
    last = count;
  }
  threads.clear();
  const std::string text = text_of(requests);
  for (const RequestLabels& each : kLabels) {
    const std::string of = "method=\"" + each.method + "\",route=\"" + each.route + "\"";
    for (const char* code : {"200", "201"}) {
      CHECK(value_in(text, "hsm_signer_http_requests_total{code=\"" + std::string(code) + "\"," + of + "}") ==
            kThreads * kEach / 6);
    }
    CHECK(value_in(text, duration_of + "_count{" + of + "}") == kThreads * kEach / 3);
  }
  CHECK(text.find("\nhsm_signer_http_requests_in_flight 0\n") != std::string::npos);
}
