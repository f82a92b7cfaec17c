// The header Idempotency-Key: a request that makes something, sent again, is answered as before.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/answer.h"
#include "api/call.h"

namespace hsmsigner::api {

// How long a key must be where the answer holds a client secret: what opens a kept answer must not be guessed.
inline constexpr std::size_t kLeastSecretKey = 16;

// The key of a request, if it has one, and its turn under it.
class OnceOnly {
 public:
  // Waits while the same request is under way. Throws Error: invalid_object for a key that is none (1 to 255 visible
  // ASCII characters, at least `least` of them), object_not_unique for one that was used with another request,
  // session_timeout.
  OnceOnly(const Call& call, std::string_view body, std::size_t least = 1);

  // What was answered before.
  std::optional<Answer> earlier() const;
  // The row that keeps `answer`; nothing to keep without a key.
  store::AnswerRecord keep(const Answer& answer) const;
  bool has_key() const noexcept { return turn_.has_value(); }

 private:
  std::optional<service::RepeatedRequests::Turn> turn_;
};

// Makes something once. `make` is handed what keeps the answer in the transaction that makes it (empty without a key),
// and `compose` puts the answer together: what is answered is what is kept for the same request sent again.
template <typename Made, typename Compose, typename Make>
Answer answer_once(const OnceOnly& once, const Compose& compose, const Make& make) {
  if (auto earlier = once.earlier()) return *std::move(earlier);
  std::optional<Answer> kept;
  std::function<store::AnswerRecord(const Made&)> keep;
  if (once.has_key()) {
    keep = [&](const Made& made) {
      kept = compose(made);
      return once.keep(*kept);
    };
  }
  const Made made = make(keep);
  return kept ? *std::move(kept) : compose(made);
}

}  // namespace hsmsigner::api
