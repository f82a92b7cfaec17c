// A private key that is somewhere else, as OpenSSL's TLS can use it: OpenSSL hashes and pads, the operation with the
// private key itself is a function's. Why not libp11's bridge: docs/decisions/0007-tls-key-in-token.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/clock.h"

// OpenSSL's own tag: EVP_PKEY.
struct evp_pkey_st;

namespace hsmsigner::tls {

// Called by many threads at once. May throw: the handshake fails then, and the log says why.
struct KeyOperations {
  // EC: as Signer::sign().
  std::function<Bytes(Digest digest, ByteView digest_value, Deadline deadline)> sign;
  // RSA: RSASP1 (RFC 8017 5.2.1) of a block as long as the modulus, which the result is too.
  std::function<Bytes(ByteView block, Deadline deadline)> transform;
};

// The private half of the key in the first certificate of this PEM text. Throws Error{invalid_object}, "`setting`: …",
// when that is neither RSA nor EC.
std::shared_ptr<evp_pkey_st> external_key(std::string_view certificate_pem, KeyOperations operations,
                                          const std::string& setting = "tls.certificate");

// While it lives, operations on this thread have this deadline. Without one, they have ten seconds. Private to this
// room.
class OperationDeadline {
 public:
  explicit OperationDeadline(Deadline deadline) noexcept;
  ~OperationDeadline();
  OperationDeadline(const OperationDeadline&) = delete;
  OperationDeadline& operator=(const OperationDeadline&) = delete;
};

}  // namespace hsmsigner::tls
