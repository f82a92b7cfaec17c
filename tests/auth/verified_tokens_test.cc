#include "auth/verified_tokens.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "base/error.h"
#include "rsa_signer.h"

using namespace hsmsigner;
using namespace hsmsigner::auth;
using namespace test_support;
using std::chrono::seconds;

namespace {

const UnixTime kNow{seconds(1'790'000'000)};

std::string issue(const std::string& token_id, UnixTime issued_at = kNow) {
  AccessTokenClaims claims;
  claims.client_id = "client";
  claims.scope = "scope of " + token_id;
  claims.generation = 7;
  claims.previous_secret = true;
  claims.token_id = token_id;
  claims.issued_at = issued_at;
  claims.expires_at = issued_at + kAccessTokenLifetime;
  return issue_access_token(claims, kOurKid, our_signer(), deadline_in(seconds(10)));
}

std::optional<ErrorKind> refusal(VerifiedTokens& tokens, const std::string& token, UnixTime now,
                                 const FindKey& keys = our_keys()) {
  try {
    tokens.verify(token, keys, now);
  } catch (const Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a token is verified once, and gives the same claims again") {
  VerifiedTokens tokens;
  const std::string token = issue("one");
  const AccessTokenClaims plain = verify_access_token(token, our_keys(), kNow);
  for (std::uint64_t call = 0; call < 3; ++call) {
    const AccessTokenClaims claims = tokens.verify(token, our_keys(), kNow + seconds(call));
    CHECK(tokens.hits() == call);
    CHECK(claims.client_id == plain.client_id);
    CHECK(claims.scope == plain.scope);
    CHECK(claims.generation == plain.generation);
    CHECK(claims.previous_secret == plain.previous_secret);
    CHECK(claims.token_id == plain.token_id);
    CHECK((claims.issued_at == plain.issued_at));
    CHECK((claims.expires_at == plain.expires_at));
  }
  CHECK(tokens.size() == 1);
}

TEST_CASE("a token that is remembered expires to the second") {
  VerifiedTokens tokens;
  const std::string token = issue("one");
  CHECK_FALSE(refusal(tokens, token, kNow));
  CHECK_FALSE(refusal(tokens, token, kNow + kAccessTokenLifetime - seconds(1)));
  CHECK(tokens.hits() == 1);
  CHECK((refusal(tokens, token, kNow + kAccessTokenLifetime) == ErrorKind::key_expired));
  CHECK((refusal(tokens, token, kNow + kAccessTokenLifetime + seconds(1)) == ErrorKind::key_expired));
  CHECK(tokens.hits() == 1);
}

TEST_CASE("a token whose key is gone, or is another now, is refused at once") {
  VerifiedTokens tokens;
  const std::string token = issue("one");
  CHECK_FALSE(refusal(tokens, token, kNow));
  CHECK((refusal(tokens, token, kNow, [](std::string_view) { return std::nullopt; }) == ErrorKind::invalid_credential));
  CHECK((refusal(tokens, token, kNow, [](std::string_view) { return std::optional(strangers_signer().rsa()); }) ==
         ErrorKind::invalid_credential));
  CHECK(tokens.hits() == 0);
  CHECK_FALSE(refusal(tokens, token, kNow));
}

TEST_CASE("a clock that goes back makes a remembered token as new as it then is") {
  VerifiedTokens tokens;
  const std::string token = issue("one");
  CHECK_FALSE(refusal(tokens, token, kNow));
  CHECK((refusal(tokens, token, kNow - seconds(61)) == ErrorKind::invalid_credential));  // not valid yet
  CHECK_FALSE(refusal(tokens, token, kNow - seconds(60)));
  CHECK(tokens.hits() == 0);
}

TEST_CASE("nothing that is wrong is remembered, nor taken for what is") {
  VerifiedTokens tokens;
  const std::string token = issue("one");
  CHECK_FALSE(refusal(tokens, token, kNow));
  for (std::size_t i = 0; i < token.size(); i += 7) {
    std::string wrong = token;
    wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
    CHECK((refusal(tokens, wrong, kNow) == ErrorKind::invalid_credential));
  }
  CHECK((refusal(tokens, token + ".", kNow) == ErrorKind::invalid_credential));
  CHECK((refusal(tokens, token.substr(0, token.size() - 1), kNow) == ErrorKind::invalid_credential));
  CHECK((refusal(tokens, "", kNow) == ErrorKind::invalid_credential));
  CHECK((refusal(tokens, std::string(kMaxAccessTokenOctets + 1, 'A'), kNow) == ErrorKind::key_too_long));
  CHECK(tokens.size() == 1);
  CHECK(tokens.hits() == 0);
}

TEST_CASE("no more are remembered than there is room for, the oldest go") {
  VerifiedTokens tokens(3);
  std::vector<std::string> issued;
  for (int i = 0; i < 5; ++i) {
    issued.push_back(issue(std::to_string(i)));
    CHECK_FALSE(refusal(tokens, issued.back(), kNow));
    CHECK(tokens.size() == std::min<std::size_t>(issued.size(), 3));
  }
  for (int i = 2; i < 5; ++i) CHECK_FALSE(refusal(tokens, issued[static_cast<std::size_t>(i)], kNow));
  CHECK(tokens.hits() == 3);
  CHECK_FALSE(refusal(tokens, issued[0], kNow));  // verified anew
  CHECK(tokens.hits() == 3);
  CHECK(tokens.size() == 3);

  VerifiedTokens none(0);
  CHECK_FALSE(refusal(none, issued[0], kNow));
  CHECK_FALSE(refusal(none, issued[0], kNow));
  CHECK(none.size() == 0);
}

TEST_CASE("many threads may verify at once, more tokens than there is room for") {
  VerifiedTokens tokens(4);
  std::vector<std::string> issued;
  for (int i = 0; i < 8; ++i) issued.push_back(issue(std::to_string(i)));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto number = static_cast<std::size_t>((i + t) % 8);
        if (tokens.verify(issued[number], our_keys(), kNow).token_id != std::to_string(number)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(tokens.size() == 4);
}
