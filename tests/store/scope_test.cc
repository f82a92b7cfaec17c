// Lists and look-ups that are limited to some containers.
#include <doctest/doctest.h>

#include <limits>

#include "sample_record.h"
#include "support/temporary_directory.h"

using namespace store_test;
using hsmsigner::store::Page;

namespace {

const Container folder_a{ContainerKind::folder, "A"};
const Container folder_b{ContainerKind::folder, "B"};
const Container device_a{ContainerKind::device, "A"};
const Container device_b{ContainerKind::device, "B"};

struct Fixture {
  test_support::TemporaryDirectory directory;
  std::unique_ptr<Store> opened = Store::open({.path = directory.file("db"), .readers = 2});
  CertificateStore& store = opened->certificates();
};

// "name@folder:A"
std::vector<std::string> places(const std::vector<CertificateRecord>& records) {
  std::vector<std::string> texts;
  texts.reserve(records.size());
  for (const CertificateRecord& record : records) texts.push_back(record.name + "@" + record.container.to_string());
  return texts;
}

using Places = std::vector<std::string>;

ContainerScope only(std::vector<Container> containers) { return {false, std::move(containers)}; }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a list holds and counts what its scope holds, and nothing else") {
  for (const Container& container : {folder_a, folder_b, device_a, device_b}) {
    for (const char* name : {"y", "x"}) insert(store, sample_record(name, container));
  }
  // Kind and name belong together: folder:A and device:B do not give device:A.
  Page page = store.list(only({folder_a, device_b}), std::nullopt, 0, 100);
  CHECK(page.total == 4);
  CHECK(places(page.records) == Places{"x@device:B", "x@folder:A", "y@device:B", "y@folder:A"});
  page = store.list(only({folder_a, device_b}), std::nullopt, 1, 2);
  CHECK(page.total == 4);
  CHECK(places(page.records) == Places{"x@folder:A", "y@device:B"});
  page = store.list(only({folder_a, device_b}), std::nullopt, 9, std::numeric_limits<std::size_t>::max());
  CHECK(page.total == 4);
  CHECK(page.records.empty());

  page = store.list(only({device_a}), std::nullopt, 0, 100);
  CHECK(page.total == 2);
  CHECK(places(page.records) == Places{"x@device:A", "y@device:A"});

  page = store.list(only({folder_a, device_b}), device_b, 1, 100);
  CHECK(page.total == 2);
  CHECK(places(page.records) == Places{"y@device:B"});
  CHECK(store.list(ContainerScope::everything(), device_b, 0, 100).total == 2);
}

TEST_CASE_FIXTURE(Fixture, "what is out of scope is an empty page without a count") {
  insert(store, sample_record("x", folder_a));
  for (const ContainerScope& scope : {only({}), only({folder_b}), only({folder_b, device_a})}) {
    for (const auto& container : {std::optional<Container>(), std::optional(folder_a)}) {
      const Page page = store.list(scope, container, 0, 100);
      CHECK(page.total == 0);
      CHECK(page.records.empty());
    }
    CHECK(store.find_by_name_anywhere("x", scope, 10).empty());
  }
}

TEST_CASE_FIXTURE(Fixture, "a name is found in the containers of the scope, authorities first") {
  CertificateRecord leaf = sample_record("x", device_a);
  leaf.certificate_authority = false;
  insert(store, leaf);
  for (const Container& container : {folder_b, folder_a, device_b}) insert(store, sample_record("x", container));
  insert(store, sample_record("y", folder_a));
  CHECK(places(store.find_by_name_anywhere("x", only({device_a, folder_b, folder_a}), 10)) ==
        Places{"x@folder:A", "x@folder:B", "x@device:A"});
  CHECK(places(store.find_by_name_anywhere("x", only({device_a, folder_b, folder_a}), 2)) ==
        Places{"x@folder:A", "x@folder:B"});
  CHECK(places(store.find_by_name_anywhere("x", ContainerScope::everything(), 2)) ==
        Places{"x@device:B", "x@folder:A"});
}

TEST_CASE_FIXTURE(Fixture, "a container's name is a value, never SQL") {
  const Container hostile{ContainerKind::folder, "A') OR 1=1; --:k0"};
  insert(store, sample_record("x", folder_a));
  CHECK(store.list(only({hostile, folder_b}), std::nullopt, 0, 10).total == 0);
  insert(store, sample_record("y", hostile));
  CHECK(places(store.list(only({hostile, folder_b}), std::nullopt, 0, 10).records) ==
        Places{"y@folder:A') OR 1=1; --:k0"});
  CHECK(store.find_by_name_anywhere("x", only({hostile}), 10).empty());
}

TEST_CASE_FIXTURE(Fixture, "a scope may be of a thousand containers") {
  ContainerScope scope;
  for (int i = 0; i < 1000; ++i) scope.containers.push_back({ContainerKind::snippet, "S" + std::to_string(i)});
  insert(store, sample_record("first", scope.containers.front()));
  insert(store, sample_record("last", scope.containers.back()));
  insert(store, sample_record("outside", folder_a));
  for (int round = 0; round < 2; ++round) {
    const Page page = store.list(scope, std::nullopt, 0, 10);
    CHECK(page.total == 2);
    CHECK(places(page.records) == Places{"first@snippet:S0", "last@snippet:S999"});
    CHECK(store.find_by_name_anywhere("last", scope, 10).size() == 1);
    CHECK(store.find_by_name_anywhere("outside", scope, 10).empty());
  }
}
