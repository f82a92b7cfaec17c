// A profile's dated steps under a clock that is set, with a real token and a real database.
#include <doctest/doctest.h>

#include "base/error.h"
#include "policy/policies.h"
#include "service/generation.h"
#include "service/name_reservations.h"
#include "store/store.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

namespace {

class World {
 public:
  explicit World(const std::string& rules) {
    directory_.write("own.toml", "name = \"own\"\ndescription = \"d\"\n[rules]\n" + rules);
    token_ = hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {hsm_.label(), ""}},
                              Secret(hsm_.pin()));
    tokens_ = std::make_unique<service::TokenSet>(*token_);
    database_ = store::Store::open({.path = directory_.file("store.db")});
    policies_ = policy::Policies::load({"own", directory_.file(""), {}});
    generation_ = std::make_unique<service::Generation>(*tokens_, database_->certificates(), names_, policies_,
                                                        [this] { return now; });
  }

  // "" when it is made; else the faults, and that nothing was left.
  std::string generate(int length, bool authority = false) {
    service::GenerateRequest request;
    request.container = Container{ContainerKind::folder, "F"};
    request.algorithm = KeyAlgorithm::ec_p256;
    request.certificate_name = "c" + std::to_string(++made_);
    request.common_name = "www.example.com";
    request.digest = Digest::sha256;
    request.certificate_authority = authority;
    request.days = length;
    const std::size_t keys = token_->count_private_keys(deadline_in(seconds(5)));
    try {
      generation_->generate(auth::Caller::service(), std::move(request), deadline_in(seconds(20)));
      CHECK(token_->count_private_keys(deadline_in(seconds(5))) == keys + 1);
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::invalid_object);
      CHECK(token_->count_private_keys(deadline_in(seconds(5))) == keys);
      std::string text;
      for (const std::string& detail : error.details()) text += detail;
      return text;
    }
  }

  UnixTime now = sys_days(year(2026) / 11 / 25);

 private:
  int made_ = 0;
  test_support::SoftHsm hsm_;
  test_support::TemporaryDirectory directory_;
  std::unique_ptr<hsm::Token> token_;
  std::unique_ptr<service::TokenSet> tokens_;
  std::unique_ptr<store::Store> database_;
  policy::Policies policies_;
  service::NameReservations names_;
  std::unique_ptr<service::Generation> generation_;
};

}  // namespace

TEST_CASE("the longest validity follows the clock, step by step") {
  World world(
      "max-leaf-days = [{ from = 2026-03-15, days = 200 }, { from = 2027-03-15, days = 100 }, "
      "{ from = 2029-03-15, days = 47 }]\nmax-ca-days = 1000\n");
  struct Row {
    UnixTime now;
    int days;  // longest of the field: the last second counts
    const char* since;
  };
  for (const Row& row : {
           Row{sys_days(year(2026) / 3 / 15), 199, "2026-03-15"},
           Row{sys_days(year(2027) / 3 / 15) - seconds(1), 199, "2026-03-15"},
           Row{sys_days(year(2027) / 3 / 15), 99, "2027-03-15"},
           Row{sys_days(year(2029) / 3 / 15) - seconds(1), 99, "2027-03-15"},
           Row{sys_days(year(2029) / 3 / 15), 46, "2029-03-15"},
       }) {
    world.now = row.now;
    CAPTURE(row.since);
    CHECK(world.generate(row.days) == "");
    const std::string refusal = world.generate(row.days + 1);
    CAPTURE(refusal);
    CHECK(refusal.starts_with("day_till_expiration: profile own, rule max-leaf-days: "));
    CHECK(refusal.find(std::string("since ") + row.since) != std::string::npos);
    CHECK(refusal.find("day_till_expiration can be " + std::to_string(row.days) + " at most") != std::string::npos);
    CHECK(world.generate(999, true) == "");
    CHECK(world.generate(1000, true).starts_with("day_till_expiration: profile own, rule max-ca-days: "));
  }
  world.now = sys_days(year(2026) / 3 / 15) - seconds(1);
  CHECK(world.generate(199) == "");
  CHECK(world.generate(200).find("the profile's first step also holds") != std::string::npos);
}
