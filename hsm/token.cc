#include "hsm/token.h"

#include <map>

#include "base/log.h"
#include "hsm/ck_result.h"
#include "hsm/key_exchange.h"
#include "hsm/key_reader.h"
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

// Runs `make(Session&)` on a worker. The key belongs to who asked for it; when that one is gone, to nobody.
template <typename Make>
GeneratedKey make_in_worker(const std::shared_ptr<TokenImpl>& token, const Uuid& id, Deadline deadline, Make make) {
  TokenImpl* const impl = token.get();
  MadeKey made = impl->pool().run(JobKind::generation, deadline, std::move(make), [impl](MadeKey& late) {
    log::warning("key made too late", {{"id", late.object->id().to_string()}});
    impl->orphans().add(late.object, Orphans::Made::surely);
    impl->sweep();
  });
  // The token works: a good moment for what it would not destroy before.
  impl->sweep();
  return GeneratedKey(token, make_token_key(token, id, std::move(made.public_key)), std::move(made.attributes));
}

}  // namespace

Error no_such_key(const Uuid& id, SourcePlace where) {
  return Error(ErrorKind::object_not_present, {"the token has no key with the id " + id.to_string()}, where);
}

TokenImpl::TokenImpl(const TokenOptions& options, Secret pin)
    : incidents_(options.on_incident),
      module_(Module::load(options.module_path, options.module_init)),
      keeper_(module_, options.selector, std::move(pin)),
      info_(info_from(*module_, keeper_)),
      capabilities_(capabilities_of(*module_, keeper_.slot().slot_id)),
      orphans_(incidents_),
      pool_(keeper_, incidents_, options.sessions, options.parallel_generations, options.parallel_ahead,
            options.queue_limit, [this](Session& session) { orphans_.destroy_all(session); }) {}

bool TokenImpl::unwraps_as_asked(CK_MECHANISM_TYPE mechanism, bool block_export) const {
  const std::lock_guard lock(mutex_);
  return !unwrapped_otherwise_.contains({mechanism, block_export});
}

void TokenImpl::unwraps_otherwise(CK_MECHANISM_TYPE mechanism, bool block_export) {
  const std::lock_guard lock(mutex_);
  unwrapped_otherwise_.emplace(mechanism, block_export);
}

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

GeneratedKey generate_key(const std::shared_ptr<TokenImpl>& token, const KeyRequest& request, Deadline deadline,
                          std::function<void(const MadeKey&)> judge) {
  return make_in_worker(
      token, request.id, deadline,
      [impl = token.get(), object = token->objects().of(request.id), request,
       judge = std::move(judge)](Session& session) { return make_key(session, *impl, object, request, judge); });
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

bool Token::is_lost() const noexcept { return impl_->incidents().is_lost(); }

TokenLoad Token::load() const { return impl_->pool().load(); }

bool Token::can_generate(KeyAlgorithm algorithm) const noexcept {
  return impl_->capabilities().generates.contains(algorithm);
}

GeneratedKey Token::generate(const KeyRequest& request, Deadline deadline) {
  if (!can_generate(request.algorithm)) {
    throw Error(ErrorKind::token_unavailable,
                {"the token does not make keys of the kind " + std::string(hsmsigner::info(request.algorithm).name)});
  }
  return make_in_worker(impl_, request.id, deadline,
                        [impl = impl_.get(), object = impl_->objects().of(request.id), request](Session& session) {
                          return make_key(session, *impl, object, request);
                        });
}

GeneratedKey Token::import_key(const ImportRequest& request, std::shared_ptr<const PrivateKey> key, Deadline deadline) {
  check_import(impl_->capabilities(), key->public_key());
  return make_in_worker(impl_, request.id, deadline,
                        [impl = impl_.get(), object = impl_->objects().of(request.id), request, key](Session& session) {
                          return import_key_into(session, *impl, object, request, *key);
                        });
}

Secret Token::export_key(const Uuid& id, Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline,
                           [impl = impl_.get(), object = impl_->objects().of(id)](Session& session) {
                             return export_key_from(session, impl->capabilities(), *object);
                           });
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

std::vector<ListedKey> Token::private_keys(Deadline deadline) {
  return impl_->pool().run(JobKind::quick, deadline, [impl = impl_.get()](Session& session) {
    std::vector<WalkedKey> walked = walk_private_keys(session);
    std::map<Bytes, std::size_t> with_id;
    for (const WalkedKey& each : walked) ++with_id[each.key.id];
    std::vector<ListedKey> keys;
    keys.reserve(walked.size());
    for (WalkedKey& each : walked) {
      const std::optional<Uuid> id = Uuid::from_bytes(each.key.id);
      if (id && with_id[each.key.id] == 1) {
        each.key.found = impl->objects().of(*id);
        each.key.found->learn(each.handle, session.epoch());
      }
      keys.push_back(std::move(each.key));
    }
    return keys;
  });
}

}  // namespace hsmsigner::hsm
