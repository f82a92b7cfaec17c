// Private keys in every form that openssl writes, and what is said of files that hold none.
#include "pki/private_key_file.h"

#include <openssl/bn.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/der.h"
#include "file_fixtures.h"
#include "support/command.h"

using namespace hsmsigner;
using namespace test_support;
using pki::parse_private_key;

namespace {

constexpr const char* kPassphrase = "correct horse";

PrivateKey parse(const std::string& file) { return parse_private_key(Secret(file), nullptr); }
PrivateKey parse(const std::string& file, const std::string& passphrase) {
  const Secret secret(passphrase);
  return parse_private_key(Secret(file), &secret);
}

std::string refusal_of(const std::string& file) {
  return refusal([&] { parse(file); });
}
std::string refusal_of(const std::string& file, const std::string& passphrase) {
  return refusal([&] { parse(file, passphrase); });
}

using Arguments = std::vector<std::string>;

// `openssl pkcs8 -topk8 …` with a passphrase.
std::string encrypted_pkcs8(const std::string& key, Arguments options, const std::string& passphrase = kPassphrase) {
  Arguments arguments = {"pkcs8", "-topk8", "-passout", "pass:" + passphrase};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return openssl_convert(with_legacy(arguments), key);
}

std::string encrypted_traditional(const std::string& key, const std::string& cipher) {
  return openssl_convert(with_legacy({"pkey", "-traditional", cipher, "-passout", std::string("pass:") + kPassphrase}),
                         key);
}

const std::vector<KeyAlgorithm> kAlgorithms = {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256, KeyAlgorithm::ec_p384,
                                               KeyAlgorithm::ec_p521};

std::string generic_key(const std::string& algorithm, const Arguments& options = {}) {
  const TemporaryDirectory directory;
  Arguments command = {"openssl", "genpkey", "-algorithm", algorithm, "-out", directory.file("key.pem")};
  command.insert(command.end(), options.begin(), options.end());
  must_run(command);
  return read_file(directory.file("key.pem"));
}

std::string replace_once(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string joined(const Arguments& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += argument + " ";
  return line;
}

// One octet changed.
std::string with_flipped_octet(std::string der, std::size_t at) {
  der.at(at) = static_cast<char>(der.at(at) ^ 0x10);
  return der;
}

}  // namespace

namespace {

using Number = std::shared_ptr<BIGNUM>;

Number number() { return Number(BN_new(), BN_free); }
Number prime(int bits) {
  Number result = number();
  Number common = number();
  Number minus_one = number();
  const Number e = number();
  BN_set_word(e.get(), 65537);
  const std::unique_ptr<BN_CTX, void (*)(BN_CTX*)> context(BN_CTX_new(), BN_CTX_free);
  do {
    REQUIRE(BN_generate_prime_ex(result.get(), bits, 0, nullptr, nullptr, nullptr) == 1);
    BN_sub(minus_one.get(), result.get(), BN_value_one());
    BN_gcd(common.get(), minus_one.get(), e.get(), context.get());
  } while (!BN_is_one(common.get()));
  return result;
}
// Of this many bits, the two highest set; hardly ever a prime.
Number odd(int bits) {
  Number result = number();
  REQUIRE(BN_rand(result.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD) == 1);
  return result;
}
Number product(const Number& a, const Number& b) {
  Number result = number();
  const std::unique_ptr<BN_CTX, void (*)(BN_CTX*)> context(BN_CTX_new(), BN_CTX_free);
  BN_mul(result.get(), a.get(), b.get(), context.get());
  return result;
}

// DER of an RSAPrivateKey with e = 65537 that is computed from its factors as if they were primes.
std::string rsa_key(const Number& p, const Number& q) {
  const std::unique_ptr<BN_CTX, void (*)(BN_CTX*)> context(BN_CTX_new(), BN_CTX_free);
  const auto minus_one = [](const Number& value) {
    Number result = number();
    BN_sub(result.get(), value.get(), BN_value_one());
    return result;
  };
  const auto modulo = [&](const Number& value, const Number& modulus) {
    Number result = number();
    BN_nnmod(result.get(), value.get(), modulus.get(), context.get());
    return result;
  };
  const auto inverse = [&](const Number& value, const Number& modulus) {
    Number result = number();
    if (BN_mod_inverse(result.get(), value.get(), modulus.get(), context.get()) == nullptr) BN_one(result.get());
    ERR_clear_error();
    return result;
  };
  const Number e = number();
  BN_set_word(e.get(), 65537);
  const Number d = inverse(e, product(minus_one(p), minus_one(q)));
  Bytes numbers;
  append_der_unsigned(numbers, {});
  for (const Number& value :
       {product(p, q), e, d, p, q, modulo(d, minus_one(p)), modulo(d, minus_one(q)), inverse(q, p)}) {
    Bytes magnitude(static_cast<std::size_t>(BN_num_bytes(value.get())));
    BN_bn2bin(value.get(), magnitude.data());
    append_der_unsigned(numbers, magnitude);
  }
  Bytes der;
  append_der(der, der_tag::sequence, numbers);
  return text(ByteView(der));
}

}  // namespace

TEST_CASE("unencrypted keys of every algorithm are read from PKCS#8 and from the traditional forms, PEM and DER") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    CAPTURE(info(algorithm).name);
    const std::string& pem = openssl_key(algorithm);
    check_same_key(parse(pem), pem);
    check_same_key(parse(openssl_convert({"pkcs8", "-topk8", "-nocrypt", "-outform", "DER"}, pem)), pem);
    check_same_key(parse(openssl_convert({"pkey", "-traditional"}, pem)), pem);
    check_same_key(parse(openssl_convert({"pkey", "-traditional", "-outform", "DER"}, pem)), pem);
    CHECK(family_of(parse(pem).public_key()) == info(algorithm).family);
    CHECK(bits_of(parse(pem).public_key()) == info(algorithm).bits);
  }
}

TEST_CASE("a passphrase that is not needed is passed over") {
  const std::string& pem = openssl_key(KeyAlgorithm::ec_p256);
  check_same_key(parse(pem, "whatever"), pem);
  check_same_key(parse(pem, ""), pem);
}

TEST_CASE("encrypted traditional PEM is read with the right passphrase only") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    const std::string& pem = openssl_key(algorithm);
    for (const char* cipher : {"-des3", "-aes128", "-aes192", "-aes256", "-camellia256", "-des"}) {
      CAPTURE(info(algorithm).name);
      CAPTURE(cipher);
      const std::string file = encrypted_traditional(pem, cipher);
      REQUIRE(file.find("DEK-Info: ") != std::string::npos);
      CHECK(text(parse(file, kPassphrase).pkcs8) == text(parse(pem).pkcs8));
      CHECK(refusal_of(file) == "passphrase: is needed, the key is encrypted");
      CHECK(refusal_of(file, "wrong") == "passphrase: is wrong");
      CHECK(refusal_of(file, "") == "passphrase: is wrong");
    }
  }
}

TEST_CASE("encrypted PKCS#8 is read in the new ways and in those of long ago") {
  const std::vector<Arguments> ways = {
      {},
      {"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"},
      {"-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA384"},
      {"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "100000"},
      {"-v2", "des3"},
      {"-v2", "rc2"},
      {"-scrypt"},
      {"-scrypt", "-scrypt_N", "1024", "-scrypt_r", "8", "-scrypt_p", "16"},
      {"-v1", "PBE-MD5-DES"},
      {"-v1", "PBE-SHA1-DES"},
      {"-v1", "PBE-MD5-RC2-64"},
      {"-v1", "PBE-SHA1-RC2-64"},
      {"-v1", "PBE-SHA1-RC4-128"},
      {"-v1", "PBE-SHA1-RC2-40"},
      {"-v1", "PBE-SHA1-RC2-128"},
      {"-v1", "PBE-SHA1-2DES"},
      {"-v1", "PBE-SHA1-3DES"},
  };
  const std::string& rsa = openssl_key(KeyAlgorithm::rsa_2048);
  const std::string& ec = openssl_key(KeyAlgorithm::ec_p384);
  for (const Arguments& way : ways) {
    CAPTURE(joined(way));
    for (const std::string& pem : {rsa, ec}) {
      const std::string file = encrypted_pkcs8(pem, way);
      CHECK(text(parse(file, kPassphrase).pkcs8) == text(parse(pem).pkcs8));
      CHECK(refusal_of(file) == "passphrase: is needed, the key is encrypted");
      CHECK(refusal_of(file, "wrong") == "passphrase: is wrong");
      Arguments der = way;
      der.insert(der.end(), {"-outform", "DER"});
      CHECK(text(parse(encrypted_pkcs8(pem, der), kPassphrase).pkcs8) == text(parse(pem).pkcs8));
    }
  }
}

TEST_CASE("an empty passphrase and one beyond ASCII open what was encrypted with them") {
  const std::string& pem = openssl_key(KeyAlgorithm::ec_p256);
  for (const char* passphrase : {"", "p\xc3\xa4ssw\xc3\xb6rd \xe2\x82\xac"}) {
    for (const Arguments& way : {Arguments{}, Arguments{"-v1", "PBE-SHA1-3DES"}}) {
      CAPTURE(passphrase);
      CHECK(text(parse(encrypted_pkcs8(pem, way, passphrase), passphrase).pkcs8) == text(parse(pem).pkcs8));
    }
  }
}

TEST_CASE("no passphrase that is wrong is ever taken for a damaged key") {
  // One in 256 leaves a padding that looks right.
  const std::string file = encrypted_traditional(openssl_key(KeyAlgorithm::ec_p256), "-aes256");
  for (int i = 0; i < 2000; ++i) {
    const std::string said = refusal_of(file, "guess " + std::to_string(i));
    if (said != "passphrase: is wrong") FAIL(said);
  }
}

TEST_CASE("parameters of an EC key and certificates beside a key are passed over, text and CRLF too") {
  const TemporaryDirectory directory;
  must_run({"openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", directory.file("key.pem")});
  const std::string with_parameters = read_file(directory.file("key.pem"));
  REQUIRE(with_parameters.find("BEGIN EC PARAMETERS") != std::string::npos);
  check_same_key(parse(with_parameters), with_parameters);

  const std::string& pem = openssl_key(KeyAlgorithm::ec_p256);
  check_same_key(parse("Bag Attributes\n    friendlyName: x\n" + pem + openssl_certificate(pem, "x")), pem);
  std::string crlf;
  for (const char c : pem) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  check_same_key(parse("\xef\xbb\xbf\r\n" + crlf), pem);
  check_same_key(parse(pem.substr(0, pem.size() - 1)), pem);
}

TEST_CASE("a file without a private key is refused by what it holds instead") {
  const std::string& pem = openssl_key(KeyAlgorithm::rsa_2048);
  const std::string certificate = openssl_certificate(pem, "x");
  const std::string public_key = openssl_convert({"pkey", "-pubout"}, pem);
  CHECK(refusal_of(certificate) == "key_file: holds a certificate, not a private key");
  CHECK(refusal_of(openssl_convert({"x509", "-outform", "DER"}, certificate)) ==
        "key_file: holds a certificate, not a private key");
  CHECK(refusal_of(public_key) == "key_file: holds a public key, not a private key");
  CHECK(refusal_of(openssl_convert({"pkey", "-pubout", "-outform", "DER"}, pem)) ==
        "key_file: holds a public key, not a private key");
  CHECK(refusal_of(openssl_convert({"rsa", "-RSAPublicKey_out"}, pem)) ==
        "key_file: holds a public key, not a private key");
  CHECK(refusal_of(openssl_pkcs12(pem, certificate, "x")) ==
        "key_file: is a PKCS#12 file, which is a certificate_file of format pkcs12");
  CHECK(refusal_of("") == "key_file: holds no private key");
  CHECK(refusal_of("hello") == "key_file: holds no private key");
  CHECK(refusal_of(std::string("0\x03\x02\x01\x00", 5)) == "key_file: holds no private key");
  CHECK(refusal_of("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n") ==
        "key_file: holds no private key");
}

TEST_CASE("several private keys are counted") {
  const std::string both = openssl_key(KeyAlgorithm::ec_p256) + openssl_key(KeyAlgorithm::ec_p384);
  CHECK(refusal_of(both) == "key_file: holds 2 private keys, of which one can be taken");
  CHECK(refusal_of(both + openssl_convert({"pkey", "-traditional"}, openssl_key(KeyAlgorithm::rsa_2048))) ==
        "key_file: holds 3 private keys, of which one can be taken");
}

TEST_CASE("keys of other kinds are refused with what is taken") {
  const std::string taken = "; taken are RSA keys of 512 to 16384 bits and EC keys on the curves P-256, P-384, P-521";
  CHECK(refusal_of(generic_key("ED25519")) == "key_file: holds an Ed25519 key" + taken);
  CHECK(refusal_of(generic_key("ED448")) == "key_file: holds an Ed448 key" + taken);
  CHECK(refusal_of(generic_key("X25519")) == "key_file: holds a key of another kind" + taken);
  CHECK(refusal_of(generic_key("RSA-PSS", {"-pkeyopt", "rsa_keygen_bits:1024"})) ==
        "key_file: holds an RSA key that is for RSASSA-PSS only" + taken);
  CHECK(refusal_of(generic_key("RSA", {"-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_primes:3"})) ==
        "key_file: holds an RSA key of more than two primes" + taken);
  const std::string k1 = generic_key("EC", {"-pkeyopt", "ec_paramgen_curve:secp256k1"});
  CHECK(refusal_of(k1) == "key_file: holds an EC key on another curve" + taken);
  CHECK(refusal_of(openssl_convert({"pkey", "-traditional"}, k1)) ==
        "key_file: holds an EC key on another curve" + taken);
  const std::string explicit_curve =
      generic_key("EC", {"-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"});
  CHECK(refusal_of(explicit_curve) ==
        "key_file: holds an EC key that spells out its curve instead of naming it" + taken);
  CHECK(refusal_of("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n") ==
        "key_file: is in OpenSSH's own format; PKCS#8 and the traditional are taken");
}

TEST_CASE("the size of an RSA key is what is said of one that is too small or too large") {
  for (const char* bits : {"512", "1024", "3072"}) {
    const std::string pem = generic_key("RSA", {"-pkeyopt", std::string("rsa_keygen_bits:") + bits});
    check_same_key(parse(pem), pem);
    CHECK(std::to_string(bits_of(parse(pem).public_key())) == bits);
  }
  const std::string taken = "; taken are RSA keys of 512 to 16384 bits and EC keys on the curves P-256, P-384, P-521";
  CHECK(refusal_of(rsa_key(prime(248), prime(248))) == "key_file: holds an RSA key of 496 bits" + taken);
  CHECK(refusal_of(rsa_key(odd(8200), odd(8200))) == "key_file: holds an RSA key of 16400 bits" + taken);
}

TEST_CASE("a key whose numbers do not belong together is refused") {
  const std::string& pem = openssl_key(KeyAlgorithm::rsa_2048);
  const std::string der = openssl_convert({"pkey", "-traditional", "-outform", "DER"}, pem);
  const PrivateKey key = parse(pem);
  const auto& rsa = std::get<RsaPrivateKey>(key.parts);
  for (const Secret* number :
       {&rsa.private_exponent, &rsa.prime_1, &rsa.prime_2, &rsa.exponent_1, &rsa.exponent_2, &rsa.coefficient}) {
    const std::size_t at = der.rfind(text(*number));
    REQUIRE(at != std::string::npos);
    CHECK(refusal_of(with_flipped_octet(der, at + number->size() / 2)) ==
          "key_file: holds an RSA key whose numbers do not belong together");
  }
  const std::size_t modulus = der.find(text(ByteView(rsa.public_key.modulus)));
  CHECK(refusal_of(with_flipped_octet(der, modulus + 100)) ==
        "key_file: holds an RSA key whose numbers do not belong together");

  const std::string& ec_pem = openssl_key(KeyAlgorithm::ec_p256);
  const std::string ec_der = openssl_convert({"pkey", "-traditional", "-outform", "DER"}, ec_pem);
  const PrivateKey parsed = parse(ec_pem);
  const auto& ec = std::get<EcPrivateKey>(parsed.parts);
  const std::size_t value = ec_der.find(text(ec.value));
  CHECK(refusal_of(with_flipped_octet(ec_der, value + 9)) ==
        "key_file: holds an EC key whose public and private half do not belong together");
  CHECK(refusal_of(replace_once(ec_der, text(ec.value), std::string(32, '\0'))) ==
        "key_file: holds an EC key whose private value is not one of its curve");
  CHECK(refusal_of(replace_once(ec_der, text(ec.value), std::string(32, '\xff'))) ==
        "key_file: holds an EC key whose private value is not one of its curve");
}

TEST_CASE("an RSA key made of two primes is taken, and one whose factor is no prime is not although its numbers fit") {
  const Number p = prime(512);
  const Number q = prime(512);
  CHECK(refusal_of(rsa_key(p, q)) == "");
  const std::string inconsistent = "key_file: holds an RSA key whose numbers do not belong together";
  const Number composite = product(prime(256), prime(256));
  CHECK(refusal_of(rsa_key(composite, q)) == inconsistent);
  CHECK(refusal_of(rsa_key(p, composite)) == inconsistent);
  CHECK(refusal_of(rsa_key(p, p)) != "");
}

TEST_CASE("a key of the largest size is judged in seconds") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(refusal_of(rsa_key(odd(8192), odd(8192))) == "key_file: holds an RSA key whose numbers do not belong together");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("a damaged or truncated file never does more than to be refused") {
  const std::vector<std::string> files = {
      openssl_key(KeyAlgorithm::rsa_2048),
      openssl_convert({"pkey", "-traditional", "-outform", "DER"}, openssl_key(KeyAlgorithm::rsa_2048)),
      openssl_convert({"pkcs8", "-topk8", "-nocrypt", "-outform", "DER"}, openssl_key(KeyAlgorithm::ec_p521)),
      openssl_convert({"pkey", "-traditional", "-outform", "DER"}, openssl_key(KeyAlgorithm::ec_p256)),
      encrypted_traditional(openssl_key(KeyAlgorithm::rsa_2048), "-aes256"),
      encrypted_pkcs8(openssl_key(KeyAlgorithm::rsa_2048), {"-v2", "aes-256-cbc", "-iter", "1"}),
      encrypted_pkcs8(openssl_key(KeyAlgorithm::ec_p256), {"-v1", "PBE-SHA1-3DES", "-iter", "1", "-outform", "DER"}),
  };
  for (const std::string& file : files) {
    for (std::size_t size = 0; size + 2 < file.size(); size += 50) {
      CAPTURE(size);
      CHECK(refusal_of(file.substr(0, size), kPassphrase) != "");
    }
    const std::string original = text(parse(file, kPassphrase).pkcs8);
    for (std::size_t at = 0; at < file.size(); at += 23) {
      CAPTURE(at);
      const std::string damaged = with_flipped_octet(file, at);
      std::string read = original;
      refusal([&] { read = text(parse(damaged, kPassphrase).pkcs8); });
      CHECK(read == original);  // a change that is passed over (text around the block), or refused
    }
    CHECK(refusal_of(file.starts_with("-----") ? replace_once(file, "-----END", "-----XXX") : file + "x",
                     kPassphrase) != "");
  }
}

TEST_CASE("work that would keep the server busy is refused before it is done") {
  const std::string& pem = openssl_key(KeyAlgorithm::ec_p256);
  const std::string too_much = "key_file: asks for more work to derive a key from the passphrase than is accepted";
  // 2048 rounds, as openssl writes them, made 0x7fffffff in the file.
  const std::string few("\x02\x02\x08\x00", 4);
  for (const Arguments& way : {Arguments{"-v1", "PBE-SHA1-3DES", "-outform", "DER"}, Arguments{"-outform", "DER"}}) {
    std::string file = encrypted_pkcs8(pem, way);
    // INTEGER of two octets becomes one of two octets that is negative: the same length, so that nothing else changes.
    CHECK(refusal_of(replace_once(file, few, std::string("\x02\x02\x88\x00", 4)), kPassphrase) == too_much);
  }
  const std::string hundred_thousand = encrypted_pkcs8(pem, {"-iter", "100000", "-outform", "DER"});
  const std::string rounds("\x02\x03\x01\x86\xa0", 5);
  const std::string most("\x02\x03\x4c\x4b\x40", 5);  // 5,000,000
  CHECK(refusal_of(replace_once(hundred_thousand, rounds, most), kPassphrase) == "passphrase: is wrong");
  CHECK(refusal_of(replace_once(hundred_thousand, rounds, std::string("\x02\x03\x4c\x4b\x41", 5)), kPassphrase) ==
        too_much);

  const std::string scrypt = encrypted_pkcs8(pem, {"-scrypt", "-outform", "DER"});
  const std::string costs("\x02\x02\x40\x00\x02\x01\x08\x02\x01\x01", 10);  // N, r, p
  const auto with_costs = [&](const char* other) {
    return refusal_of(replace_once(scrypt, costs, std::string(other, costs.size())), kPassphrase);
  };
  CHECK(with_costs("\x02\x02\x40\x00\x02\x01\x08\x02\x01\x10") == "passphrase: is wrong");
  CHECK(with_costs("\x02\x02\x40\x00\x02\x01\x08\x02\x01\x11") == too_much);
  CHECK(with_costs("\x02\x02\x40\x00\x02\x01\x11\x02\x01\x01") == too_much);
  CHECK(with_costs("\x02\x02\xc0\x00\x02\x01\x08\x02\x01\x01") == too_much);
  // 32 MiB for V alone is more than OpenSSL takes for all.
  CHECK(with_costs("\x02\x02\x40\x00\x02\x01\x10\x02\x01\x01") == too_much);
  CHECK(with_costs("\x02\x02\x40\x00\x02\x01\x0f\x02\x01\x01") == "passphrase: is wrong");
}

TEST_CASE("encryption that is not known is said so") {
  const std::string file = encrypted_traditional(openssl_key(KeyAlgorithm::rsa_2048), "-aes256");
  const std::string unknown = "key_file: is encrypted in a way that is not supported";
  CHECK(refusal_of(replace_once(file, "AES-256-CBC", "ROT-13-CBC"), kPassphrase) == unknown);
  CHECK(refusal_of(replace_once(file, "AES-256-CBC", "AES-256-GCM"), kPassphrase) == unknown);
  CHECK(refusal_of(replace_once(file, "AES-256-CBC,", "AES-256-CBC,0"), kPassphrase) == unknown);
  // id-PBES2 1.2.840.113549.1.5.13 becomes …1.5.99
  const std::string der = encrypted_pkcs8(openssl_key(KeyAlgorithm::ec_p256), {"-outform", "DER"});
  const std::string oid("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", 9);
  CHECK(refusal_of(replace_once(der, oid, std::string("\x2a\x86\x48\x86\xf7\x0d\x01\x05\x63", 9)), kPassphrase) ==
        unknown);
}

TEST_CASE("what is encrypted for export opens in openssl and certtool, by the algorithms that were promised") {
  for (const KeyAlgorithm algorithm : kAlgorithms) {
    CAPTURE(info(algorithm).name);
    const std::string& pem = openssl_key(algorithm);
    const std::string exported =
        pki::encrypted_private_key_pem(parse(pem).pkcs8, Secret(std::string_view(kPassphrase)));
    CHECK(exported.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    CHECK(exported != pki::encrypted_private_key_pem(parse(pem).pkcs8, Secret(std::string_view(kPassphrase))));
    check_same_key(parse(exported, kPassphrase), pem);
    CHECK(refusal_of(exported, "wrong") == "passphrase: is wrong");
    CHECK(openssl_convert({"pkcs8", "-passin", std::string("pass:") + kPassphrase}, exported) == pem);

    const TemporaryDirectory directory;
    const std::string file = directory.write("key.pem", exported);
    const std::string read = must_run({"certtool", "--key-info", "--password", kPassphrase, "--infile", file});
    CHECK(read.find("Public Key Info") != std::string::npos);
    CHECK(run_command({"certtool", "--key-info", "--password", "wrong", "--infile", file}).exit_code != 0);

    const std::string structure = must_run({"openssl", "asn1parse", "-in", file});
    for (const char* name : {":PBES2", ":PBKDF2", ":hmacWithSHA256", ":aes-256-cbc", ":030D40"}) {
      CAPTURE(name);
      CHECK(structure.find(name) != std::string::npos);
    }
  }
}
