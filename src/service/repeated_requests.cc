#include "service/repeated_requests.h"

#include "auth/sealing.h"
#include "base/error.h"
#include "base/log.h"

namespace hsmsigner::service {
namespace {

constexpr std::chrono::minutes kForgetInterval{10};
constexpr std::size_t kForgetAtOnce = 1000;

// An answer opens only for the account and the key that it was sealed for.
std::string context_of(const std::string& client_id, const std::string& request_hash) {
  return client_id + "\n" + request_hash;
}

}  // namespace

RepeatedRequests::Turn::Turn(RepeatedRequests& owner, std::string client_id, std::string key, std::string request_hash)
    : owner_(&owner),
      client_id_(std::move(client_id)),
      key_(std::move(key)),
      key_digest_(auth::keyed_digest(key_, "idempotency key")),
      request_hash_(std::move(request_hash)) {}

RepeatedRequests::Turn::Turn(Turn&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)),
      client_id_(std::move(other.client_id_)),
      key_(std::move(other.key_)),
      key_digest_(std::move(other.key_digest_)),
      request_hash_(std::move(other.request_hash_)),
      earlier_(std::move(other.earlier_)) {}

RepeatedRequests::Turn::~Turn() {
  cleanse(key_);
  if (owner_ != nullptr) owner_->end({client_id_, key_digest_});
}

store::AnswerRecord RepeatedRequests::Turn::keep(std::string_view answer) const {
  const UnixTime now = owner_->clock_();
  return {.client_id = client_id_,
          .key_hash = key_digest_,
          .request_hash = request_hash_,
          .sealed = auth::seal(key_, context_of(client_id_, request_hash_), answer),
          .created_at = now,
          .replaces_before = now - kAnswerLifetime};
}

RepeatedRequests::Turn RepeatedRequests::begin(const std::string& client_id, const std::string& key,
                                               std::string_view request, Deadline deadline) {
  forget_old();
  Turn turn(*this, client_id, key, auth::keyed_digest(key, "request", request));
  {
    std::unique_lock lock(mutex_);
    const Entry entry{turn.client_id_, turn.key_digest_};
    if (!ended_.wait_until(lock, deadline, [&] { return under_way_.insert(entry).second; })) {
      turn.owner_ = nullptr;  // another one's turn is not ended here
      throw Error(ErrorKind::session_timeout, {"Idempotency-Key: the first request with this key is still under way"});
    }
  }
  const auto kept = answers_.find(turn.client_id_, turn.key_digest_, clock_() - kAnswerLifetime);
  if (!kept) return turn;
  if (kept->request_hash != turn.request_hash_) {
    throw Error(ErrorKind::object_not_unique, {"Idempotency-Key: was used with another request"})
        .with_help("Send the same request again to have its answer once more, or take a new key.");
  }
  turn.earlier_ = auth::open_sealed(key, context_of(client_id, turn.request_hash_), kept->sealed);
  if (!turn.earlier_) throw Error(ErrorKind::internal_error).with_cause("a kept answer does not open");
  return turn;
}

void RepeatedRequests::end(const Entry& entry) {
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(entry);
  }
  ended_.notify_all();
}

void RepeatedRequests::forget_old() {
  {
    const std::lock_guard lock(mutex_);
    if (std::chrono::steady_clock::now() < forget_at_) return;
    forget_at_ = deadline_in(kForgetInterval);
  }
  try {
    // A piece at a time, so that other writes come in between.
    const Deadline deadline = deadline_in(std::chrono::seconds(5));
    while (answers_.erase_before(clock_() - kAnswerLifetime, kForgetAtOnce, deadline) == kForgetAtOnce) continue;
  } catch (const Error& error) {
    log::warning("old answers stay for now", {{"cause", error.what()}});
  }
}

}  // namespace hsmsigner::service
