#include "growth.h"

#include <rapidjson/document.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

#include "base/file_descriptor.h"
#include "base/uuid.h"
#include "lean_client.h"
#include "server_process.h"
#include "store_fill.h"

namespace hsmsigner::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kPage = 50;  // half of the smallest store, so that every page is full at every size
constexpr unsigned kClients = 64;
constexpr unsigned kMixedClients = 8;

std::string escaped(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '+');
  return text;
}

void require(const LeanClient& client, int status, const std::string& what) {
  if (client.status() == status) return;
  throw std::runtime_error(what + ": status " + std::to_string(client.status()) + ": " + std::string(client.body()));
}

rapidjson::Document json_of(const LeanClient& client) {
  rapidjson::Document document;
  document.Parse(client.body().data(), client.body().size());
  if (document.HasParseError() || !document.IsObject()) throw std::runtime_error("an answer that is no JSON object");
  return document;
}

class Caller {
 public:
  explicit Caller(const GrowthOptions& options) : options_(options), client_(endpoint_of(options.server.url)) {}

  // Waits for the answer, which must have this status.
  const LeanClient& call(const std::string& method, const std::string& target, int status,
                         const std::string& body = {}) {
    return call_as(options_.server.authorization, method, target, status, body);
  }
  const LeanClient& call_as(const std::string& authorization, const std::string& method, const std::string& target,
                            int status, const std::string& body = {}) {
    client_.send(request_text(method, target, authorization, body));
    client_.wait();
    require(client_, status, method + " " + target);
    return client_;
  }
  const LeanClient& list_as(const std::string& authorization, std::size_t offset, const std::string& filter = {}) {
    return call_as(authorization, "GET",
                   "/certificates?limit=" + std::to_string(kPage) + "&offset=" + std::to_string(offset) + filter, 200);
  }
  std::size_t total_as(const std::string& authorization, const std::string& filter = {}) {
    return json_of(list_as(authorization, 0, filter))["total"].GetUint64();
  }
  std::string id_of(std::size_t i) {
    const auto document = json_of(call("GET", by_name(i), 200));
    return document["data"][0]["id"].GetString();
  }
  std::string by_name(std::size_t i) const {
    const char* folder = kFilledFolders[i % std::size(kFilledFolders)];
    return "/certificates?folder=" + escaped(folder) + "&name=" + escaped(filled_name(i));
  }
  std::string issue(const std::string& name) {
    const auto& answer = call("POST", "/certificates", 201,
                              R"({"folder":"Bench","certificate_name":")" + name +
                                  R"(","common_name":"bench.example.com","algorithm":{"ecdsa_number_of_bits":256},)" +
                                  R"("digest":"sha256","signed_by":")" + options_.authority + "\"}");
    return json_of(answer)["id"].GetString();
  }
  void remove(const std::string& id) { call("DELETE", "/certificates/" + id, 200); }

 private:
  const GrowthOptions& options_;
  LeanClient client_;
};

class Stopwatch {
 public:
  void time(const std::function<void()>& work) {
    const auto begin = SteadyClock::now();
    work();
    microseconds_.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
  }
  double p50() const { return median_of(microseconds_); }

 private:
  std::vector<double> microseconds_;
};

// Some of the filled certificates, the same for each size as far as there are so many.
std::vector<std::size_t> some_of(std::size_t certificates, std::size_t count) {
  std::mt19937_64 random(1);
  std::vector<std::size_t> chosen(count);
  for (std::size_t& i : chosen) i = random() % certificates;
  return chosen;
}

// One thread drives all connections: on the server's side they are as many clients.
double gets_per_second(const GrowthOptions& options, const std::vector<std::string>& ids) {
  const Endpoint endpoint = endpoint_of(options.server.url);
  std::vector<std::string> requests;
  for (const std::string& id : ids) {
    requests.push_back(request_text("GET", "/certificates/" + id, options.server.authorization));
  }
  const FileDescriptor poll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<std::unique_ptr<LeanClient>> clients;
  std::size_t next = 0;
  for (unsigned i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<LeanClient>(endpoint));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, clients.back()->socket(), &event) != 0) {
      throw std::runtime_error("epoll_ctl failed");
    }
    clients.back()->send(requests[next++ % requests.size()]);
  }
  const auto warm = SteadyClock::now() + std::chrono::duration<double>(options.load_seconds / 5);
  const auto end = warm + std::chrono::duration<double>(options.load_seconds);
  std::size_t answered = 0;
  auto now = SteadyClock::now();
  for (; now < end; now = SteadyClock::now()) {
    std::array<epoll_event, kClients> events{};
    const int count = ::epoll_wait(poll.get(), events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < count; ++i) {
      LeanClient& client = *clients[events[static_cast<std::size_t>(i)].data.u32];
      if (!client.receive()) continue;
      require(client, 200, "GET by id");
      if (now >= warm) ++answered;
      client.send(requests[next++ % requests.size()]);
    }
  }
  for (const auto& client : clients) client->wait();
  return static_cast<double>(answered) / std::chrono::duration<double>(now - warm).count();
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

std::vector<Figure> measure_growth(const GrowthOptions& options) {
  Caller caller(options);
  const std::string& everyone = options.server.authorization;
  const std::string& scoped = options.scoped_authorization;
  const std::string container = std::string("&folder=") + escaped(kFilledFolders[0]);
  const std::size_t total = caller.total_as(everyone);
  const std::size_t container_total = caller.total_as(everyone, container);
  const std::size_t scoped_total = caller.total_as(scoped);
  if (scoped_total != options.certificates) throw std::runtime_error("the store holds another number of certificates");

  const std::vector<std::size_t> chosen = some_of(options.certificates, options.reads);
  std::vector<std::string> ids;
  for (const std::size_t i : chosen) ids.push_back(caller.id_of(i));

  struct Read {
    const char* name;
    std::function<void(std::size_t)> call;
  };
  const std::vector<Read> reads = {
      {"get_by_id", [&](std::size_t i) { caller.call("GET", "/certificates/" + ids[i], 200); }},
      {"get_by_name", [&](std::size_t i) { caller.call("GET", caller.by_name(chosen[i]), 200); }},
      {"list_first_page", [&](std::size_t) { caller.list_as(everyone, 0); }},
      {"list_middle_page", [&](std::size_t) { caller.list_as(everyone, total / 2 - kPage / 2); }},
      {"list_last_page", [&](std::size_t) { caller.list_as(everyone, total - kPage); }},
      {"list_container_first_page", [&](std::size_t) { caller.list_as(everyone, 0, container); }},
      {"list_container_last_page", [&](std::size_t) { caller.list_as(everyone, container_total - kPage, container); }},
      {"list_two_containers_first_page", [&](std::size_t) { caller.list_as(scoped, 0); }},
      {"list_two_containers_last_page", [&](std::size_t) { caller.list_as(scoped, scoped_total - kPage); }},
  };
  std::vector<Stopwatch> watches(reads.size());
  // In turns, so that what the machine does meanwhile falls on all alike.
  for (std::size_t i = 0; i < options.reads; ++i) {
    for (std::size_t kind = 0; kind < reads.size(); ++kind) watches[kind].time([&] { reads[kind].call(i); });
  }
  std::vector<Figure> figures;
  const auto add = [&](const std::string& name, double value) {
    figures.push_back({name, options.certificates, 0, value});
  };
  for (std::size_t kind = 0; kind < reads.size(); ++kind) {
    add(std::string(reads[kind].name) + "_p50_us", watches[kind].p50());
  }

  const std::string run = Uuid::random().to_string();
  Stopwatch issue, remove;
  std::vector<std::string> issued;
  for (std::size_t i = 0; i < options.writes; ++i) {
    issue.time([&] { issued.push_back(caller.issue("growth " + run + " " + std::to_string(i))); });
  }
  for (const std::string& id : issued) remove.time([&] { caller.remove(id); });
  add("post_p256_p50_us", issue.p50());
  add("delete_p50_us", remove.p50());
  add("get_by_id_64_clients_per_second", gets_per_second(options, ids));
  return figures;
}

std::vector<Figure> measure_flatness(const FlatnessOptions& options) {
  const auto begin = SteadyClock::now();
  const auto end = begin + std::chrono::duration<double>(options.seconds);
  std::atomic<std::size_t> calls{0};
  std::atomic<std::size_t> issued{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;  // written by the one that set `failed`
  std::vector<std::thread> clients;
  for (unsigned number = 0; number < kMixedClients; ++number) {
    clients.emplace_back([&, number] {
      try {
        Caller caller(options.calls);
        const std::string run = Uuid::random().to_string();
        std::mt19937_64 random(number);
        for (std::size_t i = 0; SteadyClock::now() < end && !failed; ++i) {
          switch (i % 10) {
            case 0: caller.list_as(options.calls.server.authorization, random() % options.calls.certificates); break;
            case 1: caller.list_as(options.calls.scoped_authorization, random() % options.calls.certificates); break;
            case 2:
              caller.remove(caller.issue("flat " + run + " " + std::to_string(i)));
              ++issued;
              break;
            default: caller.call("GET", caller.by_name(random() % options.calls.certificates), 200);
          }
          ++calls;
        }
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    });
  }
  std::vector<double> resident;
  std::vector<double> keys;  // made and destroyed by then
  const auto between = std::chrono::duration<double>(options.seconds / 200);
  while (SteadyClock::now() < end && !failed) {
    std::this_thread::sleep_for(between);
    resident.push_back(resident_megabytes(options.server_process));
    keys.push_back(static_cast<double>(issued));
  }
  for (std::thread& client : clients) client.join();
  if (failure) std::rethrow_exception(failure);

  const std::size_t warm = resident.size() / 10;
  const auto quarter = static_cast<std::ptrdiff_t>((resident.size() - warm) / 4);
  const auto start_of = [&](const std::vector<double>& all) {
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(warm);
    return median_of({first, first + quarter});
  };
  const auto end_of = [&](const std::vector<double>& all) { return median_of({all.end() - quarter, all.end()}); };
  const std::size_t size = options.calls.certificates;
  return {{"resident_start_mb", size, 0, start_of(resident)},
          {"resident_end_mb", size, 0, end_of(resident)},
          {"keys_between", size, 0, end_of(keys) - start_of(keys)},
          {"resident_largest_mb", size, 0, *std::max_element(resident.begin(), resident.end())},
          {"mixed_calls_per_second", size, 0,
           static_cast<double>(calls) / std::chrono::duration<double>(SteadyClock::now() - begin).count()}};
}

}  // namespace hsmsigner::bench
