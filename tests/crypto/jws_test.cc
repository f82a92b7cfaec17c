// JWS as this service makes them: verified by openssl, and told from everything that is not one of them.
#include "crypto/jws.h"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <algorithm>
#include <string>

#include "base/base64.h"
#include "base/der.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/public_key_info.h"
#include "support/command.h"
#include "support/software_signer.h"
#include "support/temporary_directory.h"

using namespace hsmsigner;
using namespace test_support;
using crypto::read_jws;
using crypto::sign_jws;
using crypto::verifies_jws;

namespace {

constexpr const char* kType = "hsm-signer-test+jws";
constexpr const char* kKeyId = "6f1d2c3b-0000-4000-8000-0123456789ab";
constexpr KeyAlgorithm kAlgorithms[] = {KeyAlgorithm::ec_p256, KeyAlgorithm::rsa_2048};

ByteView octets(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string text_of(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }
Deadline soon() { return deadline_in(std::chrono::seconds(10)); }

std::string signed_by(Signer& signer, std::string_view payload, std::string_view type = kType) {
  return sign_jws(type, kKeyId, payload, signer, soon());
}

struct Split {
  std::string header, payload, signature;
};
Split split(const std::string& jws) {
  const std::size_t first = jws.find('.');
  const std::size_t second = jws.find('.', first + 1);
  return {jws.substr(0, first), jws.substr(first + 1, second - first - 1), jws.substr(second + 1)};
}

// r ‖ s, or the RSA block, as openssl takes it.
Bytes openssl_signature(const Bytes& raw, KeyAlgorithm algorithm) {
  if (info(algorithm).family == KeyFamily::rsa) return raw;
  Bytes numbers;
  append_der_unsigned(numbers, ByteView(raw).first(32));
  append_der_unsigned(numbers, ByteView(raw).subspan(32));
  Bytes der;
  append_der(der, der_tag::sequence, numbers);
  return der;
}

// A signature that is right over any header and payload.
std::string forge(std::string_view header, std::string_view payload, KeyAlgorithm algorithm) {
  SoftwareSigner& signer = shared_signer(algorithm);
  const std::string text = to_base64url(octets(header)) + "." + to_base64url(octets(payload));
  Bytes signature = signer.sign(Digest::sha256, crypto::hash(Digest::sha256, octets(text)), soon());
  if (info(algorithm).family == KeyFamily::ec) {
    // DER of two numbers of at most 33 octets each: headers of two octets.
    Bytes pair(64);
    std::size_t at = 2;
    for (std::size_t number = 0; number < 2; ++number) {
      const std::size_t size = signature[at + 1];
      const ByteView content = ByteView(signature).subspan(at + 2, size);
      const ByteView magnitude = content.front() == 0 ? content.subspan(1) : content;
      std::copy(magnitude.begin(), magnitude.end(),
                pair.begin() + static_cast<std::ptrdiff_t>(32 * (number + 1) - magnitude.size()));
      at += 2 + size;
    }
    signature = pair;
  }
  return text + "." + to_base64url(signature);
}

std::string header(const std::string& algorithm) {
  return R"({"alg":")" + algorithm + R"(","typ":")" + kType + R"(","kid":")" + kKeyId + R"("})";
}
std::string name_of(KeyAlgorithm algorithm) { return info(algorithm).family == KeyFamily::ec ? "ES256" : "RS256"; }

std::string refusal(const std::string& text) {
  try {
    read_jws(text);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid_object);
    REQUIRE(error.details().size() == 1);
    return error.details().front();
  }
  return "";
}

}  // namespace

TEST_CASE("a JWS verifies with openssl dgst, whatever its payload") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    SoftwareSigner& signer = shared_signer(algorithm);
    for (const std::string& payload :
         {std::string(), std::string("{\"a\":1}"), std::string("\0\xff\n.", 4), std::string(100000, 'x')}) {
      CAPTURE(info(algorithm).name);
      CAPTURE(payload.size());
      const std::string jws = signed_by(signer, payload);
      const Split parts = split(jws);
      CHECK(text_of(from_base64url(parts.header).value()) == header(name_of(algorithm)));
      CHECK(text_of(from_base64url(parts.payload).value()) == payload);

      const TemporaryDirectory directory;
      const Bytes signature = openssl_signature(from_base64url(parts.signature).value(), algorithm);
      const auto judged = run_command({"openssl", "dgst", "-sha256", "-verify",
                                       directory.write("key.pem", crypto::public_key_pem(signer.public_key())),
                                       "-signature", directory.write("signature", text_of(signature)),
                                       directory.write("text", parts.header + "." + parts.payload)});
      CHECK(judged.exit_code == 0);
      CHECK(judged.out == "Verified OK\n");

      CHECK(verifies_jws(jws, signer.public_key()));
      const crypto::Jws read = read_jws(jws);
      CHECK(read.type == kType);
      CHECK(read.key_id == kKeyId);
      CHECK(read.payload == payload);
    }
  }
}

TEST_CASE("numbers of an ES256 signature that begin with zeros keep their 32 octets") {
  // One in 128 begins so.
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  std::size_t short_ones = 0;
  for (int i = 0; i < 2000 && short_ones < 4; ++i) {
    const std::string jws = signed_by(signer, std::to_string(i));
    const Bytes pair = from_base64url(split(jws).signature).value();
    REQUIRE(pair.size() == 64);
    if (pair[0] != 0 && pair[32] != 0) continue;
    ++short_ones;
    CHECK(verifies_jws(jws, signer.public_key()));
  }
  CHECK(short_ones > 0);
}

TEST_CASE("a JWS changed, cut off or added to at any place does not verify") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    SoftwareSigner& signer = shared_signer(algorithm);
    const std::string jws = signed_by(signer, "{\"n\":\"1\"}");
    REQUIRE(verifies_jws(jws, signer.public_key()));
    for (std::size_t at = 0; at < jws.size(); ++at) {
      CAPTURE(at);
      for (const char other : {'A', 'Q', 'g', '_', '.', '=', '\0', ' ', '\n', '\xc3'}) {
        if (jws[at] == other) continue;
        std::string changed = jws;
        changed[at] = other;
        CHECK_FALSE(verifies_jws(changed, signer.public_key()));
      }
      // The neighbour in the alphabet, by which a text that is not canonical would differ.
      std::string neighbour = jws;
      neighbour[at] = static_cast<char>(jws[at] ^ 1);
      CHECK_FALSE(verifies_jws(neighbour, signer.public_key()));
      CHECK_FALSE(verifies_jws(jws.substr(0, at), signer.public_key()));
      CHECK_FALSE(verifies_jws(jws.substr(0, at) + "A" + jws.substr(at), signer.public_key()));
      CHECK_FALSE(verifies_jws(jws.substr(0, at) + jws.substr(at + 1), signer.public_key()));
    }
    for (const char* more : {".", "=", "==", "A", "\n", " ", ".e30"}) {
      CHECK_FALSE(verifies_jws(jws + more, signer.public_key()));
      CHECK_FALSE(verifies_jws(more + jws, signer.public_key()));
    }
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("a JWS verifies under no other key") {
  const std::string es256 = signed_by(shared_signer(KeyAlgorithm::ec_p256), "x");
  const std::string rs256 = signed_by(shared_signer(KeyAlgorithm::rsa_2048), "x");
  CHECK_FALSE(verifies_jws(es256, shared_signer(KeyAlgorithm::ec_p256, 1).public_key()));
  CHECK_FALSE(verifies_jws(rs256, shared_signer(KeyAlgorithm::rsa_2048, 1).public_key()));
  CHECK_FALSE(verifies_jws(es256, shared_signer(KeyAlgorithm::rsa_2048).public_key()));
  CHECK_FALSE(verifies_jws(rs256, shared_signer(KeyAlgorithm::ec_p256).public_key()));
  CHECK_FALSE(verifies_jws(es256, EcPublicKey{KeyAlgorithm::ec_p256, Bytes(65, 4)}));
  CHECK_FALSE(verifies_jws(rs256, RsaPublicKey{}));
}

TEST_CASE("the algorithm is the key's to name, not the header's") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    const PublicKey& key = shared_signer(algorithm).public_key();
    const std::string own = name_of(algorithm);
    CHECK(verifies_jws(forge(header(own), "x", algorithm), key));  // else the rest would say nothing
    for (const char* other : {"none", "None", "HS256", "RS256", "ES256", "ES384", "RS384", "RS512", "PS256", "EdDSA",
                              "es256", "rs256", ""}) {
      if (own == other) continue;
      CAPTURE(other);
      CHECK_FALSE(verifies_jws(forge(header(other), "x", algorithm), key));
    }
    // No signature, or one keyed with what everybody knows.
    const Split parts = split(forge(header(own), "x", algorithm));
    CHECK_FALSE(verifies_jws(parts.header + "." + parts.payload + ".", key));
  }
}

TEST_CASE("a header that this service does not write is refused, with a right signature too") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    const PublicKey& key = shared_signer(algorithm).public_key();
    const std::string alg = R"("alg":")" + name_of(algorithm) + R"(")";
    const std::string typ = R"("typ":")" + std::string(kType) + R"(")";
    const std::string kid = R"("kid":")" + std::string(kKeyId) + R"(")";
    for (const std::string& other : {std::string(),
                                     std::string("{}"),
                                     "{" + alg + "}",
                                     "{" + alg + "," + typ + "}",
                                     "{" + alg + "," + kid + "}",
                                     "{" + typ + "," + alg + "," + kid + "}",
                                     "{" + alg + "," + typ + "," + kid + R"(,"b64":false})",
                                     "{" + alg + "," + typ + "," + kid + R"(,"crit":["b64"]})",
                                     "{" + alg + "," + alg + "," + typ + "," + kid + "}",
                                     "{" + alg + ", " + typ + "," + kid + "}",
                                     "{" + alg + "," + typ + "," + kid + "}\n",
                                     " {" + alg + "," + typ + "," + kid + "}",
                                     "{" + alg + "," + typ + "," + kid + std::string("}\0", 2),
                                     "{" + alg + R"(,"typ":"","kid":"k"})",
                                     "{" + alg + R"(,"typ":"t","kid":""})",
                                     "{" + alg + R"(,"typ":"t","kid":"a\"b"})",
                                     "{" + alg + R"(,"typ":"t","kid":"a\u0041"})",
                                     "{" + alg + R"(,"typ":"t","kid":1})",
                                     "{" + alg + R"(,"typ":"t)" + '\n' + R"(","kid":"k"})",
                                     "{" + alg + R"(,"typ":")" + std::string(129, 't') + R"(","kid":"k"})"}) {
      CAPTURE(other);
      const std::string jws = forge(other, "x", algorithm);
      CHECK(refusal(jws) == "must be a JWS with the header that this service writes");
      CHECK_FALSE(verifies_jws(jws, key));
    }
  }
}

TEST_CASE("what is read is the type that was signed, so that none is taken for another") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const std::string one = signed_by(signer, "x", "hsm-signer-checkpoint+jws");
  const std::string other = signed_by(signer, "x", "hsm-signer-evidence+jws");
  CHECK(read_jws(one).type == "hsm-signer-checkpoint+jws");
  CHECK(read_jws(other).type == "hsm-signer-evidence+jws");
  const Split parts = split(one);
  const Split others = split(other);
  CHECK_FALSE(verifies_jws(others.header + "." + parts.payload + "." + parts.signature, signer.public_key()));
}

TEST_CASE("two texts are never the same JWS: base64url is canonical") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  // One octet of payload: two characters, whose last four bits say nothing.
  const Split parts = split(signed_by(signer, "x"));
  REQUIRE(parts.payload == "eA");
  for (const char* same : {"eB", "eP", "eA=", "eA==", "eA\n", "e A"}) {
    CHECK(refusal(parts.header + "." + same + "." + parts.signature) == "must be a JWS of three parts in base64url");
  }
  CHECK(refusal(parts.header + "." + parts.payload) == "must be a JWS of three parts");
  CHECK(refusal("") == "must be a JWS of three parts");
}

TEST_CASE("a signature in DER is none of ES256, and one of another length none at all") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const Split parts = split(signed_by(signer, "x"));
  const Bytes der = openssl_signature(from_base64url(parts.signature).value(), KeyAlgorithm::ec_p256);
  const std::string text = parts.header + "." + parts.payload + ".";
  CHECK_FALSE(verifies_jws(text + to_base64url(der), signer.public_key()));
  for (const std::size_t size : {0U, 1U, 63U, 65U, 96U, 128U}) {
    CHECK(refusal(text + to_base64url(Bytes(size, 1))) ==
          "must be a JWS whose signature is as long as its algorithm's are");
  }
  CHECK_FALSE(verifies_jws(text + to_base64url(Bytes(64, 0)), signer.public_key()));
  CHECK_FALSE(verifies_jws(text + to_base64url(Bytes(64, 0xff)), signer.public_key()));
}

TEST_CASE("what is longer than the limit is neither signed nor read, and what is as long is") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  const std::size_t around = signed_by(signer, "").size();
  const std::size_t most = (crypto::kMaxJwsOctets - around) / 4 * 3;
  const std::string longest = signed_by(signer, std::string(most, 'x'));
  CHECK(longest.size() <= crypto::kMaxJwsOctets);
  CHECK(longest.size() > crypto::kMaxJwsOctets - 4);
  CHECK(verifies_jws(longest, signer.public_key()));
  CHECK_THROWS_WITH(signed_by(signer, std::string(most + 3, 'x')), "invalid_object: is longer than 16777216 octets");
  CHECK(refusal(std::string(crypto::kMaxJwsOctets + 1, 'A')) == "is longer than 16777216 octets");
}

TEST_CASE("a key that is none of ES256 or RS256 signs no JWS, nor verifies one") {
  for (const KeyAlgorithm algorithm :
       {KeyAlgorithm::ec_p384, KeyAlgorithm::ec_p521, KeyAlgorithm::rsa_512, KeyAlgorithm::rsa_1024}) {
    CAPTURE(info(algorithm).name);
    SoftwareSigner& signer = shared_signer(algorithm);
    CHECK_THROWS_AS(signed_by(signer, "x"), Error);
    if (algorithm == KeyAlgorithm::rsa_1024) {
      CHECK_FALSE(verifies_jws(forge(header("RS256"), "x", algorithm), signer.public_key()));
    }
  }
}

TEST_CASE("types and key ids that JSON would escape are a fault of ours") {
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::ec_p256);
  for (const std::string& word : {std::string(), std::string("a\"b"), std::string("a\\b"), std::string("a\nb"),
                                  std::string("\xc3\xa4"), std::string(129, 'a')}) {
    CHECK_THROWS_AS(sign_jws(word, kKeyId, "x", signer, soon()), Error);
    CHECK_THROWS_AS(sign_jws(kType, word, "x", signer, soon()), Error);
  }
  CHECK_NOTHROW(sign_jws(std::string(128, 'a'), std::string(128, 'a'), "x", signer, soon()));
}

TEST_CASE("a signature that does not verify is not handed out") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    LyingSigner changed(shared_signer(algorithm), [](Bytes signature) {
      signature.back() ^= 1;
      return signature;
    });
    LyingSigner nothing(shared_signer(algorithm), [](const Bytes&) { return Bytes(); });
    CHECK_THROWS_AS(signed_by(changed, "x"), Error);
    CHECK_THROWS_AS(signed_by(nothing, "x"), Error);
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("the recipe of docs/EVIDENCE.md for RS256 verifies with openssl alone, as it is written") {
  const std::string document = read_file(EVIDENCE_DOCUMENT);
  const std::size_t end = document.find("-signature signature.bin\n```");
  REQUIRE(end != std::string::npos);
  const std::size_t begin = document.rfind("```sh\n", end) + 6;
  const std::string recipe = document.substr(begin, document.find("```", begin) - begin);
  SoftwareSigner& signer = shared_signer(KeyAlgorithm::rsa_3072);
  std::string jws = signed_by(signer, "{\"a\":1}");
  const auto judged = [&] {
    const TemporaryDirectory directory;
    directory.write("evidence.jws", jws);
    directory.write("audit-key.pem", crypto::public_key_pem(signer.public_key()));
    return run_command({"sh", "-ec", "cd '" + directory.path().string() + "'\n" + recipe});
  };
  CHECK(judged().out == "Verified OK\n");
  jws[10] ^= 1;
  CHECK(judged().exit_code != 0);
}
