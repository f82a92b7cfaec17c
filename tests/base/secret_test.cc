#include "base/secret.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

using namespace hsmsigner;

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);

TEST_CASE("a secret holds its characters, NUL included, and ends with one for C") {
  const Secret secret(
      std::string_view("12\0"
                       "34",
                       5));
  CHECK(secret.size() == 5);
  CHECK(secret.view() == std::string_view("12\0"
                                          "34",
                                          5));
  CHECK(secret.c_str()[5] == '\0');
}

TEST_CASE("an empty secret is a usable empty string") {
  const Secret secret;
  CHECK(secret.empty());
  CHECK(secret.view().empty());
  CHECK(std::string(secret.c_str()).empty());
}

TEST_CASE("moving a secret leaves nothing behind") {
  Secret first("4321");
  Secret second(std::move(first));
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move): that is the promise under test
  CHECK(first.view().empty());
  CHECK(second.view() == "4321");
  Secret third("old");
  third = std::move(second);
  CHECK(third.view() == "4321");
  CHECK(second.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(std::string(second.c_str()).empty());
}

TEST_CASE("a clone is a second secret") {
  const Secret secret("4321");
  const Secret copy = secret.clone();
  CHECK(copy.view() == secret.view());
  CHECK(copy.c_str() != secret.c_str());
}

TEST_CASE("cleanse overwrites") {
  std::array<char, 16> memory{};
  memory.fill('x');
  cleanse(memory.data(), memory.size());
  CHECK(std::ranges::all_of(memory, [](char c) { return c == '\0'; }));
  cleanse(nullptr, 0);
}
