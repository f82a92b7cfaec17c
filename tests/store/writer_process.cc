// store_writer_process <database> <threads>: inserts records without end and writes "durable <id>" for each, one per
// line, once the store has called it durable. Meant to be killed.
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "sample_record.h"

namespace {

void write_without_end(store_test::Store& store) {
  while (true) {
    const auto record = store_test::sample_record(hsmsigner::Uuid::random().to_string());
    store_test::insert(store, record);
    const std::string line = "durable " + record.id.to_string() + "\n";
    // One unbuffered write: what the parent reads was durable, and lines do not mix.
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto store = store_test::Store::open({.path = argv[1], .readers = 1});
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[2]); ++i) threads.emplace_back([&] { write_without_end(*store); });
  for (std::thread& thread : threads) thread.join();
}
