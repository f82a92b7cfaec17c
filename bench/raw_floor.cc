#include "raw_floor.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

#include "server_process.h"

namespace hsmsigner::bench {
namespace {

// DER of the OBJECT IDENTIFIER of P-256, 1.2.840.10045.3.1.7 (RFC 5480 2.1.1.1).
constexpr std::array<CK_BYTE, 10> p256_parameters{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
// DER of DigestInfo for SHA-256 up to the digest itself (RFC 8017 9.2, note 1).
constexpr std::array<CK_BYTE, 19> sha256_prefix{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                                0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
constexpr std::size_t sha256_size = 32;

// One session's way of doing the work. Not shared between threads.
class Worker {
 public:
  Worker(const LoggedInToken& token, Algorithm algorithm)
      : module_(token.module()), session_(token.module(), token.slot()), algorithm_(algorithm) {
    to_sign_.fill(0x5a);
    std::copy(sha256_prefix.begin(), sha256_prefix.end(), to_sign_.begin());
  }

  // The service's templates (hsm/key_template.cc) and its course: only the private half is a token object, the public
  // half is a session object that is read and destroyed at once.
  CK_OBJECT_HANDLE generate() {
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    const Uuid id = Uuid::random();
    Bytes id_octets(id.bytes().begin(), id.bytes().end());
    std::string label = "hsm-signer " + id.to_string();

    const bool rsa = algorithm_ != Algorithm::p256;
    CK_MECHANISM mechanism{rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN, nullptr, 0};
    CK_ULONG modulus_bits = algorithm_ == Algorithm::rsa4096 ? 4096 : 2048;
    std::array<CK_BYTE, 3> exponent{1, 0, 1};
    auto parameters = p256_parameters;
    CK_OBJECT_CLASS public_class = CKO_PUBLIC_KEY;
    CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE key_type = rsa ? CKK_RSA : CKK_EC;
    std::vector<CK_ATTRIBUTE> private_template{
        {CKA_CLASS, &private_class, sizeof private_class},
        {CKA_KEY_TYPE, &key_type, sizeof key_type},
        {CKA_TOKEN, &yes, sizeof yes},
        {CKA_PRIVATE, &yes, sizeof yes},
        {CKA_SENSITIVE, &yes, sizeof yes},
        {CKA_EXTRACTABLE, &no, sizeof no},
        {CKA_ID, id_octets.data(), id_octets.size()},
        {CKA_LABEL, label.data(), label.size()},
        {CKA_SIGN, &yes, sizeof yes},
        {CKA_SIGN_RECOVER, &no, sizeof no},
        {CKA_DECRYPT, &no, sizeof no},
        {CKA_UNWRAP, &no, sizeof no},
        {CKA_DERIVE, &no, sizeof no},
    };
    std::vector<CK_ATTRIBUTE> public_template{
        {CKA_CLASS, &public_class, sizeof public_class},
        {CKA_KEY_TYPE, &key_type, sizeof key_type},
        {CKA_TOKEN, &no, sizeof no},
        {CKA_PRIVATE, &no, sizeof no},
        {CKA_ID, id_octets.data(), id_octets.size()},
        {CKA_LABEL, label.data(), label.size()},
        {CKA_VERIFY, &yes, sizeof yes},
        {CKA_ENCRYPT, &no, sizeof no},
        {CKA_WRAP, &no, sizeof no},
    };
    if (rsa) {
      public_template.push_back({CKA_MODULUS_BITS, &modulus_bits, sizeof modulus_bits});
      public_template.push_back({CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size()});
    } else {
      public_template.push_back({CKA_EC_PARAMS, parameters.data(), parameters.size()});
    }

    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
    check(module_->C_GenerateKeyPair(session_.handle(), &mechanism, public_template.data(), public_template.size(),
                                     private_template.data(), private_template.size(), &public_key, &private_key),
          "C_GenerateKeyPair");
    made_.push_back(private_key);

    std::array<CK_BYTE, 512> value{};
    CK_ATTRIBUTE read{rsa ? CKA_MODULUS : CKA_EC_POINT, value.data(), value.size()};
    check(module_->C_GetAttributeValue(session_.handle(), public_key, &read, 1), "C_GetAttributeValue");
    check(module_->C_DestroyObject(session_.handle(), public_key), "C_DestroyObject");
    return private_key;
  }

  void sign(CK_OBJECT_HANDLE key) {
    const bool rsa = algorithm_ != Algorithm::p256;
    CK_MECHANISM mechanism{rsa ? CKM_RSA_PKCS : CKM_ECDSA, nullptr, 0};
    check(module_->C_SignInit(session_.handle(), &mechanism, key), "C_SignInit");
    std::array<CK_BYTE, 512> signature{};
    CK_ULONG size = signature.size();
    const std::size_t skipped = rsa ? 0 : sha256_prefix.size();
    check(module_->C_Sign(session_.handle(), to_sign_.data() + skipped, to_sign_.size() - skipped, signature.data(),
                          &size),
          "C_Sign");
  }

  const std::vector<CK_OBJECT_HANDLE>& made() const noexcept { return made_; }

 private:
  const Module& module_;
  Session session_;
  Algorithm algorithm_;
  // CKM_RSA_PKCS signs a DigestInfo, CKM_ECDSA the digest alone: the last 32 octets.
  std::array<CK_BYTE, sha256_prefix.size() + sha256_size> to_sign_{};
  std::vector<CK_OBJECT_HANDLE> made_;
};

using WorkerList = std::vector<std::unique_ptr<Worker>>;

WorkerList open_workers(const LoggedInToken& token, Algorithm algorithm, unsigned count) {
  WorkerList list;
  for (unsigned i = 0; i < count; ++i) list.push_back(std::make_unique<Worker>(token, algorithm));
  return list;
}

}  // namespace

std::string to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::p256: return "P-256";
    case Algorithm::rsa2048: return "RSA-2048";
    case Algorithm::rsa4096: return "RSA-4096";
  }
  throw std::logic_error("an algorithm that is none");
}

RawResult measure_raw(const LoggedInToken& token, const RawOptions& options) {
  RawResult result;
  Worker preparation(token, options.algorithm);
  CK_OBJECT_HANDLE signing_key = 0;
  if (options.signing_key) {
    signing_key = token.private_key(*options.signing_key);
  } else {
    signing_key = preparation.generate();
  }

  const auto list = open_workers(token, options.algorithm, options.threads);
  Workers workers;
  for (const auto& worker : list) {
    workers.push_back([&worker = *worker, work = options.work, signing_key] {
      if (work != RawWork::sign) worker.generate();
      if (work != RawWork::generate) worker.sign(signing_key);
    });
  }
  result.objects_before = token.count_objects();
  run_closed_loop(workers, options.warm_up);
  result.loop = run_closed_loop(workers, options.operations);
  result.objects_after = token.count_objects();

  for (const auto& worker : list) token.destroy(worker->made());
  token.destroy(preparation.made());
  return result;
}

double measure_kept_kilobytes(const LoggedInToken& token, std::size_t keys) {
  Worker worker(token, Algorithm::p256);
  const auto churn = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) token.destroy({worker.generate()});
  };
  churn(keys / 4);
  const double before = resident_megabytes(::getpid());
  churn(keys);
  return (resident_megabytes(::getpid()) - before) * 1000 / static_cast<double>(keys);
}

void fill(const LoggedInToken& token, std::size_t objects) {
  const auto present = token.count_objects();
  if (present >= objects) return;
  const auto list = open_workers(token, Algorithm::p256, 4);
  Workers workers;
  for (const auto& worker : list) workers.push_back([&worker = *worker] { worker.generate(); });
  run_closed_loop(workers, objects - present);
}

}  // namespace hsmsigner::bench
