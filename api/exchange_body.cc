#include "api/exchange_body.h"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "api/form.h"

namespace hsmsigner::api {
namespace {

using service::FileFormat;

constexpr std::size_t kMaxPassphrase = 1024;

constexpr std::pair<std::string_view, FileFormat> kFormats[] = {
    {"pem", FileFormat::pem},
    {"der", FileFormat::der},
    {"pkcs12", FileFormat::pkcs12},
    {"pkcs10", FileFormat::pkcs10},
};

std::optional<FileFormat> read_format(Form& form, bool with_requests) {
  const auto text = form.text("format", 1, 16, Need::required);
  if (!text) return std::nullopt;
  std::string names;
  for (const auto& [name, format] : kFormats) {
    if (format == FileFormat::pkcs10 && !with_requests) continue;
    if (*text == name) return format;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  form.faults().add("format", "must be one of " + names);
  return std::nullopt;
}

}  // namespace

service::ImportRequest read_import_body(const JsonValue& body, const std::optional<Container>& in_query) {
  Form form(body);
  service::ImportRequest request;
  request.container = form.container(in_query, Need::required);
  request.name = form.text("name", 1, 255, Need::required);
  request.format = read_format(form, false);
  request.certificate_file = form.file("certificate_file", Need::required);
  request.key_file = form.file("key_file");
  request.passphrase = form.secret("passphrase", kMaxPassphrase);
  request.block_private_key = form.boolean("is_block_privateKey", true);
  request.faults = form.finish();
  return request;
}

ExportBody read_export_body(const JsonValue& body, const std::optional<Container>& in_query) {
  Form form(body);
  ExportBody read;
  read.container = form.container(in_query, Need::optional);
  read.request.format = read_format(form, true);
  read.request.passphrase = form.secret("passphrase", kMaxPassphrase);
  read.request.faults = form.finish();
  return read;
}

}  // namespace hsmsigner::api
