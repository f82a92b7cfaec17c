#include "api/certificate_json.h"
#include "api/content_negotiation.h"
#include "api/exchange_body.h"
#include "api/form.h"
#include "api/generate_body.h"
#include "api/handlers.h"
#include "api/idempotency.h"
#include "api/json_writer.h"
#include "api/schema_check.h"
#include "audit/key_evidence.h"
#include "base/error.h"
#include "base/utf8.h"

namespace hsmsigner::api {
namespace {

Answer created(const Call& call, const store::CertificateRecord& record, UnixTime now) {
  Answer answer;
  answer.status = 201;
  answer.body = certificate_json(record, now);
  answer.headers.emplace_back("Location", call.place.base + "/certificates/" + record.id.to_string());
  return answer;
}

template <typename Make>
Answer create_once(const Call& call, const JsonBody& body, const Make& make) {
  const OnceOnly once(call, body.text);
  return answer_once<store::CertificateRecord>(
      once,
      [&](const store::CertificateRecord& record) { return created(call, record, call.services.catalogue.now()); },
      make);
}

}  // namespace

Answer list_certificates(const Call& call) {
  const auto container = container_in_query(call, {"name", "limit", "offset"});
  const auto [offset, limit] = paging_in_query(call.target);
  service::Catalogue& catalogue = call.services.catalogue;
  Answer answer;
  const std::string* name = call.target.parameter("name");
  if (name == nullptr) {
    answer.body =
        certificate_list_json(catalogue.list(call.caller(), container, offset, limit), offset, limit, catalogue.now());
    return answer;
  }
  if (name->empty() || utf8_length(*name).value_or(0) > 255) {
    invalid_parameter("name", *name, "must have 1 to 255 characters");
  }
  if (!container) {
    throw Error(ErrorKind::missing_query_parameter, {"folder: name needs one of folder, snippet and device beside it"})
        .with_subject("folder");
  }
  answer.body =
      certificate_hybrid_json(catalogue.get_by_name(call.caller(), *container, *name), offset, limit, catalogue.now());
  return answer;
}

Answer generate_certificate(const Call& call) {
  const auto in_query = container_in_query(call);
  const JsonBody body = read_json_object(call, BodyNeed::required);
  return create_once(call, body, [&](const service::ComposeAnswer& compose) {
    service::GenerateRequest request = read_generate_body(body.json, in_query);
    call.note_container(request.container);
    check_schema("GenerateCertificate", body.json, request.faults);
    return call.services.generation.generate(call.actor(), std::move(request), call.deadline(), compose);
  });
}

Answer import_certificate(const Call& call) {
  const auto in_query = container_in_query(call);
  const JsonBody body = read_json_object(call, BodyNeed::required);
  return create_once(call, body, [&](const service::ComposeAnswer& compose) {
    service::ImportRequest request = read_import_body(body.json, in_query);
    call.note_container(request.container);
    check_schema("ImportCertificate", body.json, request.faults);
    return call.services.exchange.import_certificate(call.actor(), std::move(request), call.deadline(), compose);
  });
}

Answer get_certificate(const Call& call) {
  const auto container = container_in_query(call);
  Answer answer;
  answer.body = certificate_json(call.services.catalogue.get(call.caller(), *call.place.id, container),
                                 call.services.catalogue.now());
  return answer;
}

// Older clients send a JSON body with DELETE. Its container is heeded, the rest of it is not.
Answer delete_certificate(const Call& call) {
  const auto in_query = container_in_query(call);
  const JsonBody body = read_json_object(call, BodyNeed::optional);
  Faults faults;
  const auto container = read_container(faults, body.json, in_query, Need::optional);
  if (!faults.empty()) throw Error(ErrorKind::invalid_object, faults.take());
  const store::CertificateRecord record =
      call.services.deletion.remove(call.actor(), *call.place.id, container, call.deadline());
  Answer answer;
  answer.body = certificate_json(record, call.services.catalogue.now());
  return answer;
}

Answer export_certificate(const Call& call) {
  const auto in_query = container_in_query(call);
  const JsonBody body = read_json_object(call, BodyNeed::required);
  ExportBody read = read_export_body(body.json, in_query);
  check_schema("ExportCertificate", body.json, read.request.faults);
  std::string file = call.services.exchange.export_certificate(call.actor(), *call.place.id, read.container,
                                                               read.request, call.deadline());
  JsonWriter json;
  json.open_object();
  json.field("certificate", file);
  json.close_object();
  Answer answer;
  answer.status = 201;
  answer.body = json.finished();
  return answer;
}

Answer give_evidence(const Call& call) {
  const auto container = container_in_query(call, {"nonce"});
  const std::string* const nonce = call.target.parameter("nonce");
  if (nonce != nullptr && !audit::is_nonce(*nonce)) {
    invalid_parameter("nonce", *nonce, "must have 1 to 128 characters of visible ASCII");
  }
  Answer answer;
  answer.body = call.services.evidence.give(call.actor(), *call.place.id, container, nonce != nullptr ? *nonce : "",
                                            call.deadline());
  answer.content_type = "application/jose";
  return answer;
}

}  // namespace hsmsigner::api
