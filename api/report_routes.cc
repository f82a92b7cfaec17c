// The compliance report, for auditors.
#include "api/content_negotiation.h"
#include "api/handlers.h"
#include "base/error.h"

namespace hsmsigner::api {

Answer compliance_report(const Call& call) {
  for (const auto& [name, value] : call.target.query) invalid_parameter(name, value, "unknown parameter");
  const std::string_view type = accepted_of(call.head, {"application/json", "text/html"});
  const report::Format format = type == "text/html" ? report::Format::html : report::Format::json;
  service::SignedReport made = call.services.reports.make(call.actor(), format, call.deadline());
  Answer answer;
  answer.body = std::move(made.text);
  answer.content_type = format == report::Format::html ? "text/html; charset=utf-8" : "application/json";
  answer.headers.emplace_back("X-Report-Signature", std::move(made.signature));
  answer.headers.emplace_back("Content-Disposition",
                              "attachment; filename=\"report." + std::string(to_string(format)) + "\"");
  answer.headers.emplace_back("Vary", "Accept");
  return answer;
}

}  // namespace hsmsigner::api
