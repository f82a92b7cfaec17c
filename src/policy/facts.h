// What a request or a file is about, as far as a profile has a say in it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/uuid.h"

namespace hsmsigner::policy {

// What is to be done; a set of them is the sum.
enum class Act : unsigned {
  generate = 1,    // a key pair and its certificate
  request = 2,     // a key pair and a signing request (`signed_by: external`)
  import_key = 4,  // a certificate and its key, made elsewhere
  complete = 8,    // the certificate that a signing request waited for
};

struct KeyFacts {
  KeyFamily family;
  unsigned bits;
  Bytes rsa_exponent;  // big-endian; empty: EC, or 65537, which every token here is asked for
};

enum class NameKind { dns, ip, mail };

// A subject alternative name, the one that the common name leads to included.
struct NameFact {
  NameKind kind;
  std::string value;
  std::string field;  // whose value it is: "hostname"
};

struct IssuerFacts {
  enum class Kind { itself, external, held };
  Kind kind;
  // Of the authority held here.
  std::optional<Uuid> id;
  std::optional<Container> container;
  std::string name;
};

struct Validity {
  UnixTime not_before;
  UnixTime not_after;
};

// What is absent is not known, as its own fault was told already, or has no meaning for the act.
struct Facts {
  Act act = Act::generate;
  bool authority = false;
  std::optional<KeyFacts> key;          // the subject's
  std::optional<KeyFacts> signing_key;  // of the authority held here that signs
  std::optional<Digest> digest;
  bool other_signature = false;  // the certificate's signature is by none of the table of digests (Ed25519, PSS)
  std::optional<Validity> validity;
  std::optional<UnixTime> requested_at;  // complete: when the signing request was made
  std::string common_name;
  std::vector<NameFact> names;
  std::set<std::string, std::less<>> fields;  // those of the body that were given, by the contract's names
  std::optional<IssuerFacts> issuer;
  bool exportable = false;
  // Where a fault lies when the facts were read from a file: "certificate_file". Empty: in the field of that meaning.
  std::string file;
  std::string key_file;  // import_key: where the key came from
};

}  // namespace hsmsigner::policy
