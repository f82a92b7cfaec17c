// Certificates judged by the openssl command, not by our own code.
#pragma once

#include <string>
#include <vector>

namespace system_test {

// What `openssl x509 -noout ARGUMENTS` says of the certificate, without the final newline.
std::string x509(const std::string& pem, const std::vector<std::string>& arguments);
// `openssl x509 -text`.
std::string x509_text(const std::string& pem);
// The text of one extension below its heading, on one line; "" when the certificate has it not. `critical` is part of
// it: "critical CA:TRUE".
std::string extension(const std::string& pem, const std::string& name);
// Unix seconds.
long long not_before(const std::string& pem);
long long not_after(const std::string& pem);
// The public key's algorithm and size as the text shows them: "rsaEncryption 2048", "id-ecPublicKey 256".
std::string public_key(const std::string& pem);

// Verifies with -x509_strict under the root; returns "" or what openssl said. `intermediates` is PEM, may be "".
std::string verify(const std::string& pem, const std::string& intermediates, const std::string& root);

}  // namespace system_test
