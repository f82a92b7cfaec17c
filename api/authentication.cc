#include "api/authentication.h"

#include "api/request_target.h"
#include "api/text_rules.h"
#include "base/base64.h"
#include "base/error.h"

namespace hsmsigner::api {
namespace {

// RFC 9110 11.6.2: scheme, blanks, the rest.
std::optional<std::string_view> credentials_of(std::string_view field, std::string_view scheme) {
  const std::size_t end = std::min(field.find(' '), field.size());
  if (!equals_ignoring_case(field.substr(0, end), scheme)) return std::nullopt;
  return trimmed(field.substr(end));
}

}  // namespace

service::Identity authenticate(const RequestHead& head, const Peer& peer, service::Access& access,
                               std::string& claimed) {
  const auto field = head.field("authorization");
  if (field) {
    const auto token = credentials_of(*field, "Bearer");
    if (!token || token->empty()) {
      throw Error(ErrorKind::invalid_credential, {"Authorization: must be Bearer and an access token"});
    }
    return access.identify(*token, claimed);
  }
  if (peer.certificate) return access.identify(*peer.certificate, claimed);
  throw Error(ErrorKind::auth_not_authenticated, {"Authorization: is required"})
      .with_help(
          "POST grant_type=client_credentials with your client_id and client_secret to /oauth2/access_token, then send "
          "Authorization: Bearer ACCESS_TOKEN.");
}

std::optional<BasicCredentials> basic_credentials(const RequestHead& head) {
  const auto field = head.field("authorization");
  if (!field) return std::nullopt;
  const auto encoded = credentials_of(*field, "Basic");
  if (!encoded) return std::nullopt;
  const auto pair = secret_from_base64(*encoded);
  const std::size_t colon = pair ? pair->view().find(':') : std::string_view::npos;
  if (colon == std::string_view::npos) {
    throw Error(ErrorKind::invalid_credential, {"Authorization: is not Basic credentials"});
  }
  std::string secret = decode_form_text(pair->view().substr(colon + 1));
  BasicCredentials credentials{decode_form_text(pair->view().substr(0, colon)), Secret(secret)};
  cleanse(secret);
  return credentials;
}

}  // namespace hsmsigner::api
