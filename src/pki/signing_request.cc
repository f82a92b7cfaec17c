#include "pki/signing_request.h"

#include <openssl/objects.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/base64.h"
#include "crypto/openssl_public_key.h"
#include "pki/alternative_name.h"
#include "pki/extensions.h"
#include "pki/name.h"
#include "pki/openssl.h"
#include "pki/pem_blocks.h"
#include "pki/signed_structure.h"

namespace hsmsigner::pki {
namespace {

using AlgorithmPtr = std::unique_ptr<X509_ALGOR, OpensslFree<X509_ALGOR_free>>;
using RequestPtr = std::unique_ptr<X509_REQ, OpensslFree<X509_REQ_free>>;

[[noreturn]] void refuse_request(const char* why, SourcePlace where = SourcePlace::here()) {
  throw Error(ErrorKind::invalid_object, {why}, where);
}

// Everything but the signature (RFC 2986 4.1).
RequestPtr make_unsigned(const SigningRequestSpec& spec, const PublicKey& key) {
  RequestPtr request = require_pointer(RequestPtr(X509_REQ_new()), "X509_REQ_new");
  require(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1), "X509_REQ_set_version");
  require(X509_REQ_set_subject_name(request.get(), make_name(spec.subject).get()), "X509_REQ_set_subject_name");
  crypto::write_public_key(X509_REQ_get_X509_PUBKEY(request.get()), key);
  const RequestedExtensions wanted{spec.certificate_authority, std::nullopt, spec.alternative_names};
  const EncodedExtensions extensions = make_requested_extensions(wanted, family_of(key));
  require(X509_REQ_add_extensions(request.get(), extensions.get()), "X509_REQ_add_extensions");
  return request;
}

Bytes encode_to_be_signed(X509_REQ* request) {
  return i2d([&](unsigned char** out) { return i2d_re_X509_REQ_tbs(request, out); });
}

// Nothing unless `der` is exactly one request.
RequestPtr parse_request(ByteView der) {
  if (der.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  const unsigned char* begin = der.data();
  RequestPtr request(d2i_X509_REQ(nullptr, &begin, static_cast<long>(der.size())));
  if (request && begin != der.data() + der.size()) return nullptr;
  return request;
}

bool is_self_signed(X509_REQ* request) {
  EVP_PKEY* key = X509_REQ_get0_pubkey(request);
  return key != nullptr && X509_REQ_verify(request, key) == 1;
}

// What the authority that gets it will do with it.
void check_result(ByteView der, ByteView to_be_signed) {
  const RequestPtr request = parse_request(der);
  if (!request) throw_openssl("the assembled request does not parse");
  if (!std::ranges::equal(encode_to_be_signed(request.get()), to_be_signed)) {
    throw_openssl("the parsed request is not the one that was signed");
  }
  if (!is_self_signed(request.get())) throw_openssl("the signature does not verify");
}

std::vector<AlternativeName> requested_names(X509_REQ* request) {
  const EncodedExtensions extensions(X509_REQ_get_extensions(request));
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  return to_alternative_names(names.get());
}

}  // namespace

std::string build_signing_request(const SigningRequestSpec& spec, Signer& signer, Deadline deadline) {
  const CleanErrorQueue clean;
  check_can_sign(signer, spec.digest);
  const PublicKey& key = signer.public_key();
  const RequestPtr draft = make_unsigned(spec, key);
  const AlgorithmPtr algorithm = require_pointer(AlgorithmPtr(X509_ALGOR_new()), "X509_ALGOR_new");
  set_signature_algorithm(algorithm.get(), family_of(key), spec.digest);

  const Bytes to_be_signed = encode_to_be_signed(draft.get());
  const Bytes signature = signer.sign(spec.digest, hash(spec.digest, to_be_signed), deadline);
  const Bytes der = assemble_signed(to_be_signed, algorithm.get(), signature);
  check_result(der, to_be_signed);
  return to_pem("CERTIFICATE REQUEST", der);
}

SigningRequestInfo read_signing_request(std::string_view pem) {
  const CleanErrorQueue clean;
  const auto blocks = split_pem(pem);
  if (!blocks || blocks->size() != 1 || !is_request_label(blocks->front().label)) {
    refuse_request("this is not one certification request in PEM");
  }
  auto der = from_base64(blocks->front().base64);
  const RequestPtr request = der ? parse_request(*der) : nullptr;
  if (!request) refuse_request("this is not one certification request in PEM");
  // Before the signature is believed: the kinds of key that are taken are the ones that are known to verify.
  PublicKey key = crypto::read_public_key(X509_REQ_get_X509_PUBKEY(request.get()));
  if (!is_self_signed(request.get())) refuse_request("the request's signature does not verify");
  const X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  return SigningRequestInfo{std::move(key), one_line(subject), hash_old(subject), requested_names(request.get()),
                            std::move(*der)};
}

}  // namespace hsmsigner::pki
