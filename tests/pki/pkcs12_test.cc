// PKCS#12 from openssl, certtool, NSS and the JDK, and ours in all of them.
#include <openssl/pkcs12.h>

#include "file_fixtures.h"
#include "pki/certificate_file.h"
#include "pki/private_key_file.h"
#include "issuing.h"
#include "support/command.h"
#include "support/memory_search.h"

using namespace hsmsigner;
using namespace test_support;
using pki::Certificate;
using pki::parse_pkcs12;
using pki::Pkcs12;

namespace {

constexpr const char* kPassphrase = "correct horse";
using Arguments = std::vector<std::string>;

Pkcs12 parse(const std::string& file, const std::string& passphrase = kPassphrase) {
  return parse_pkcs12(Secret(file), Secret(passphrase));
}
std::string refusal_of(const std::string& file, const std::string& passphrase = kPassphrase) {
  return refusal([&] { parse(file, passphrase); });
}

std::string der_of(const std::string& pem) { return openssl_convert({"x509", "-outform", "DER"}, pem); }

// A root, a leaf under it.
struct Chain {
  std::string key = openssl_key(KeyAlgorithm::ec_p256);
  std::string root_key = openssl_key(KeyAlgorithm::rsa_2048, 1);
  std::string root;
  std::string leaf;
};
// `root_options`: the root's, `openssl req -x509`; a version 1 root has no extensions.
Chain make_chain(bool old_root) {
  Chain chain;
  const TemporaryDirectory directory;
  const std::string root_key = directory.write("root.key", chain.root_key);
  const std::string config = directory.write("config", "[req]\ndistinguished_name=dn\n[dn]\n");
  Arguments root = {"openssl",  "req",   "-x509", "-new",    "-key", root_key, "-subj",
                    "/CN=Root", "-days", "30",    "-config", config, "-out",   directory.file("root.pem")};
  if (!old_root) root.insert(root.end(), {"-addext", "basicConstraints=critical,CA:TRUE"});
  must_run(root);
  must_run({"openssl", "req", "-new", "-key", directory.write("leaf.key", chain.key), "-subj", "/CN=leaf", "-config",
            config, "-out", directory.file("leaf.csr")});
  must_run({"openssl", "x509", "-req", "-in", directory.file("leaf.csr"), "-CA", directory.file("root.pem"), "-CAkey",
            root_key, "-set_serial", "2", "-days", "30", "-extfile",
            directory.write("extensions", "basicConstraints=critical,CA:FALSE\n"), "-out", directory.file("leaf.pem")});
  chain.root = read_file(directory.file("root.pem"));
  chain.leaf = read_file(directory.file("leaf.pem"));
  return chain;
}

std::string joined(const Arguments& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += argument + " ";
  return line;
}

std::string replace_once(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("PKCS#12 of openssl is read in the new ways and in those of long ago") {
  const std::vector<Arguments> ways = {
      {},
      {"-legacy"},  // RC2-40 for certificates, 3DES for the key, SHA-1 MAC
      {"-descert", "-legacy"},
      {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
      {"-keypbe", "PBE-SHA1-RC4-128", "-certpbe", "PBE-SHA1-RC2-128", "-legacy"},
      {"-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC", "-macalg", "sha512", "-iter", "100000"},
      {"-certpbe", "NONE"},
      {"-nomac"},
      {"-nomaciter", "-noiter"},
      {"-name", "a friendly name", "-macalg", "sha384"},
  };
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p256, KeyAlgorithm::ec_p521}) {
    const std::string& key = openssl_key(algorithm);
    const std::string certificate = openssl_certificate(key, "x");
    for (const Arguments& way : ways) {
      CAPTURE(joined(way));
      const std::string file = openssl_pkcs12(key, certificate, kPassphrase, way);
      const Pkcs12 parsed = parse(file);
      CHECK(text(parsed.certificate.der()) == der_of(certificate));
      REQUIRE(parsed.key);
      check_same_key(*parsed.key, key);
      CHECK(refusal_of(file, "wrong") == "passphrase: is wrong");
      CHECK(refusal_of(file, "") == "passphrase: is needed, the file is encrypted");
    }
  }
}

TEST_CASE("PKCS#12 without any passphrase and with one beyond ASCII is read") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string certificate = openssl_certificate(key, "x");
  for (const char* passphrase : {"", "p\xc3\xa4ssw\xc3\xb6rd \xe2\x82\xac"}) {
    for (const Arguments& way :
         {Arguments{}, Arguments{"-legacy"}, Arguments{"-nomac"}, Arguments{"-nomac", "-legacy"}}) {
      CAPTURE(joined(way));
      CAPTURE(passphrase);
      const std::string file = openssl_pkcs12(key, certificate, passphrase, way);
      const Pkcs12 parsed = parse(file, passphrase);
      REQUIRE(parsed.key);
      CHECK(text(parsed.key->pkcs8) == text(pki::parse_private_key(Secret(key), nullptr).pkcs8));
      CHECK(refusal_of(file, "wrong") == "passphrase: is wrong");
    }
  }
  // An absent passphrase is not an empty one (RFC 7292 B.1): certtool writes the former.
  const TemporaryDirectory directory;
  must_run({"certtool", "--to-p12", "--load-privkey", directory.write("key.pem", key), "--load-certificate",
            directory.write("certificate.pem", certificate), "--p12-name", "x", "--null-password", "--outder",
            "--outfile", directory.file("out.p12")});
  CHECK(parse(read_file(directory.file("out.p12")), "").key.has_value());
}

TEST_CASE("a file without a key gives its certificate") {
  const Chain chain = make_chain(false);
  const Pkcs12 parsed = parse(openssl_pkcs12("", chain.leaf, kPassphrase));
  CHECK(text(parsed.certificate.der()) == der_of(chain.leaf));
  CHECK_FALSE(parsed.key);
  const Pkcs12 authority = parse(openssl_pkcs12("", chain.root, kPassphrase));
  CHECK(text(authority.certificate.der()) == der_of(chain.root));
  const Pkcs12 both = parse(openssl_pkcs12("", chain.root + chain.leaf, kPassphrase));
  CHECK(text(both.certificate.der()) == der_of(chain.leaf));
}

TEST_CASE("authorities of the chain are passed over, those of version 1 too") {
  for (const bool old_root : {false, true}) {
    const Chain chain = make_chain(old_root);
    for (const std::string& certificates : {chain.leaf + chain.root, chain.root + chain.leaf}) {
      const Pkcs12 parsed = parse(openssl_pkcs12(chain.key, certificates, kPassphrase));
      CHECK(text(parsed.certificate.der()) == der_of(chain.leaf));
      REQUIRE(parsed.key);
      check_same_key(*parsed.key, chain.key);
    }
    // The authority's own key: then it is the authority's certificate that is meant.
    const Pkcs12 root = parse(openssl_pkcs12(chain.root_key, chain.root, kPassphrase));
    CHECK(text(root.certificate.der()) == der_of(chain.root));
  }
}

TEST_CASE("an authority whose kind of key is not taken does not stop the leaf") {
  const TemporaryDirectory directory;
  must_run({"openssl", "genpkey", "-algorithm", "ED25519", "-out", directory.file("ed.pem")});
  const std::string authority =
      openssl_certificate(read_file(directory.file("ed.pem")), "Ed CA", "basicConstraints=critical,CA:TRUE");
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string leaf = openssl_certificate(key, "leaf");
  CHECK(text(parse(openssl_pkcs12(key, leaf, kPassphrase, {}, authority)).certificate.der()) == der_of(leaf));
  CHECK(refusal_of(openssl_pkcs12("", authority, kPassphrase)) ==
        "certificate_file: the public key is neither RSA nor EC");
}

TEST_CASE("several certificates or keys are counted, and a key without its certificate is refused") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string one = openssl_certificate(key, "one");
  const std::string again = openssl_certificate(key, "again");
  const std::string other = openssl_certificate(openssl_key(KeyAlgorithm::ec_p384), "other");
  const std::string authority =
      openssl_certificate(openssl_key(KeyAlgorithm::ec_p384), "CA", "basicConstraints=critical,CA:TRUE");
  const std::string second =
      openssl_certificate(openssl_key(KeyAlgorithm::ec_p521), "CA 2", "basicConstraints=critical,CA:TRUE");
  CHECK(refusal_of(openssl_pkcs12(key, one, kPassphrase, {}, other)) ==
        "certificate_file: holds 2 end-entity certificates, of which one can be taken");
  CHECK(refusal_of(openssl_pkcs12(key, one, kPassphrase, {}, again)) ==
        "certificate_file: holds 2 certificates of its private key, of which one can be taken");
  CHECK(refusal_of(openssl_pkcs12("", one + other, kPassphrase)) ==
        "certificate_file: holds 2 end-entity certificates, of which one can be taken");
  CHECK(refusal_of(openssl_pkcs12("", authority + second, kPassphrase)) ==
        "certificate_file: holds 2 certificates, of which one can be taken");
  CHECK(refusal_of(openssl_pkcs12(key, one, kPassphrase, {}, one)).empty());  // the same one twice is one
}

TEST_CASE("files that are no PKCS#12 are refused by what they are") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string certificate = openssl_certificate(key, "x");
  CHECK(refusal_of("") == "certificate_file: is no PKCS#12 file");
  CHECK(refusal_of("hello") == "certificate_file: is no PKCS#12 file");
  CHECK(refusal_of(certificate) == "certificate_file: is PEM, not PKCS#12");
  CHECK(refusal_of(der_of(certificate)) == "certificate_file: is no PKCS#12 file");
  CHECK(refusal_of(openssl_pkcs12(key, certificate, kPassphrase) + "x") ==
        "certificate_file: is a PKCS#12 file that is damaged");
}

TEST_CASE("a PKCS#12 key of another kind is refused with what is taken") {
  const TemporaryDirectory directory;
  must_run({"openssl", "genpkey", "-algorithm", "ED25519", "-out", directory.file("ed.pem")});
  const std::string key = read_file(directory.file("ed.pem"));
  CHECK(refusal_of(openssl_pkcs12(key, openssl_certificate(key, "x"), kPassphrase))
            .starts_with("certificate_file: holds an Ed25519 key; taken are "));
}

TEST_CASE("a private key that is not encrypted is refused, and wiped") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256, 78);
  const std::string certificate = openssl_certificate(key, "x");
  for (const Arguments& way : {Arguments{"-keypbe", "NONE"}, Arguments{"-keypbe", "NONE", "-certpbe", "NONE"},
                               Arguments{"-keypbe", "NONE", "-certpbe", "NONE", "-nomac"}}) {
    CAPTURE(joined(way));
    const Secret file(openssl_pkcs12(key, certificate, kPassphrase, way));
    const Secret passphrase{std::string_view(kPassphrase)};
    const auto refused = [&] { return refusal([&] { parse_pkcs12(file, passphrase); }); };
#ifndef HSM_SIGNER_SANITIZED
    const std::string needle = [&] {
      const PrivateKey parsed = pki::parse_private_key(Secret(key), nullptr);
      return complement(std::get<EcPrivateKey>(parsed.parts).value.view().substr(8));
    }();
    const std::size_t before = copies_of(needle);
    CHECK(before >= 1);  // the file itself, and how it was read
    refused();
    CHECK(copies_of(needle) == before);
#endif
    CHECK(refused() ==
          "certificate_file: its private key is not encrypted; write the file anew with a passphrase for the key");
  }
}

TEST_CASE("a bare private key within an encrypted part of the file is read") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const Certificate certificate = Certificate::from_pem(openssl_certificate(key, "x"));
  const PrivateKey parsed = pki::parse_private_key(Secret(key), nullptr);
  const unsigned char* at = parsed.pkcs8.bytes().data();
  PKCS8_PRIV_KEY_INFO* info = d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(parsed.pkcs8.size()));
  const Bytes der = certificate.der();
  at = der.data();
  X509* x509 = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  REQUIRE((info != nullptr && x509 != nullptr));
  STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
  STACK_OF(PKCS7)* safes = nullptr;
  REQUIRE(PKCS12_add_cert(&bags, x509) != nullptr);
  PKCS12_SAFEBAG* bag = PKCS12_SAFEBAG_create0_p8inf(info);
  REQUIRE(sk_PKCS12_SAFEBAG_push(bags, bag) > 0);
  REQUIRE(PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, 1000, kPassphrase) == 1);
  PKCS12* file = PKCS12_add_safes(safes, 0);
  REQUIRE(PKCS12_set_mac(file, kPassphrase, -1, nullptr, 0, 1000, EVP_sha256()) == 1);
  unsigned char* octets = nullptr;
  const int size = i2d_PKCS12(file, &octets);
  REQUIRE(size > 0);
  const std::string encoded(octets, octets + size);
  OPENSSL_free(octets);
  PKCS12_free(file);
  sk_PKCS7_pop_free(safes, PKCS7_free);
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  X509_free(x509);

  const Pkcs12 read = parse(encoded);
  REQUIRE(read.key);
  check_same_key(*read.key, key);
  CHECK(refusal_of(encoded, "wrong") == "passphrase: is wrong");
}

TEST_CASE("a name with characters beyond the first plane is written with others in their place") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const Certificate certificate = Certificate::from_pem(openssl_certificate(key, "x"));
  const PrivateKey parsed = pki::parse_private_key(Secret(key), nullptr);
  for (const std::string name : {"a \xf0\x9f\x94\x91 b", "\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91\xf0\x90\x80\x80"}) {
    CAPTURE(name);
    const Bytes made = pki::make_pkcs12(certificate, parsed.pkcs8, name, Secret(std::string_view(kPassphrase)));
    const std::string file = text(ByteView(made));
    REQUIRE(parse(file).key);
    const TemporaryDirectory directory;
    const std::string read = must_run({"openssl", "pkcs12", "-nokeys", "-in", directory.write("our.p12", file),
                                       "-passin", std::string("pass:") + kPassphrase});
    CAPTURE(read);
    std::string shown = name;  // as openssl prints U+FFFD: its lower octet
    for (std::size_t at = 0; (at = shown.find('\xf0')) != std::string::npos;) shown.replace(at, 4, "\xfd");
    CHECK(read.find("friendlyName: " + shown + "\n") != std::string::npos);
  }
}

TEST_CASE("a truncated or damaged PKCS#12 never does more than to be refused") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string certificate = openssl_certificate(key, "x");
  for (const Arguments& way : {Arguments{"-noiter", "-nomaciter"}, Arguments{"-legacy", "-nomac", "-noiter"},
                               Arguments{"-nomac", "-certpbe", "NONE", "-noiter"}}) {
    CAPTURE(joined(way));
    const std::string file = openssl_pkcs12(key, certificate, kPassphrase, way);
    const Pkcs12 good = parse(file);
    for (std::size_t size = 0; size < file.size(); size += 50) {
      CAPTURE(size);
      CHECK(refusal_of(file.substr(0, size)) != "");
    }
    for (std::size_t at = 0; at < file.size(); ++at) {
      for (const int bit : {0x01, 0x10, 0x80}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ bit);
        CAPTURE(at);
        // Where there is no MAC, what was signed may still be changed; a key is never taken that is not the
        // certificate's.
        refusal([&] {
          const Pkcs12 parsed = parse(damaged);
          if (parsed.key) CHECK(parsed.key->public_key() == parsed.certificate.public_key());
        });
      }
    }
  }
}

TEST_CASE("PKCS#12 that would keep the server busy is refused before the work is done") {
  const std::string& key = openssl_key(KeyAlgorithm::ec_p256);
  const std::string certificate = openssl_certificate(key, "x");
  const std::string too_much =
      "certificate_file: asks for more work to derive a key from the passphrase than is accepted";
  // 100,000 rounds in three places: certificates, key, MAC, which is asked first.
  const std::string file = openssl_pkcs12(key, certificate, kPassphrase, {"-iter", "100000"});
  const std::string rounds("\x02\x03\x01\x86\xa0", 5);
  const std::string many("\x02\x03\x7f\xff\xff", 5);
  const std::size_t mac = file.rfind(rounds);
  REQUIRE(mac != std::string::npos);
  CHECK(refusal_of(file.substr(0, mac) + many) == too_much);
  const std::string without_mac = openssl_pkcs12(key, certificate, kPassphrase, {"-iter", "100000", "-nomac"});
  CHECK(refusal_of(replace_once(without_mac, rounds, many)) == too_much);
  // Each of them below the bound, all together above it.
  const std::string half("\x02\x03\x26\x25\xa1", 5);  // 2,500,001
  const std::string legacy =
      openssl_pkcs12(key, certificate, kPassphrase, {"-iter", "100000", "-nomac", "-certpbe", "NONE"});
  CHECK(refusal_of(replace_once(legacy, rounds, half)) == "passphrase: is wrong");
  CHECK(refusal_of(replace_once(legacy, rounds, half), "") == too_much);  // both readings of an empty passphrase
}

TEST_CASE("files of certtool, NSS and the JDK are read") {
  const std::string& key = openssl_key(KeyAlgorithm::rsa_2048);
  const std::string certificate = openssl_certificate(key, "x");
  const TemporaryDirectory directory;
  const std::string key_file = directory.write("key.pem", key);
  const std::string certificate_file = directory.write("certificate.pem", certificate);
  SUBCASE("certtool") {
    for (const char* cipher : {"aes-256", "3des-pkcs12", "rc2-40"}) {
      CAPTURE(cipher);
      must_run({"certtool", "--to-p12", "--load-privkey", key_file, "--load-certificate", certificate_file,
                "--p12-name", "x", "--password", kPassphrase, "--pkcs-cipher", cipher, "--outder", "--outfile",
                directory.file("out.p12")});
      const Pkcs12 parsed = parse(read_file(directory.file("out.p12")));
      REQUIRE(parsed.key);
      check_same_key(*parsed.key, key);
    }
  }
  SUBCASE("NSS") {
    const std::string database = "sql:" + directory.path().string();
    must_run({"certutil", "-N", "-d", database, "--empty-password"});
    must_run({"pk12util", "-i",
              directory.write("in.p12", openssl_pkcs12(key, certificate, kPassphrase, {"-name", "x"})), "-d", database,
              "-W", kPassphrase});
    for (const Arguments& ciphers : {Arguments{}, Arguments{"-c", "AES-256-CBC", "-C", "AES-128-CBC"}}) {
      Arguments command = {"pk12util", "-o", directory.file("out.p12"), "-n", "x", "-d", database, "-W", kPassphrase};
      command.insert(command.end(), ciphers.begin(), ciphers.end());
      must_run(command);
      const Pkcs12 parsed = parse(read_file(directory.file("out.p12")));
      REQUIRE(parsed.key);
      check_same_key(*parsed.key, key);
    }
  }
  SUBCASE("the JDK") {
    if (!program_exists("keytool")) return;
    must_run({"keytool", "-genkeypair", "-alias", "x", "-keyalg", "EC", "-groupname", "secp384r1", "-dname", "CN=x",
              "-keystore", directory.file("out.p12"), "-storetype", "PKCS12", "-storepass", kPassphrase});
    const Pkcs12 parsed = parse(read_file(directory.file("out.p12")));
    REQUIRE(parsed.key);
    CHECK(parsed.certificate.common_name() == "x");
    CHECK(parsed.key->public_key() == parsed.certificate.public_key());
  }
}

TEST_CASE("our PKCS#12 opens everywhere, by the algorithms that were promised") {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa_2048, KeyAlgorithm::ec_p384}) {
    CAPTURE(info(algorithm).name);
    const std::string& key = openssl_key(algorithm);
    const Certificate certificate = Certificate::from_pem(openssl_certificate(key, "x"));
    const PrivateKey parsed = pki::parse_private_key(Secret(key), nullptr);
    const Bytes made =
        pki::make_pkcs12(certificate, parsed.pkcs8, "J\xc3\xbcrgen", Secret(std::string_view(kPassphrase)));
    const std::string made_text = text(ByteView(made));
    const Pkcs12 again = parse(made_text);
    REQUIRE(again.key);
    check_same_key(*again.key, key);
    CHECK(again.certificate.der() == certificate.der());
    CHECK(refusal_of(made_text, "wrong") == "passphrase: is wrong");

    const TemporaryDirectory directory;
    const std::string file = directory.write("our.p12", made_text);
    const std::string read =
        must_run({"openssl", "pkcs12", "-info", "-nodes", "-in", file, "-passin", std::string("pass:") + kPassphrase});
    for (const char* part :
         {"MAC: sha256, Iteration 200000", "MAC length: 32, salt length: 16",
          "PKCS7 Encrypted data: PBES2, PBKDF2, AES-256-CBC, Iteration 200000, PRF hmacWithSHA256",
          "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 200000, PRF hmacWithSHA256", "friendlyName: J"}) {
      CAPTURE(part);
      CAPTURE(read);
      CHECK(read.find(part) != std::string::npos);
    }
    const std::size_t begin = read.find("-----BEGIN PRIVATE KEY");
    REQUIRE(begin != std::string::npos);
    CHECK(read.substr(begin, read.find("-----END PRIVATE KEY") - begin) == key.substr(0, key.find("-----END")));

    const std::string gnutls =
        must_run({"certtool", "--p12-info", "--inder", "--password", kPassphrase, "--infile", file});
    CHECK(gnutls.find("BEGIN CERTIFICATE") != std::string::npos);
    CHECK(gnutls.find("PRIVATE KEY-----") != std::string::npos);

    const std::string database = "sql:" + directory.path().string();
    must_run({"certutil", "-N", "-d", database, "--empty-password"});
    must_run({"pk12util", "-i", file, "-d", database, "-W", kPassphrase});
    CHECK(must_run({"certutil", "-K", "-d", database}).find("J\xc3\xbcrgen") != std::string::npos);

    if (!program_exists("keytool")) continue;
    const std::string java = must_run({"keytool", "-list", "-v", "-keystore", file, "-storepass", kPassphrase});
    CHECK(java.find("PrivateKeyEntry") != std::string::npos);
    CHECK(java.find(certificate.fingerprint_sha256()) != std::string::npos);
    must_run({"keytool", "-importkeystore", "-srckeystore", file, "-srcstorepass", kPassphrase, "-destkeystore",
              directory.file("java.p12"), "-deststorepass", kPassphrase, "-deststoretype", "PKCS12"});
    const Pkcs12 from_java = parse(read_file(directory.file("java.p12")));
    REQUIRE(from_java.key);
    check_same_key(*from_java.key, key);
  }
}
