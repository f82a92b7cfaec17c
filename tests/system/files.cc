#include "system/files.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include "system/x509.h"

namespace system_test {
namespace {

using test_support::must_run;
using test_support::read_file;
using test_support::TemporaryDirectory;

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kConfig[] = "[req]\ndistinguished_name=dn\n[dn]\n";

}  // namespace

std::string base64(const std::string& octets) {
  std::string text;
  for (std::size_t at = 0; at < octets.size(); at += 3) {
    unsigned bits = 0;
    const std::size_t count = std::min<std::size_t>(3, octets.size() - at);
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < count ? static_cast<unsigned char>(octets[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kAlphabet[bits >> (18 - 6 * i) & 63U] : '=';
  }
  return text;
}

std::string from_base64(const std::string& text) {
  std::string octets;
  unsigned bits = 0;
  unsigned held = 0;
  for (char c : text) {
    if (c == '=' || c == '\n' || c == '\r') continue;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    const std::size_t value = std::string_view(kAlphabet).find(c);
    if (value == std::string_view::npos) throw std::runtime_error("no Base64: " + text);
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffffU;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    octets += static_cast<char>(bits >> held & 0xffU);
  }
  return octets;
}

std::string openssl(std::vector<std::string> arguments, const std::string& input) {
  const TemporaryDirectory directory;
  arguments.insert(arguments.begin(), "openssl");
  arguments.insert(arguments.end(), {"-in", directory.write("in", input), "-out", directory.file("out")});
  must_run(arguments);
  return read_file(directory.file("out"));
}

std::string new_key(const std::string& kind) {
  const TemporaryDirectory directory;
  std::vector<std::string> command = {"openssl", "genpkey", "-out", directory.file("key.pem")};
  if (kind.starts_with("RSA:")) {
    command.insert(command.end(), {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + kind.substr(4)});
  } else if (kind.starts_with("P-")) {
    command.insert(command.end(), {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind});
  } else {
    command.insert(command.end(), {"-algorithm", kind});
  }
  must_run(command);
  return read_file(directory.file("key.pem"));
}

std::string self_signed(const std::string& key, const std::string& common_name, bool authority) {
  const TemporaryDirectory directory;
  must_run({"openssl", "req", "-x509", "-new", "-key", directory.write("key.pem", key), "-subj", "/CN=" + common_name,
            "-days", "30", "-config", directory.write("config", kConfig), "-addext",
            std::string("basicConstraints=critical,CA:") + (authority ? "TRUE" : "FALSE"), "-addext",
            authority ? "keyUsage=critical,keyCertSign,cRLSign" : "keyUsage=critical,digitalSignature", "-out",
            directory.file("certificate.pem")});
  return read_file(directory.file("certificate.pem"));
}

std::string pkcs12(const std::string& key, const std::string& certificates, const std::string& passphrase,
                   const std::vector<std::string>& options) {
  const TemporaryDirectory directory;
  std::vector<std::string> command = {"openssl",
                                      "pkcs12",
                                      "-export",
                                      "-in",
                                      directory.write("certificates.pem", certificates),
                                      "-passout",
                                      "file:" + directory.write("passphrase", passphrase + "\n"),
                                      "-out",
                                      directory.file("file.p12")};
  if (key.empty()) {
    command.push_back("-nokeys");
  } else {
    command.insert(command.end(), {"-inkey", directory.write("key.pem", key)});
  }
  command.insert(command.end(), options.begin(), options.end());
  must_run(command);
  return read_file(directory.file("file.p12"));
}

std::string sign_request(const std::string& request, const std::string& authority, const std::string& authority_key,
                         const std::string& extensions) {
  const TemporaryDirectory directory;
  return openssl({"x509", "-req", "-CA", directory.write("ca.pem", authority), "-CAkey",
                  directory.write("ca.key", authority_key), "-CAcreateserial", "-CAserial", directory.file("serial"),
                  "-days", "20", "-extfile", directory.write("extensions", extensions)},
                 request);
}

std::string public_key_of_key(const std::string& key_pem) { return openssl({"pkey", "-pubout"}, key_pem); }

std::string public_key_of_certificate(const std::string& certificate_pem) {
  return must_run({"openssl", "x509", "-pubkey", "-noout"}, certificate_pem);
}

std::string secret_octets(const std::string& key_pem) {
  std::istringstream lines(openssl({"pkey", "-text", "-noout"}, key_pem));
  std::string hex;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(' ')) inside = line.starts_with("priv:") || line.starts_with("privateExponent:");
    if (!inside || !line.starts_with(' ')) continue;
    for (const char c : line) {
      if (std::isxdigit(static_cast<unsigned char>(c)) != 0) hex += c;
    }
  }
  std::string octets;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    octets += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  if (octets.size() < 32) throw std::runtime_error("openssl shows no private value");
  return octets.substr(octets[0] == '\0' ? 1 : 0);
}

Body import_body(const std::string& name, const std::string& format, const std::string& certificate_file,
                 const std::string& key_file) {
  Body body;
  body.text("folder", "Shared").text("name", name).text("format", format);
  body.text("certificate_file", base64(certificate_file));
  if (!key_file.empty()) body.text("key_file", base64(key_file));
  return body;
}

Reply import(const ServerFixture& server, const Body& body) { return server.post("/certificates:import", body.json()); }

Json must_import(const ServerFixture& server, const Body& body) {
  const Reply reply = import(server, body);
  if (reply.status != 201) {
    throw std::runtime_error("the import was answered " + std::to_string(reply.status) + " " + reply.body);
  }
  return reply.json();
}

Reply export_as(const ServerFixture& server, const Json& made, const std::string& format,
                const std::string& passphrase) {
  Body body;
  body.text("format", format);
  if (!passphrase.empty()) body.text("passphrase", passphrase);
  return server.post("/certificates/" + made["id"].text() + ":export", body.json());
}

std::string must_export(const ServerFixture& server, const Json& made, const std::string& format,
                        const std::string& passphrase) {
  const Reply reply = export_as(server, made, format, passphrase);
  if (reply.status != 201) {
    throw std::runtime_error("the export was answered " + std::to_string(reply.status) + " " + reply.body);
  }
  const Json json = reply.json();
  if (json.names() != std::vector<std::string>{"certificate"}) throw std::runtime_error("exported: " + reply.body);
  return json["certificate"].text();
}

std::size_t keys_of(const ServerFixture& server, const Json& made) {
  const std::string listing = server.token().pkcs11_tool({"--list-objects"});
  const std::string label = "hsm-signer " + made["id"].text();
  std::size_t count = 0;
  for (std::size_t at = listing.find(label); at != std::string::npos; at = listing.find(label, at + 1)) ++count;
  return count;
}

std::string why_not_usable(const ServerFixture& server, const Json& authority, const std::string& leaf_name) {
  const Reply leaf = server.generate(certificate(leaf_name).text("signed_by", authority["id"].text()));
  if (leaf.status != 201) return "answered " + std::to_string(leaf.status) + " " + leaf.body;
  return verify(leaf.json()["public_key"].text(), "", authority["public_key"].text());
}

std::string pem_in(const std::string& text) {
  const std::size_t begin = text.find("-----BEGIN ");
  const std::size_t end = text.find("-----END ", begin);
  if (begin == std::string::npos || end == std::string::npos) throw std::runtime_error("no PEM in " + text);
  return text.substr(begin, text.find('\n', end) + 1 - begin);
}

}  // namespace system_test
