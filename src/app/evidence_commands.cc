#include "app/evidence_commands.h"

#include <ostream>
#include <utility>
#include <vector>

#include "app/private_file.h"
#include "audit/key_evidence.h"
#include "base/base64.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/public_key_info.h"
#include "crypto/signature.h"
#include "pki/certificate.h"
#include "pki/certificate_file.h"

namespace hsmsigner::app {
namespace {

using audit::KeyEvidence;

// Evidence has some thousand octets; a certificate with many names in it, ten thousands.
constexpr std::size_t kMaxFile = std::size_t{1} << 20;

std::string file_text(const std::string& path, const std::string& subject) {
  return std::string(read_file(path, subject, {Readable::by_anyone, kMaxFile, ""}).view());
}

PublicKey read_key(const std::string& path) {
  try {
    return crypto::public_key_from_pem(file_text(path, "--key: the file"));
  } catch (const Error& error) {
    if (error.details().empty() || error.details().front().starts_with("--key")) throw;
    throw Error(error.kind(), {"--key: the file " + error.details().front()}).with_cause(error.cause());
  }
}

std::optional<pki::Certificate> read_certificate(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const Secret file = read_file(path, "--certificate: the file", {Readable::by_anyone, kMaxFile, ""});
  return pki::parse_pem_certificate_file(file.bytes());
}

// What an editor or a redirection may have added.
std::string_view without_last_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Texts of the evidence are another's: nothing of them may steer a terminal, neither C0 nor C1 (U+0080 to U+009F, which
// UTF-8 writes as C2 80 to C2 9F).
std::string shown(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (octet == 0xc2 && next >= 0x80 && next < 0xa0) {
      out += '?';
      ++i;
    } else {
      out += octet < 0x20 || octet == 0x7f ? '?' : text[i];
    }
  }
  return out;
}

class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}
  // Returns `good`.
  bool line(bool good, std::string_view what, std::string_view found) {
    out_ << (good ? "ok    " : "FAIL  ") << what << ": " << shown(found) << '\n';
    good_ = good_ && good;
    return good;
  }
  void note(std::string_view what, std::string_view found) { out_ << "      " << what << ": " << shown(found) << '\n'; }
  bool finish() {
    out_ << (good_ ? "the evidence is good\n" : "the evidence is NOT good\n");
    return good_;
  }

 private:
  std::ostream& out_;
  bool good_ = true;
};

std::optional<pki::Certificate> certificate_in(const KeyEvidence& evidence) {
  try {
    return pki::Certificate::from_pem(evidence.certificate.pem);
  } catch (const Error&) {
    return std::nullopt;  // signed all the same, and said to be wrong
  }
}

bool answers(const KeyEvidence& evidence, const pki::Certificate& certificate) {
  const auto signature = from_base64(evidence.signature);
  if (!signature) return false;
  const std::string text = audit::challenge_of(evidence);
  const Bytes digest = crypto::hash(Digest::sha256, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  return crypto::verifies(certificate.public_key(), Digest::sha256, digest, *signature);
}

void check_nonce(const KeyEvidence& evidence, const std::optional<std::string>& nonce, Report& report) {
  if (nonce) {
    report.line(evidence.nonce == *nonce, "nonce", evidence.nonce == *nonce ? "as demanded" : "another than demanded");
  } else {
    report.note("nonce", evidence.nonce.empty() ? "none" : evidence.nonce + " (not compared)");
  }
}

// Whether there is a certificate to go on with.
std::optional<pki::Certificate> check_certificate(const KeyEvidence& evidence,
                                                  const std::optional<pki::Certificate>& wanted, Report& report) {
  const KeyEvidence::Certificate& told = evidence.certificate;
  auto certificate = certificate_in(evidence);
  const bool same = certificate && certificate->fingerprint_sha256() == told.fingerprint_sha256 &&
                    certificate->serial_number() == told.serial;
  report.line(same, "certificate",
              same ? told.name + ", serial " + told.serial + ", SHA-256 " + told.fingerprint_sha256
                   : "not the one that is told of");
  if (!same) return std::nullopt;
  if (wanted) {
    const bool it_is = wanted->der() == certificate->der();
    report.line(it_is, "the certificate asked about", it_is ? "this one" : "another one");
  }
  return certificate;
}

void note_key(const KeyEvidence& evidence, Report& report) {
  const KeyEvidence::Token& token = evidence.token;
  report.note("token", token.label + ", serial " + token.serial + ", " + token.manufacturer + " " + token.model +
                           ", firmware " + token.firmware + ", module " + token.module);
  if (!evidence.key) return;
  const KeyEvidence::Key& key = *evidence.key;
  std::string mechanism = "the token does not tell";
  if (key.generation_mechanism) {
    mechanism = key.generation_mechanism_name.empty() ? std::to_string(*key.generation_mechanism)
                                                      : key.generation_mechanism_name;
  }
  report.note("key", key.type + " " + std::to_string(key.bits) + ", CKA_ID " + key.id + ", made with: " + mechanism);
}

}  // namespace

bool verify_evidence(const EvidenceVerifyOptions& options, std::ostream& out) {
  const PublicKey key = read_key(options.key_file);
  const std::optional<pki::Certificate> wanted = read_certificate(options.certificate_file);
  const std::string file = file_text(options.evidence_file, "the evidence");
  const std::string_view jws = without_last_line_end(file);

  Report report(out);
  // Of what is not signed nothing is worth telling.
  const bool is_signed = crypto::verifies_jws(jws, key);
  report.line(is_signed, "signature",
              is_signed ? "by the audit key " + crypto::public_key_fingerprint(key) : "not by this audit key");
  if (!is_signed) return report.finish();
  const crypto::Jws read = crypto::read_jws(jws);
  const bool is_evidence = read.type == audit::kKeyEvidenceType;
  report.line(is_evidence, "type", read.type);
  if (!is_evidence) return report.finish();
  const std::optional<KeyEvidence> evidence = audit::parse_key_evidence(read.payload);
  if (!evidence) {
    report.line(false, "payload", "not as this version writes it");
    return report.finish();
  }

  report.note("time", date_time(evidence->time));
  check_nonce(*evidence, options.nonce, report);
  const auto certificate = check_certificate(*evidence, wanted, report);
  note_key(*evidence, report);
  const KeyEvidence::Probe& probe = evidence->probe;
  report.note("probe", probe.verdict + " at " + date_time(probe.time) +
                           (probe.accepted ? ", and the operator accepted this token all the same" : "") + "; " +
                           probe.codes);
  if (certificate) {
    const bool answered = answers(*evidence, *certificate);
    report.line(answered, "challenge",
                answered ? "signed by the certificate's key" : "not signed by the certificate's key");
  }
  for (const audit::Verdict& verdict : audit::verdicts_of(*evidence)) {
    report.line(verdict.passed, verdict.name, verdict.meaning);
  }
  return report.finish();
}

}  // namespace hsmsigner::app
