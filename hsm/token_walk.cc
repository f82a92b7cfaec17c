// Keys made ahead, and finding again those that others have made: what a stock of keys needs of a token.
#include <algorithm>
#include <map>

#include "base/log.h"
#include "hsm/ck_result.h"
#include "hsm/key_reader.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

// Keys read in one piece of a walk: some milliseconds of one worker.
constexpr std::size_t kPiece = 128;

bool no_room(CK_RV rv) { return ck_class(rv) == CkClass::full || rv == CKR_HOST_MEMORY; }

// CK_TOKEN_INFO: all ones is CK_UNAVAILABLE_INFORMATION; openCryptoki says all ones but one.
bool told(CK_ULONG memory) { return memory < CK_UNAVAILABLE_INFORMATION - 1; }

struct Handles {
  std::vector<CK_OBJECT_HANDLE> handles;
  Epoch epoch;
};

struct Walked {
  CK_OBJECT_HANDLE handle;
  NamedKey key;
};

}  // namespace

std::optional<GeneratedKey> Token::generate_ahead(const KeyRequest& request, Deadline deadline) {
  if (!can_generate(request.algorithm)) {
    throw Error(ErrorKind::token_unavailable,
                {"the token does not make keys of the kind " + std::string(hsmsigner::info(request.algorithm).name)});
  }
  TokenImpl* const impl = impl_.get();
  std::optional<MadeKey> made = impl->pool().run(
      JobKind::ahead, deadline,
      [impl, object = impl->objects().of(request.id), request](Session& session) -> std::optional<MadeKey> {
        try {
          return make_key(session, *impl, object, request);
        } catch (const CkFailure& failure) {
          if (!no_room(failure.rv())) throw;
          log::warning("the token has no room for a key made ahead",
                       {{"call", failure.function()}, {"ck", ck_name(failure.rv())}});
          return std::nullopt;
        }
      },
      [impl](std::optional<MadeKey>& late) {
        if (!late) return;
        impl->orphans().add(late->object, Orphans::Made::surely);
        impl->sweep();
      });
  impl->sweep();
  if (!made) return std::nullopt;
  return GeneratedKey(impl_, make_token_key(impl_, request.id, std::move(made->public_key)),
                      std::move(made->attributes));
}

std::vector<NamedKey> Token::walk(Deadline deadline) {
  const Handles found = impl_->pool().run(JobKind::quick, deadline, [](Session& session) {
    return Handles{private_key_handles(session), session.epoch()};
  });
  std::vector<Walked> walked;
  walked.reserve(found.handles.size());
  for (std::size_t begin = 0; begin < found.handles.size(); begin += kPiece) {
    const auto first = found.handles.begin() + static_cast<std::ptrdiff_t>(begin);
    std::vector<CK_OBJECT_HANDLE> piece(
        first, first + static_cast<std::ptrdiff_t>(std::min(kPiece, found.handles.size() - begin)));
    std::vector<Walked> read =
        impl_->pool().run(JobKind::quick, deadline, [piece = std::move(piece), epoch = found.epoch](Session& session) {
          if (!(session.epoch() == epoch)) {
            throw Error(ErrorKind::token_unavailable, {"the token was lost while its keys were read"});
          }
          std::vector<Walked> keys;
          for (const CK_OBJECT_HANDLE handle : piece) {
            if (std::optional<NamedKey> key = read_name(session, handle)) keys.push_back({handle, std::move(*key)});
          }
          return keys;
        });
    std::move(read.begin(), read.end(), std::back_inserter(walked));
  }
  std::map<Bytes, std::size_t> with_id;
  for (const Walked& each : walked) ++with_id[each.key.id];
  std::vector<NamedKey> keys;
  keys.reserve(walked.size());
  for (Walked& each : walked) {
    const std::optional<Uuid> id = Uuid::from_bytes(each.key.id);
    // Only for keys that somebody holds: holding all would make all of them seem in use.
    if (id && with_id[each.key.id] == 1 && impl_->objects().in_use(*id)) {
      impl_->objects().of(*id)->learn(each.handle, found.epoch);
    }
    keys.push_back(std::move(each.key));
  }
  return keys;
}

KeyDescription Token::describe(const Uuid& id, Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [object = impl_->objects().of(id)](Session& session) {
    const std::optional<CK_OBJECT_HANDLE> handle = object->find(session);
    if (!handle) throw no_such_key(object->id());
    KeyDescription description{read_attributes(session, *handle), std::nullopt};
    if (description.attributes.family == KeyFamily::rsa) description.rsa = read_rsa_public_half(session, *handle);
    return description;
  });
}

std::optional<FreeMemory> Token::free_memory(Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [](Session& session) -> std::optional<FreeMemory> {
    CK_SESSION_INFO here{};
    check("C_GetSessionInfo", session.ck().C_GetSessionInfo(session.handle(), &here));
    CK_TOKEN_INFO token{};
    check("C_GetTokenInfo", session.ck().C_GetTokenInfo(here.slotID, &token));
    if (!told(token.ulFreePrivateMemory) || !told(token.ulTotalPrivateMemory)) return std::nullopt;
    if (token.ulTotalPrivateMemory == 0) return std::nullopt;
    return FreeMemory{token.ulFreePrivateMemory, token.ulTotalPrivateMemory};
  });
}

}  // namespace hsmsigner::hsm
