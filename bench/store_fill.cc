#include "store_fill.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "closed_loop.h"
#include "store/store.h"

namespace hsmsigner::bench {
namespace {

// As many as the store's writer takes into one transaction.
constexpr unsigned kWriters = 128;
constexpr std::size_t kPemOctets = 3072;
constexpr std::chrono::minutes kPatience{5};
constexpr std::chrono::hours kYear{24 * 365};

std::string certificate_text(std::mt19937_64& random) {
  constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t i = 1; text.size() < kPemOctets; ++i)
    text += i % 65 == 0 ? '\n' : kBase64[random() % kBase64.size()];
  return text + "\n-----END CERTIFICATE-----\n";
}

store::CertificateRecord record_of(std::size_t i, const Uuid& issuer) {
  std::mt19937_64 random(i);
  const Uuid id = Uuid::random();
  const UnixTime now = system_now();
  store::CertificateRecord record{
      .id = id,
      .container = {ContainerKind::folder, kFilledFolders[i % std::size(kFilledFolders)]},
      .name = filled_name(i),
      .common_name = "growth.example.com",
      .algorithm = "EC",
      .subject = "/CN=growth.example.com",
      .issuer = "/CN=bench.example.com",
      .subject_hash = "01234567",
      .issuer_hash = "89abcdef",
      .not_before = now,
      .not_after = now + std::chrono::duration_cast<std::chrono::seconds>(kYear),
      .certificate_pem = certificate_text(random),
      .request_pem = "",
      .serial_number = to_hex(id.bytes()),
      .fingerprint_sha256 = to_colon_hex(id.bytes()) + ":" + to_colon_hex(Uuid::random().bytes()),
      .issuer_id = issuer,
      .signed_by = "growth",
      .digest = "sha256",
      .alternative_names = {"DNS:growth.example.com"},
      .warnings = {},
      .key = store::KeyRecord{.token_label = "hsm-signer",
                              .token_serial = "0123456789abcdef",
                              .id = to_hex(id.bytes()),
                              .type = "EC",
                              .bits = 256,
                              .sensitive = true,
                              .always_sensitive = true,
                              .extractable = false,
                              .never_extractable = true,
                              .local = true},
      .created_at = now,
  };
  return record;
}

}  // namespace

std::string filled_name(std::size_t i) {
  // Odd, so that no two of 2^32 are the same.
  const auto shuffled = static_cast<std::uint32_t>(i * 2654435761U);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "growth %08x", shuffled);
  return text.data();
}

Filled fill_store(const std::string& path, std::size_t certificates, const Uuid& issuer) {
  const auto opened = store::Store::open({.path = path, .readers = 1});
  store::CertificateStore& store = opened->certificates();
  std::size_t present = 0;
  for (const char* folder : kFilledFolders) {
    present += store.list(ContainerScope::everything(), Container{ContainerKind::folder, folder}, 0, 1).total;
  }
  if (present >= certificates) return {};

  Filled filled;
  filled.added = certificates - present;
  std::atomic<std::size_t> next{present};
  const Workers workers(kWriters, [&] {
    const store::CertificateRecord record = record_of(next++, issuer);
    const audit::Event event{.kind = audit::EventKind::certificate_issued,
                             .object = record.id.to_string(),
                             .container = record.container.to_string()};
    store.insert(record, deadline_in(kPatience), {.event = &event});
  });
  filled.seconds = run_closed_loop(workers, filled.added).seconds;
  return filled;
}

}  // namespace hsmsigner::bench
