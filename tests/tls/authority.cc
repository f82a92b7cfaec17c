#include "tls/authority.h"

#include "support/command.h"

namespace tls_test {

using test_support::must_run;

Authority::Authority(const std::string& name)
    : certificate_(directory_.file("ca.pem")), key_(directory_.file("ca.key")) {
  must_run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=" + name, "-days", "30", "-keyout", key_, "-out", certificate_});
}

Authority::Authority(const std::string& name, const Authority& issuer) {
  Wanted wanted;
  wanted.authority = true;
  const Issued issued = issuer.issue(name, wanted);
  certificate_ = directory_.write("ca.pem", issued.certificate());
  key_ = directory_.write("ca.key", issued.key());
}

Authority::Issued Authority::issue(const std::string& name, const Wanted& wanted) const {
  const Issued issued{directory_.file(name + ".pem"), directory_.file(name + ".key")};
  std::vector<std::string> make{"openssl", "genpkey", "-out", issued.key_file, "-algorithm"};
  if (wanted.algorithm == "ec") {
    make.insert(make.end(), {"EC", "-pkeyopt", "ec_paramgen_curve:P-256"});
  } else {
    make.insert(make.end(),
                {"RSA", "-pkeyopt", wanted.algorithm == "rsa" ? "rsa_keygen_bits:2048" : "rsa_keygen_bits:1024"});
  }
  must_run(make);
  issue_from(name, {"-key", issued.key_file}, wanted);
  return issued;
}

std::string Authority::issue_for(const std::string& name, const std::string& public_key_pem) const {
  const std::string public_key = directory_.write(name + ".pub", public_key_pem);
  // The request's own key signs the request; the certificate is for the other one.
  const std::string any_key = directory_.file(name + ".any");
  must_run({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", any_key});
  return issue_from(name, {"-key", any_key, "-force_pubkey", public_key}, Wanted());
}

std::string Authority::issue_from(const std::string& name, const std::vector<std::string>& key,
                                  const Wanted& wanted) const {
  const std::string request = directory_.file(name + ".csr");
  const std::string certificate = directory_.file(name + ".pem");
  must_run({"openssl", "req", "-new", "-key", key[1], "-subj", "/O=Tests/CN=" + name, "-out", request});
  std::string extensions = "subjectAltName=IP:127.0.0.1,DNS:localhost\n";
  if (wanted.authority) {
    extensions += "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n";
  } else {
    extensions += "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=" + wanted.usage + "\n";
  }
  std::vector<std::string> sign{"openssl",
                                "x509",
                                "-req",
                                "-in",
                                request,
                                "-CA",
                                certificate_,
                                "-CAkey",
                                key_,
                                "-extfile",
                                directory_.write(name + ".ext", extensions),
                                "-out",
                                certificate};
  // openssl x509 takes no dates in version 3.0; a negative number of days has ended already.
  sign.insert(sign.end(), {"-days", wanted.expired ? "-1" : "10"});
  sign.insert(sign.end(), key.begin() + 2, key.end());
  must_run(sign);
  return test_support::read_file(certificate);
}

}  // namespace tls_test
