#include "base/error.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace hsmsigner;

TEST_CASE("an error carries its parts and says them in one line") {
  const Error error = Error(ErrorKind::invalid_object, {"digest: must be one of sha256", "email: is empty"})
                          .with_subject("folder")
                          .with_help("correct the fields")
                          .with_cause("CKR_DEVICE_ERROR");
  CHECK(error.kind() == ErrorKind::invalid_object);
  CHECK(error.details().size() == 2);
  CHECK(error.subject() == "folder");
  CHECK(error.help() == "correct the fields");
  CHECK(error.cause() == "CKR_DEVICE_ERROR");
  CHECK(std::string(error.what()) ==
        "invalid_object (folder): digest: must be one of sha256; email: is empty [CKR_DEVICE_ERROR] - correct the "
        "fields");
}

TEST_CASE("an error knows where it was made") {
  const int line = __LINE__ + 1;
  const Error error(ErrorKind::internal_error);
  CHECK(error.where().line == line);
  CHECK(std::string(error.where().file).ends_with("error_test.cc"));
}

TEST_CASE("every kind of error has a name of its own") {
  std::set<std::string_view> names;
  const int last = static_cast<int>(ErrorKind::internal_error);
  for (int kind = 0; kind <= last; ++kind) {
    const std::string_view name = to_string(static_cast<ErrorKind>(kind));
    CHECK(name != "unknown");
    names.insert(name);
  }
  CHECK(names.size() == static_cast<std::size_t>(last) + 1);
}
