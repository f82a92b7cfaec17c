// The export block, asked of the token itself by another program's means: PKCS#11 calls of this test's own.
#include <doctest/doctest.h>

#include "system/cryptoki.h"

using namespace system_test;

TEST_CASE("the export block is in the token, not in our own word") {
  const ServerFixture server;
  struct Row {
    const char* algorithm;
    const char* block;  // "": the default
    bool extractable;
  };
  const Row rows[] = {
      {R"({"rsa_number_of_bits":2048})", "", false},      {R"({"rsa_number_of_bits":2048})", "true", false},
      {R"({"rsa_number_of_bits":2048})", "false", true},  {R"({"rsa_number_of_bits":512})", "true", false},
      {R"({"ecdsa_number_of_bits":256})", "", false},     {R"({"ecdsa_number_of_bits":256})", "true", false},
      {R"({"ecdsa_number_of_bits":256})", "false", true}, {R"({"ecdsa_number_of_bits":384})", "true", false},
      {R"({"ecdsa_number_of_bits":384})", "false", true}, {R"({"ecdsa_number_of_bits":521})", "true", false},
      {R"({"ecdsa_number_of_bits":521})", "false", true},
  };
  std::vector<Json> made;
  for (const Row& row : rows) {
    Body body = certificate("key " + std::to_string(made.size()));
    body.set("algorithm", row.algorithm);
    if (row.block[0] != '\0') body.set("is_block_privateKey", row.block);
    made.push_back(server.must_generate(body));
  }

  Cryptoki token(server.token());
  const CK_OBJECT_HANDLE wrapping = token.fresh_aes_key();
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Row& row = rows[i];
    CAPTURE(row.algorithm);
    CAPTURE(row.block);
    const auto keys = token.find(CKO_PRIVATE_KEY, made[i]);
    REQUIRE(keys.size() == 1);
    CHECK(token.find(CKO_PUBLIC_KEY, made[i]).empty());
    const CK_OBJECT_HANDLE key = keys[0];
    struct Attribute {
      const char* name;
      CK_ATTRIBUTE_TYPE type;
      bool value;
    };
    for (const Attribute& attribute :
         {Attribute{"TOKEN", CKA_TOKEN, true}, Attribute{"PRIVATE", CKA_PRIVATE, true},
          Attribute{"SENSITIVE", CKA_SENSITIVE, true}, Attribute{"ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE, true},
          Attribute{"EXTRACTABLE", CKA_EXTRACTABLE, row.extractable},
          Attribute{"NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE, !row.extractable}, Attribute{"LOCAL", CKA_LOCAL, true},
          Attribute{"SIGN", CKA_SIGN, true}, Attribute{"DECRYPT", CKA_DECRYPT, false},
          Attribute{"UNWRAP", CKA_UNWRAP, false}, Attribute{"DERIVE", CKA_DERIVE, false}}) {
      CAPTURE(attribute.name);
      CHECK(token.is(key, attribute.type) == attribute.value);
    }
    CHECK(made[i]["key"]["extractable"].boolean() == row.extractable);
    CHECK(made[i]["key"]["never_extractable"].boolean() == !row.extractable);

    CHECK(token.wrap(wrapping, key) == (row.extractable ? CKR_OK : CKR_KEY_UNEXTRACTABLE));
    const bool rsa = made[i]["algorithm"].text() == "RSA";
    CHECK(token.read(key, rsa ? CKA_PRIVATE_EXPONENT : CKA_VALUE) == CKR_ATTRIBUTE_SENSITIVE);
    if (rsa) CHECK(token.read(key, CKA_PRIME_1) == CKR_ATTRIBUTE_SENSITIVE);
  }
}

TEST_CASE("the block is for ever: EXTRACTABLE cannot be set again") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  Cryptoki token(server.token());
  const auto keys = token.find(CKO_PRIVATE_KEY, made);
  REQUIRE(keys.size() == 1);
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ATTRIBUTE extractable = {CKA_EXTRACTABLE, &yes, sizeof yes};
  CHECK(token.call->C_SetAttributeValue(token.session, keys[0], &extractable, 1) != CKR_OK);
  CK_ATTRIBUTE sensitive = {CKA_SENSITIVE, &no, sizeof no};
  CHECK(token.call->C_SetAttributeValue(token.session, keys[0], &sensitive, 1) != CKR_OK);
  CHECK_FALSE(token.is(keys[0], CKA_EXTRACTABLE));
  CHECK(token.is(keys[0], CKA_SENSITIVE));
}

TEST_CASE("pkcs11-tool shows the key as the resource does") {
  const ServerFixture server;
  const Json made = server.must_generate(certificate("x"));
  const std::string listing = server.token().pkcs11_tool({"--list-objects"});
  CAPTURE(listing);
  CHECK(listing.find("label:      hsm-signer " + made["id"].text()) != std::string::npos);
  CHECK(listing.find("sensitive, always sensitive, never extractable, local") != std::string::npos);
  CHECK(listing.find("Usage:      sign\n") != std::string::npos);
  CHECK(server.keys() == 1);
}
