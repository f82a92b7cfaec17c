// Counts requests as they are answered: a few atomic operations each, no search by name.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace hsmsigner::metrics {

// What requests are told apart by, beside their status.
struct RequestLabels {
  std::string route;
  std::string method;
};

// Thread safe.
class RequestMetrics {
 public:
  // Requests of slot i have the labels[i]. No two are the same.
  explicit RequestMetrics(std::vector<RequestLabels> labels);
  ~RequestMetrics();
  RequestMetrics(const RequestMetrics&) = delete;
  RequestMetrics& operator=(const RequestMetrics&) = delete;

  // Throws std::out_of_range for a slot that is none and for a status outside 100 to 599. The first call of a slot and
  // status makes their series, which takes a lock and memory; all later ones find it in an array.
  void answered(std::size_t slot, int status, std::chrono::duration<double> took);

  // Under way as long as this exists.
  class UnderWay {
   public:
    explicit UnderWay(RequestMetrics& metrics) noexcept;
    ~UnderWay();
    UnderWay(const UnderWay&) = delete;
    UnderWay& operator=(const UnderWay&) = delete;

   private:
    RequestMetrics& metrics_;
  };

 private:
  friend class Exposition;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hsmsigner::metrics
