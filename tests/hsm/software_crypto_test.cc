// What is opened of a wrapped key, and that nothing else stays of it.
#include "hsm/software_crypto.h"

#include <doctest/doctest.h>

#include <string>

#include "software_key.h"
#include "support/memory_search.h"

using namespace hsmsigner;
using namespace hsmsigner::hsm;
using hsm_contract::software_ec_key;
using hsm_contract::software_rsa_key;

namespace {

const Bytes kKey(kWrappingKeySize, 0x5a);

Bytes iv_of(WrappingForm form) { return Bytes(form == WrappingForm::cbc_pad ? kAesBlock : 0, 0x17); }

Bytes wrapped(WrappingForm form, const Secret& plain) { return wrap_key(form, kKey, iv_of(form), plain); }

std::optional<Secret> opened(WrappingForm form, const Bytes& octets) {
  return open_key(form, kKey, iv_of(form), octets);
}

constexpr WrappingForm kForms[] = {WrappingForm::key_wrap_pad, WrappingForm::cbc_pad};

}  // namespace

TEST_CASE("a wrapped key opens to the octets it was, without the zeros that fill up a block") {
  for (const WrappingForm form : kForms) {
    for (const auto& key : {software_rsa_key(1024), software_ec_key(KeyAlgorithm::ec_p256)}) {
      const std::string pkcs8(key->pkcs8.view());
      for (std::size_t zeros = 0; zeros < 18; ++zeros) {
        CAPTURE(zeros);
        const auto result = opened(form, wrapped(form, Secret(pkcs8 + std::string(zeros, '\0'))));
        CHECK(result.has_value() == (zeros < kAesBlock));
        if (result) CHECK(result->view() == pkcs8);
      }
      CHECK_FALSE(opened(form, wrapped(form, Secret(pkcs8 + '\1'))));
    }
  }
}

TEST_CASE("what is no SEQUENCE, or was wrapped under another key, does not open") {
  for (const WrappingForm form : kForms) {
    const std::string content(300, 'x');
    for (const std::string& plain :
         {std::string(1, '\0'), std::string("\x30"), std::string("\x30\x80\0\0", 4), std::string("\x30\x05xxxx"),
          std::string("\x31\x04xxxx"), std::string("\x30\x82\x01"), "\x30\x82\x01\x2d" + content,
          "\x30\x85\x01\x01\x01\x01\x01" + content, std::string("\x30\x84\xff\xff\xff\xff") + content}) {
      CAPTURE(plain.size());
      CHECK_FALSE(opened(form, wrapped(form, Secret(plain))));
    }
    CHECK(opened(form, wrapped(form, Secret("\x30\x82\x01\x2c" + content))));
    CHECK(opened(form, wrapped(form, Secret(std::string("\x30\x04xxxx")))));

    const Bytes good = wrapped(form, software_rsa_key(1024)->pkcs8);
    CHECK_FALSE(open_key(form, Bytes(kWrappingKeySize, 0x5b), iv_of(form), good));
    CHECK_FALSE(opened(form, Bytes(good.begin(), good.end() - 1)));
    CHECK_FALSE(opened(form, Bytes()));
    Bytes changed = good;
    changed.back() ^= 1;
    CHECK_FALSE(opened(form, changed));
  }
}

#ifndef HSM_SIGNER_SANITIZED
TEST_CASE("nothing of a key stays in memory when it was opened and dropped") {
  for (const WrappingForm form : kForms) {
    for (const bool rsa : {true, false}) {
      CAPTURE(rsa);
      Bytes octets;
      std::string needle;
      {
        const auto key = rsa ? software_rsa_key(2048) : software_ec_key(KeyAlgorithm::ec_p521);
        octets = wrapped(form, key->pkcs8);
      }
      {
        const auto key = opened(form, octets);
        REQUIRE(key);
        // Within the private numbers of either kind.
        needle = test_support::complement(key->view().substr(rsa ? 400 : 40, 24));
        CHECK(test_support::copies_of(needle) >= 1);
      }
      const std::size_t before = test_support::copies_of(needle);
      opened(form, octets);
      CHECK(test_support::copies_of(needle) == before);
    }
  }
}
#endif
