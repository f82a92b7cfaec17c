#include "app/tls_setup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iomanip>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/container.h"
#include "base/error.h"
#include "base/secret.h"
#include "hsm/tls_key.h"
#include "pki/certificate.h"
#include "tls/context.h"
#include "tls/external_key.h"
#include "tls/key_file.h"

namespace hsmsigner::app {
namespace {

constexpr std::size_t kLongestFile = 1U << 20;
constexpr std::size_t kLongestChain = 16;
constexpr std::chrono::seconds kTokenTime{10};

enum class Readable { by_owner_only, by_anyone };

Error fault(const std::string& setting, const std::string& sentence, SourcePlace where = SourcePlace::here()) {
  return Error(ErrorKind::invalid_object, {setting + ": " + sentence}, where);
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const noexcept { return number_; }

 private:
  int number_;
};

void require_private(const struct stat& status, const std::string& setting, const std::string& file) {
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw fault(setting, "the file belongs to another user")
        .with_cause(file + ": owned by user id " + std::to_string(status.st_uid))
        .with_help("it must belong to the user who runs hsm-signer, or to root");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    std::ostringstream mode;
    mode << file << ": its mode is " << std::oct << std::setfill('0') << std::setw(4) << (status.st_mode & 07777);
    throw fault(setting, "the file is open to group or others")
        .with_cause(mode.str())
        .with_help("chmod 600 the key file, and make a new key if others may have read it");
  }
}

Secret read_file(const std::string& file, const std::string& setting, Readable readable) {
  // O_NONBLOCK so that a pipe without a writer does not hold us up; it is refused just below.
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  const auto refuse = [&](const std::string& sentence, const char* cause) {
    return fault(setting, sentence).with_cause(file + ": " + cause);
  };
  if (fd.get() < 0) throw refuse("the file cannot be opened", std::strerror(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw refuse("the file cannot be examined", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw refuse("is not a regular file", "not a regular file");
  if (readable == Readable::by_owner_only) require_private(status, setting, file);
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > kLongestFile) {
    throw refuse("the file is longer than a mebioctet", "too long");
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(fd.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  Secret content{std::string_view(text.data(), size)};
  cleanse(text);
  return content;
}

std::string read_text(const std::string& file, const std::string& setting) {
  return std::string(read_file(file, setting, Readable::by_anyone).view());
}

store::CertificateRecord find_certificate(const std::string& reference, store::CertificateStore& certificates) {
  std::optional<store::CertificateRecord> record;
  if (const std::optional<Uuid> id = Uuid::parse(reference)) {
    record = certificates.find(*id);
  } else {
    const std::size_t slash = reference.find('/');
    const std::optional<Container> container = Container::parse(reference.substr(0, slash));
    if (container && slash != std::string::npos) {
      record = certificates.find_by_name(*container, reference.substr(slash + 1));
    }
  }
  if (!record) {
    throw fault("tls.certificate",
                "there is no such certificate here; issue it first, with this server on loopback "
                "and without TLS");
  }
  if (record->pending()) throw fault("tls.certificate", "this signing request has no certificate yet");
  if (!record->key) throw fault("tls.certificate", "this certificate was imported without its key");
  return *std::move(record);
}

// RFC 8446 4.4.2: who gets it has the root already.
std::string chain_of(const store::CertificateRecord& own, store::CertificateStore& certificates) {
  std::string chain = own.certificate_pem;
  std::optional<Uuid> next = own.issuer_id;
  for (std::size_t length = 1; next && length < kLongestChain; ++length) {
    const std::optional<store::CertificateRecord> issuer = certificates.find(*next);
    if (!issuer || issuer->pending() || issuer->subject == issuer->issuer) break;
    if (!chain.ends_with('\n')) chain += '\n';
    chain += issuer->certificate_pem;
    next = issuer->issuer_id;
  }
  return chain;
}

void use_files(const TlsSettings& settings, tls::ContextOptions& options) {
  options.certificate_chain = read_text(settings.certificate_file, "tls.certificate_file");
  options.key = tls::key_from_pem(read_file(settings.key_file, "tls.key_file", Readable::by_owner_only).view());
}

void use_token(const TlsSettings& settings, hsm::Token& token, store::CertificateStore& certificates,
               tls::ContextOptions& options) {
  options.certificate_setting = options.key_setting = "tls.certificate";
  const store::CertificateRecord own = find_certificate(settings.certificate, certificates);
  const PublicKey public_key = pki::Certificate::from_pem(own.certificate_pem).public_key();
  if (!token.key(own.id, public_key)->is_present(deadline_in(kTokenTime))) {
    throw fault("tls.certificate", "the certificate's key is not in the token")
        .with_cause("key " + own.id.to_string() + ", made in the token " + own.key->token_serial);
  }
  options.certificate_chain = chain_of(own, certificates);
  const auto key = std::make_shared<const hsm::TlsKey>(token, own.id, public_key);
  tls::KeyOperations operations;
  operations.sign = [key](Digest digest, ByteView digest_value, Deadline deadline) {
    return key->sign(digest, digest_value, deadline);
  };
  operations.transform = [key](ByteView block, Deadline deadline) { return key->transform(block, deadline); };
  options.key = tls::external_key(options.certificate_chain, std::move(operations));
}

}  // namespace

AcceptTransport tls_transport(const Settings& settings, hsm::Token& token, store::CertificateStore& certificates) {
  if (!settings.tls.configured()) return nullptr;
  tls::ContextOptions options;
  if (settings.tls.certificate.empty()) {
    use_files(settings.tls, options);
  } else {
    use_token(settings.tls, token, certificates, options);
  }
  options.client_certificate = settings.tls.client_certificate;
  if (options.client_certificate != tls::ClientCertificate::off) {
    options.client_ca = read_text(settings.tls.client_ca_file, "tls.client_ca_file");
  }
  return [context = tls::Context(options)](int socket, Deadline deadline) { return context.accept(socket, deadline); };
}

}  // namespace hsmsigner::app
