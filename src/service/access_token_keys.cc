#include "service/access_token_keys.h"

#include "auth/access_token.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::service {
namespace {

// Beyond the lifetime of a token: clocks differ.
constexpr std::chrono::seconds kOverlap = auth::kAccessTokenLifetime + std::chrono::seconds(60);
constexpr KeyAlgorithm kAlgorithm = KeyAlgorithm::rsa_2048;  // RFC 7518 3.3: 2048 bits at least

RsaPublicKey public_key_of(const store::AccessTokenKeyRecord& record) { return {record.modulus, record.exponent}; }

}  // namespace

bool AccessTokenKeys::is_good(const store::AccessTokenKeyRecord& record, UnixTime now) const {
  return !record.retired_at || now < *record.retired_at + kOverlap;
}

std::shared_ptr<const AccessTokenKeys::Records> AccessTokenKeys::reload() {
  auto fresh = std::make_shared<const Records>(store_.access_token_keys());
  const std::lock_guard lock(mutex_);
  records_ = fresh;
  return fresh;
}

std::shared_ptr<const AccessTokenKeys::Records> AccessTokenKeys::records() {
  {
    const std::lock_guard lock(mutex_);
    if (records_) return records_;
  }
  return reload();
}

void AccessTokenKeys::ensure(Deadline deadline) {
  const auto known = reload();
  if (!known->empty() && !known->front().retired_at) {
    const auto& current = known->front();
    if (token_.key(current.id, public_key_of(current))->is_present(deadline)) return;
    log::warning("the key of access tokens is not in the token; a new one is made", {{"kid", current.id.to_string()}});
  }
  rotate({}, deadline);
}

std::string AccessTokenKeys::rotate(const audit::Origin& origin, Deadline deadline) {
  const Uuid id = Uuid::random();
  hsm::GeneratedKey made = token_.generate({id, kAlgorithm, true}, deadline);
  const auto& key = std::get<RsaPublicKey>(made.key()->public_key());
  const UnixTime now = clock_();
  const audit::Event event{.kind = audit::EventKind::access_token_key_made, .origin = origin, .object = id.to_string()};
  store_.add_access_token_key({id, key.modulus, key.exponent, now, std::nullopt}, deadline, {.event = &event});
  made.keep();
  log::info("key of access tokens made", {{"kid", id.to_string()}});
  const auto before = reload();  // kept: another thread's reload() lets go of it
  for (const auto& record : *before) {
    if (record.id == id || is_good(record, now)) continue;
    try {
      token_.destroy(record.id, deadline);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::object_not_present) {
        log::warning("an old key of access tokens stays for now",
                     {{"kid", record.id.to_string()}, {"cause", error.what()}});
        continue;
      }
    }
    const audit::Event destroyed{
        .kind = audit::EventKind::access_token_key_destroyed, .origin = origin, .object = record.id.to_string()};
    store_.erase_access_token_key(record.id, deadline, {.event = &destroyed});
    log::info("old key of access tokens destroyed", {{"kid", record.id.to_string()}});
  }
  reload();
  return id.to_string();
}

AccessTokenKeys::Signing AccessTokenKeys::signing_key() {
  const auto known = reload();
  if (known->empty() || known->front().retired_at) {
    throw Error(ErrorKind::token_unavailable, {"there is no key to sign access tokens with"});
  }
  const auto& current = known->front();
  return {current.id.to_string(), token_.key(current.id, public_key_of(current))};
}

std::optional<RsaPublicKey> AccessTokenKeys::find(std::string_view kid) {
  const auto id = Uuid::parse(kid);
  if (!id || id->to_string() != kid) return std::nullopt;
  const UnixTime now = clock_();
  const auto look = [&](const Records& records) -> std::optional<RsaPublicKey> {
    for (const auto& record : records) {
      if (record.id == *id && is_good(record, now)) return public_key_of(record);
    }
    return std::nullopt;
  };
  if (auto key = look(*records())) return key;
  return look(*reload());
}

std::vector<std::pair<std::string, RsaPublicKey>> AccessTokenKeys::published() {
  std::vector<std::pair<std::string, RsaPublicKey>> keys;
  const auto known = reload();  // kept: another thread's reload() lets go of it
  for (const auto& record : *known) {
    if (is_good(record, clock_())) keys.emplace_back(record.id.to_string(), public_key_of(record));
  }
  return keys;
}

}  // namespace hsmsigner::service
