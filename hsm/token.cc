#include "hsm/token.h"

#include "base/log.h"
#include "hsm/ck_result.h"
#include "hsm/key_reader.h"
#include "hsm/key_template.h"
#include "hsm/mechanisms.h"
#include "hsm/token_impl.h"

namespace hsmsigner::hsm {
namespace {

constexpr std::chrono::seconds kDiscardDeadline{10};

TokenInfo info_from(const Module& module, const Keeper& keeper) {
  const TokenListing& slot = keeper.slot();
  const CK_VERSION& firmware = keeper.token_info().firmwareVersion;
  return TokenInfo{slot.label,
                   slot.serial,
                   slot.manufacturer,
                   slot.model,
                   std::to_string(firmware.major) + "." + std::to_string(firmware.minor),
                   module.path(),
                   module.description()};
}

// Key sizes are bits for both families (PKCS#11 2.40 sections 2.1 and 2.3).
bool offers(CK_FUNCTION_LIST& ck, CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_FLAGS flag, unsigned bits) {
  CK_MECHANISM_INFO mechanism_info{};
  if (ck.C_GetMechanismInfo(slot, mechanism, &mechanism_info) != CKR_OK) return false;
  return (mechanism_info.flags & flag) != 0 && mechanism_info.ulMinKeySize <= bits &&
         bits <= mechanism_info.ulMaxKeySize;
}

std::set<KeyAlgorithm> offered_by(Module& module, CK_SLOT_ID slot) {
  const Module::Use use(module);
  CK_FUNCTION_LIST& ck = module.functions();
  std::set<KeyAlgorithm> offered;
  for (const KeyAlgorithmInfo& row : key_algorithms()) {
    const FamilyMechanisms& family = mechanisms_of(row.family);
    if (offers(ck, slot, family.generate, CKF_GENERATE_KEY_PAIR, row.bits) &&
        offers(ck, slot, family.sign, CKF_SIGN, row.bits)) {
      offered.insert(row.algorithm);
    }
  }
  return offered;
}

Error no_such_key(const Uuid& id, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::object_not_present, {"the token has no key with the id " + id.to_string()}, where);
}

}  // namespace

TokenImpl::TokenImpl(const TokenOptions& options, Secret pin)
    : module_(Module::load(options.module_path)),
      keeper_(module_, options.selector, std::move(pin)),
      info_(info_from(*module_, keeper_)),
      offered_(offered_by(*module_, keeper_.slot().slot_id)),
      pool_(keeper_, options.sessions, options.parallel_generations, options.queue_limit,
            [this](Session& session) { orphans_.destroy_all(session); }) {}

void TokenImpl::sweep_until(Deadline deadline) noexcept {
  try {
    pool_.run(JobKind::cleanup, deadline, [orphans = &orphans_](Session& session) {
      orphans->destroy_all(session);
      return true;
    });
  } catch (const std::exception& error) {
    log::warning("keys are still to be destroyed", {{"cause", error.what()}});
  }
}

void TokenImpl::discard(const Uuid& id) noexcept {
  log::info("key is to be destroyed", {{"id", id.to_string()}});
  orphans_.add(objects_.of(id), Orphans::Made::surely);
  sweep_until(deadline_in(kDiscardDeadline));
}

void TokenImpl::sweep() noexcept {
  try {
    if (orphans_.due()) pool_.post([orphans = &orphans_](Session& session) { orphans->destroy_all(session); });
  } catch (const std::exception& error) {
    log::warning("keys are still to be destroyed", {{"cause", error.what()}});
  }
}

void TokenImpl::last_sweep() noexcept {
  if (orphans_.due()) sweep_until(deadline_in(kDiscardDeadline));
  // Now, because a token that hangs may keep this process from ending in an orderly way.
  orphans_.log_remaining();
}

GeneratedKey::GeneratedKey(std::shared_ptr<TokenImpl> token, std::shared_ptr<TokenKey> key, KeyAttributes attributes)
    : token_(std::move(token)), key_(std::move(key)), attributes_(std::move(attributes)) {}

GeneratedKey::~GeneratedKey() {
  if (token_) token_->discard(key_->id());
}

Token::Token(std::shared_ptr<TokenImpl> impl) : impl_(std::move(impl)) {}

Token::~Token() { impl_->last_sweep(); }

std::unique_ptr<Token> Token::open(const TokenOptions& options, Secret pin) {
  auto impl = std::make_shared<TokenImpl>(options, std::move(pin));
  const TokenInfo& token = impl->info();
  log::info("token opened", {{"label", token.label},
                             {"serial", token.serial},
                             {"manufacturer", token.manufacturer},
                             {"model", token.model},
                             {"module", token.module_path},
                             {"sessions", impl->pool().sessions()}});
  return std::unique_ptr<Token>(new Token(std::move(impl)));
}

const TokenInfo& Token::info() const noexcept { return impl_->info(); }

bool Token::can_generate(KeyAlgorithm algorithm) const noexcept { return impl_->can_generate(algorithm); }

GeneratedKey Token::generate(const KeyRequest& request, Deadline deadline) {
  if (!can_generate(request.algorithm)) {
    throw Error(ErrorKind::token_unavailable,
                {"the token does not make keys of the kind " + std::string(hsmsigner::info(request.algorithm).name)});
  }
  TokenImpl* const impl = impl_.get();
  MadeKey made = impl->pool().run(
      JobKind::generation, deadline,
      [impl, object = impl->objects().of(request.id), request](Session& session) {
        return make_key(session, *impl, object, request);
      },
      [impl](MadeKey& late) {
        log::warning("key made too late", {{"id", late.object->id().to_string()}});
        impl->orphans().add(late.object, Orphans::Made::surely);
        impl->sweep();
      });
  // The token works: a good moment for what it would not destroy before.
  impl->sweep();
  return GeneratedKey(impl_, make_token_key(impl_, request.id, std::move(made.public_key)), std::move(made.attributes));
}

std::shared_ptr<TokenKey> Token::key(const Uuid& id, PublicKey public_key) {
  return make_token_key(impl_, id, std::move(public_key));
}

Bytes Token::random(std::size_t count, Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [count](Session& session) {
    Bytes octets(count);
    check("C_GenerateRandom", session.ck().C_GenerateRandom(session.handle(), octets.data(), octets.size()));
    return octets;
  });
}

KeyAttributes Token::attributes(const Uuid& id, Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [id](Session& session) {
    const auto handle = find_private_key(session, id);
    if (!handle) throw no_such_key(id);
    return read_attributes(session, *handle);
  });
}

void Token::destroy(const Uuid& id, Deadline deadline) {
  impl_->pool().run(JobKind::quick, deadline,
                    [object = impl_->objects().of(id), tried = false](Session& session) mutable {
                      try {
                        const bool found = destroy_key(session, *object);
                        // On a second try the key may be gone because the first one did it before it failed.
                        if (!found && !tried) throw no_such_key(object->id());
                        return found;
                      } catch (const CkFailure& failure) {
                        tried = tried || !changed_nothing(failure.rv());
                        throw;
                      }
                    });
}

std::size_t Token::count_private_keys(Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [](Session& session) { return hsm::count_private_keys(session); });
}

}  // namespace hsmsigner::hsm
