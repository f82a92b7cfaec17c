#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::ErrorKind;

namespace {

constexpr int threads = 8;

template <class Work>
void in_parallel(const Work& work) {
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : running) thread.join();
}

}  // namespace

TEST_CASE("of eight inserts of one name exactly one succeeds") {
  const test_support::TemporaryDirectory directory;
  const auto store = Store::open({.path = directory.file("db")});
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> inserted = 0, refused = 0;
    const std::string name = "name" + std::to_string(round);
    in_parallel([&](int) {
      const auto kind = kind_of([&] { insert(*store, sample_record(name)); });
      if (!kind) ++inserted;
      if (kind == ErrorKind::name_not_unique) ++refused;
    });
    CHECK(inserted == 1);
    CHECK(refused == threads - 1);
    CHECK(store->certificates().find_by_name_anywhere(name, ContainerScope::everything(), 10).size() == 1);
  }
}

TEST_CASE("eight threads insert and read, and all of it is there afterwards") {
  constexpr int each = 25;
  const test_support::TemporaryDirectory directory;
  std::vector<std::vector<CertificateRecord>> records(threads);
  std::atomic<int> failures = 0;
  {
    const auto store = Store::open({.path = directory.file("db"), .readers = 2});
    in_parallel([&](int thread) {
      for (int i = 0; i < each; ++i) {
        auto& mine = records[static_cast<std::size_t>(thread)];
        mine.push_back(sample_record(std::to_string(thread) + "-" + std::to_string(i)));
        const auto kind = kind_of([&] {
          insert(*store, mine.back());
          if (!store->certificates().find(mine.back().id)) ++failures;
          if (store->certificates().list(ContainerScope::everything(), std::nullopt, 0, 1).total < mine.size())
            ++failures;
        });
        if (kind) ++failures;
      }
    });
  }
  CHECK(failures == 0);
  const auto store = Store::open({.path = directory.file("db")});
  CHECK(store->certificates().list(ContainerScope::everything(), std::nullopt, 0, 0).total == threads * each);
  for (const auto& mine : records) {
    for (const CertificateRecord& record : mine) CHECK(store->certificates().find(record.id).has_value());
  }
}
