#include "api/form.h"

#include <doctest/doctest.h>

#include <string>

using namespace hsmsigner;
using namespace hsmsigner::api;

namespace {

using Texts = std::vector<std::string>;
const std::optional<Container> kNone;

}  // namespace

TEST_CASE("each field is read, each fault is told, and what nobody asked for is refused") {
  const JsonDocument body =
      parse_json(R"({"a":"x","b":5,"c":true,"d":7.0,"e":1.5,"f":"","secret":"s\u0001","wrong":1,"Folder":"x"})");
  Form form(body);
  CHECK(form.text("a", 1, 3) == "x");
  CHECK_FALSE(form.text("b", 1, 3));
  CHECK(form.boolean("c", false));
  CHECK(form.integer("d", 1, 10) == 7);
  CHECK_FALSE(form.integer("e", 1, 10));
  CHECK_FALSE(form.text("f", 1, 3));
  CHECK_FALSE(form.text("g", 1, 3, Need::required));
  CHECK(form.secret("secret", 10)->view() == "s\x01");
  CHECK(form.finish() == Texts{"b: must be a string", "e: must be a whole number", "f: must have 1 to 3 characters",
                               "g: is required", "wrong: unknown field", "Folder: unknown field"});
}

TEST_CASE("a file is Base64, or PEM as it is") {
  const JsonDocument body =
      parse_json(R"({"base64":"Zm9v\nYmFy","pem":"-----BEGIN X-----\n","bad":"!","empty":"","number":1})");
  Form form(body);
  CHECK(form.file("base64")->view() == "foobar");
  CHECK(form.file("pem")->view() == "-----BEGIN X-----\n");
  CHECK_FALSE(form.file("bad"));
  CHECK_FALSE(form.file("empty"));
  CHECK_FALSE(form.file("number"));
  CHECK_FALSE(form.file("absent"));
  CHECK(form.finish().size() == 3);
}

TEST_CASE("the container stands in the body or in the query, and in both only if equal") {
  const Container folder{ContainerKind::folder, "F"};
  struct Row {
    const char* body;
    std::optional<Container> query;
    std::optional<Container> expected;
    const char* fault;
  };
  const Row rows[] = {
      {R"({"folder":"F"})", kNone, folder, ""},
      {R"({})", folder, folder, ""},
      {R"({"folder":"F"})", folder, folder, ""},
      {R"({"folder":"G"})", folder, kNone, "folder: differs from the container in the query"},
      {R"({"snippet":"F"})", folder, kNone, "snippet: differs from the container in the query"},
      {R"({})", kNone, kNone, "folder: one of folder, snippet and device is required"},
      {R"({"folder":"F","device":"D"})", kNone, kNone, "device: only one of folder, snippet and device may be given"},
      {R"({"folder":"a/b"})", kNone, kNone, "folder: must hold only letters, digits, '-', '_', '.' and spaces"},
      {R"({"folder":5})", kNone, kNone, "folder: must be a string"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    const JsonDocument body = parse_json(row.body);
    Faults faults;
    CHECK(read_container(faults, body, row.query, Need::required) == row.expected);
    CHECK(faults.take() == (*row.fault == '\0' ? Texts{} : Texts{row.fault}));
  }
}

TEST_CASE("more faults than anybody reads are counted") {
  Faults faults;
  for (int i = 0; i < 205; ++i) faults.add("x", "is wrong");
  const Texts told = faults.take();
  CHECK(told.size() == 201);
  CHECK(told.back() == "and 5 more faults");
}
