// Certificates for the tests, made by the openssl command.
#pragma once

#include <string>
#include <vector>

#include "support/temporary_directory.h"

namespace tls_test {

// Issues what it is asked to. Files are in a directory of its own.
class Authority {
 public:
  explicit Authority(const std::string& name = "Test CA");
  // An intermediate one.
  Authority(const std::string& name, const Authority& issuer);

  const std::string& certificate_file() const { return certificate_; }
  std::string certificate() const { return test_support::read_file(certificate_); }

  struct Issued {
    std::string certificate_file;
    std::string key_file;
    std::string certificate() const { return test_support::read_file(certificate_file); }
    std::string key() const { return test_support::read_file(key_file); }
  };
  struct Wanted {
    std::string algorithm = "ec";  // "ec", "rsa" or "rsa1024"
    std::string usage = "serverAuth";
    bool authority = false;
    bool expired = false;
  };
  // subjectAltName: 127.0.0.1 and localhost.
  Issued issue(const std::string& name) const { return issue(name, Wanted()); }
  Issued issue(const std::string& name, const Wanted& wanted) const;
  // A certificate for a key of which only the public half is at hand (PEM).
  std::string issue_for(const std::string& name, const std::string& public_key_pem) const;

 private:
  std::string issue_from(const std::string& name, const std::vector<std::string>& key, const Wanted& wanted) const;

  test_support::TemporaryDirectory directory_;
  std::string certificate_;
  std::string key_;
};

}  // namespace tls_test
