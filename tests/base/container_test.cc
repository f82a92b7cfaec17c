#include "base/container.h"

#include <doctest/doctest.h>

#include <string>

using namespace hsmsigner;

TEST_CASE("containers' names") {
  CHECK(is_container_name("A b.c-d_9"));
  CHECK(is_container_name(std::string(64, 'a')));
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a/b"), std::string("\xc3\xa4"),
                                 std::string("a\nb"), std::string("a*")}) {
    CHECK_FALSE(is_container_name(bad));
  }
}

TEST_CASE("a container as text, and back") {
  for (const ContainerKind kind : {ContainerKind::folder, ContainerKind::snippet, ContainerKind::device}) {
    const Container container{kind, "a b"};
    CHECK(container.to_string() == std::string(to_string(kind)) + ":a b");
    CHECK(Container::parse(container.to_string()) == container);
  }
  for (const char* bad : {"", "folder", "folder:", ":x", "Folder:x", "folder:a*", "*", "folder:a:b"}) {
    CAPTURE(bad);
    CHECK_FALSE(Container::parse(bad));
  }
}

TEST_CASE("a scope holds what it names, or everything") {
  const Container one{ContainerKind::folder, "one"};
  const Container other{ContainerKind::snippet, "one"};
  CHECK(ContainerScope::everything().contains(one));
  const ContainerScope scope{false, {one}};
  CHECK(scope.contains(one));
  CHECK_FALSE(scope.contains(other));
  CHECK_FALSE(ContainerScope{}.contains(one));
}
