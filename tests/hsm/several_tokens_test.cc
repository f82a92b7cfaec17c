// Several tokens through one module: it is initialised once, and the loss of one token leaves the others alone.
#include <doctest/doctest.h>

#include "hsm/faulty_token.h"

using namespace hsm_faults;

TEST_CASE("two tokens of one module work side by side, and the loss of one does not reload it under the other") {
  FaultyToken faulty;
  faulty.softhsm.add_token("second");
  TokenOptions options = faulty.options();
  const auto first = Token::open(options, Secret(faulty.softhsm.pin()));
  options.selector.label = "second";
  const auto second = Token::open(options, Secret(faulty.softhsm.pin()));
  CHECK(first->info().serial != second->info().serial);
  CHECK(faulty.faults.calls("C_Initialize") == 1);

  GeneratedKey in_first = FaultyToken::generate(*first);
  GeneratedKey in_second = FaultyToken::generate(*second);
  CHECK(FaultyToken::sign(in_first).size() > 0);
  CHECK(FaultyToken::sign(in_second).size() > 0);
  CHECK(first->count_private_keys(soon()) == 1);
  CHECK(second->count_private_keys(soon()) == 1);

  // The second one is away, as far as its keeper can see. The first one has no need to log in.
  faulty.faults.plan("C_GenerateRandom rv=CKR_DEVICE_ERROR\nC_Login rv=CKR_DEVICE_REMOVED\n");
  const Deadline end = deadline_in(seconds(5));
  while (std::chrono::steady_clock::now() < end && faulty.faults.calls("C_Login") < 6) {
    CHECK(told_by([&] { second->random(8, soon()); }).kind == ErrorKind::token_unavailable);
    CHECK(FaultyToken::sign(in_first).size() > 0);
    std::this_thread::sleep_for(milliseconds(20));
  }
  CHECK(faulty.faults.calls("C_Login") >= 6);  // it is looked for again and again
  CHECK(faulty.faults.calls("C_Finalize") == 0);
  CHECK(faulty.faults.calls("C_Initialize") == 1);

  faulty.faults.plan("");
  const Deadline back = deadline_in(seconds(30));
  std::size_t octets = 0;
  while (octets == 0 && std::chrono::steady_clock::now() < back) {
    try {
      octets = second->random(8, soon()).size();
    } catch (const Error&) {
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
  CHECK(octets == 8);
  CHECK(FaultyToken::sign(in_second).size() > 0);
  CHECK(faulty.faults.calls("C_Initialize") == 1);
}
