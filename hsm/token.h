// One PKCS#11 token, logged in: generate keys, bring them in and give them out, sign with them, ask what they are,
// destroy them. The public face of this room, with tls_key.h; nothing above it sees a CK_ type. The standard is PKCS#11
// 2.40.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/private_key.h"
#include "base/secret.h"
#include "base/signer.h"
#include "base/uuid.h"
#include "hsm/incident.h"
#include "hsm/key.h"
#include "hsm/probe.h"

namespace hsmsigner::hsm {

// Slot numbers change (SoftHSM renumbers at initialisation, Luna in HA), so a token is found by what it says of
// itself. At least one of the two is set; both must match when both are.
struct TokenSelector {
  std::string label;
  std::string serial;
};

struct TokenOptions {
  std::string module_path;  // a shared library that exports C_GetFunctionList
  TokenSelector selector;
  unsigned sessions = 8;              // worker threads, one session each; lowered to what the token allows
  unsigned parallel_generations = 7;  // of these, how many may generate or import at once; at most all but one
  unsigned parallel_ahead = 2;        // of the generations, how many may be made ahead of requests
  std::size_t queue_limit = 1024;     // generations and imports that may wait, and as many other calls; one more is
                                      // too_many_requests
  std::string module_init{};  // handed to C_Initialize as pReserved, for modules that want it (NSS softokn); "": NULL
  // See incident.h for what it may do. What it refers to outlives the token.
  std::function<void(const TokenIncident&)> on_incident{};
};

struct TokenInfo {
  std::string label;
  std::string serial;
  std::string manufacturer;
  std::string model;
  std::string firmware;  // "major.minor"
  std::string module_path;
  std::string module_description;  // CK_INFO.libraryDescription and version
};

struct FreeMemory {
  std::uint64_t octets = 0;
  std::uint64_t of = 0;
};

// What the sessions are at. Work in the token whose caller has left is running until the token is done with it.
struct TokenLoad {
  struct Operations {
    std::size_t running = 0;
    std::size_t waiting = 0;  // for a session
  };
  std::size_t sessions = 0;
  Operations calls;        // signatures, searches, reads, clean-up
  Operations generations;  // and imports, of requests
  Operations ahead;        // generations that no request waits for
};

class TokenImpl;
class TlsKey;

// A key in the token. Holds the object's handle, found once; finds it again when the token was lost meanwhile.
class TokenKey : public Signer {
 public:
  virtual const Uuid& id() const noexcept = 0;
  // Whether the token has it; costs a search the first time, nothing but the hand-over afterwards.
  virtual bool is_present(Deadline deadline) = 0;
  // Whether its handle is known now, so that a signature costs no search. Asks the token nothing.
  virtual bool is_located() const = 0;
};

// A key pair just generated or imported: read back, found to be what was asked, and destroyed by the destructor unless
// kept, so that a request that fails later leaves nothing in the token.
class GeneratedKey {
 public:
  GeneratedKey(std::shared_ptr<TokenImpl> token, std::shared_ptr<TokenKey> key, KeyAttributes attributes);
  GeneratedKey(GeneratedKey&&) noexcept = default;
  GeneratedKey& operator=(GeneratedKey&&) = delete;
  // Destroys an unkept key and waits for it, within a deadline of its own; what cannot be destroyed is logged by id.
  ~GeneratedKey();

  const std::shared_ptr<TokenKey>& key() const noexcept { return key_; }
  const KeyAttributes& attributes() const noexcept { return attributes_; }
  // From here on the key stays: call it once its certificate is durable.
  void keep() noexcept { token_.reset(); }

 private:
  std::shared_ptr<TokenImpl> token_;
  std::shared_ptr<TokenKey> key_;
  KeyAttributes attributes_;
};

// Every call throws Error: session_timeout when the deadline passes (the work is then undone behind the caller's
// back), too_many_requests when the queue is full, token_unavailable when the token is lost, full or refuses a
// session, internal_error for anything the standard does not allow here. All members are thread safe.
class Token {
 public:
  // Loads the module, finds the token and logs in. The PIN is sent once; a PIN the token refused is never sent again.
  // Throws Error{token_unavailable} with a public sentence: module not loadable, no such token, several such tokens,
  // PIN wrong, PIN locked, PIN at its final try (we then do not try).
  static std::unique_ptr<Token> open(const TokenOptions& options, Secret pin);
  ~Token();

  const TokenInfo& info() const noexcept;
  // Neither asks the token anything. Lost: after TokenIncident::Kind::lost, until a call is answered.
  bool is_lost() const noexcept;
  TokenLoad load() const;

  // Whether C_GetMechanismInfo offers both generation and signing at this size. Asked at open; costs nothing here.
  bool can_generate(KeyAlgorithm algorithm) const noexcept;

  // Only the private key becomes a token object; the public half is a session object, read and destroyed at once.
  // Every attribute of the export block is read back; on any mismatch the key is destroyed and the call is an
  // Error{internal_error} naming the attribute.
  GeneratedKey generate(const KeyRequest& request, Deadline deadline);

  // The same for a key that no request waits for: begun only while no other work waits, so that it may well come to
  // its deadline. Nothing when the token has no room for it.
  std::optional<GeneratedKey> generate_ahead(const KeyRequest& request, Deadline deadline);

  // Moves a key into the token: unwrapped there under a session AES key where the token can (CKM_AES_KEY_WRAP_PAD, else
  // CKM_AES_CBC_PAD), else created from its parts, sensitive from the start. Wrapping is for tokens that take keys in
  // no other way: it hides nothing from who sees the calls into the module, since the AES key's value goes the same
  // way. Between module and token it is for the module to keep either from view. Read back as a generated one is: LOCAL
  // must be false. Then it signs once, and the signature must verify under the public key. Throws
  // Error{invalid_object}, "key_file: …", for a key that the token does not take (its size, its curve).
  GeneratedKey import_key(const ImportRequest& request, std::shared_ptr<const PrivateKey> key, Deadline deadline);

  // The key as DER of an unencrypted PrivateKeyInfo (RFC 5208) as the token writes it, not decoded: wrapped by the
  // token under a session AES key, whose value went in through the module, and opened here. Throws
  // Error{private_key_export_blocked} when the token refuses to wrap it, object_not_present when there is no such key,
  // token_unavailable when the token wraps none, internal_error when nothing opens that it wrapped.
  Secret export_key(const Uuid& id, Deadline deadline);

  // For a key generated earlier; `public_key` comes from its certificate. Does not touch the token: the object is
  // found, by CKA_ID and class, at the first signature.
  std::shared_ptr<TokenKey> key(const Uuid& id, PublicKey public_key);

  // Octets from the token's generator (C_GenerateRandom).
  Bytes random(std::size_t count, Deadline deadline);

  // Live from the token. Throws Error{object_not_present} unless exactly one private key has this CKA_ID.
  KeyAttributes attributes(const Uuid& id, Deadline deadline);
  // Likewise, for evidence: how many there are, and of a single one its attributes and its signature over this finished
  // digest, which `public_key` must be able to sign. The objects are searched for, whatever is known of them.
  KeyExamination examine(const Uuid& id, const PublicKey& public_key, Digest digest, ByteView digest_value,
                         Deadline deadline);
  // Destroys the private key with this CKA_ID. Throws Error{object_not_present} when there is none.
  void destroy(const Uuid& id, Deadline deadline);
  // Private keys in the token, whoever made them. Walks the token: for inspection, not for the hot path.
  std::size_t count_private_keys(Deadline deadline);
  // All of them with what the token says of each, in its order. One search, then some reads for each key.
  std::vector<ListedKey> private_keys(Deadline deadline);

  // Tries whether a blocked key comes out of the token: of each of these algorithms that it generates, with a
  // throwaway key made by generate(). Throws nothing of the token: what fails makes the algorithm inconclusive. The
  // keys and their copies are destroyed as those of requests that fail are. First those that a probe left which was
  // killed, known by their label and age (probe_label.h). Asked to stop, it makes no further attempt, destroys what it
  // made, and the rest is inconclusive.
  ProbeResult probe(std::span<const KeyAlgorithm> algorithms, Deadline deadline, std::stop_token stop = {});

  // Every private key by id and label: one search, then reads in pieces between which other work has its turn. Of those
  // that are the only one of their id, each that some TokenKey of this process stands for is located from then on.
  std::vector<NamedKey> walk(Deadline deadline);
  // As attributes(), without a search if the key is located; and the public half, which a token tells of RSA keys
  // alone.
  KeyDescription describe(const Uuid& id, Deadline deadline);
  // Octets that C_GetTokenInfo says are free for private objects, and of how many; nothing where it does not say.
  std::optional<FreeMemory> free_memory(Deadline deadline);

 private:
  friend class TlsKey;  // a key of another kind, in tls_key.h
  explicit Token(std::shared_ptr<TokenImpl> impl);
  std::shared_ptr<TokenImpl> impl_;
};

}  // namespace hsmsigner::hsm
