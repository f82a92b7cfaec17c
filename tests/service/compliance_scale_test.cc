// How long the report takes on a token and a store that are full. HSM_SIGNER_REPORT_KEYS says how full.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>

#include "pki/certificate_builder.h"
#include "report/html.h"
#include "service/certificate_event.h"
#include "service/certificate_facts.h"
#include "service/compliance.h"
#include "store/journal_reader.h"
#include "store/store.h"
#include "support/softhsm.h"

using namespace hsmsigner;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

namespace fs = std::filesystem;

Deadline soon() { return deadline_in(seconds(60)); }

std::size_t keys_wanted() {
  const char* const text = std::getenv("HSM_SIGNER_REPORT_KEYS");
  return text == nullptr ? 300 : static_cast<std::size_t>(std::stoul(text));
}

store::CertificateRecord certificate(hsm::Token& token, const hsm::GeneratedKey& key, const std::string& name) {
  pki::CertificateSpec spec;
  spec.serial = token.random(20, soon());
  spec.serial.front() = static_cast<std::uint8_t>((spec.serial.front() & 0x3f) | 0x40);
  spec.subject.common_name = name;
  spec.not_before = system_now();
  spec.not_after = spec.not_before + std::chrono::days(90);
  spec.digest = Digest::sha256;
  store::CertificateRecord record =
      service::new_record(Container{ContainerKind::folder, "Scale"}, name, spec.not_before);
  record.id = key.key()->id();
  service::fill_from(pki::build_certificate(spec, key.key()->public_key(), nullptr, *key.key(), soon()), record);
  record.key = service::key_record(key.attributes(), token.info());
  return record;
}

// SoftHSM makes keys the more slowly, the more there are. So they are made a few hundred at a time in copies of the one
// token, which all have its key, and its files are put together at the end: the same keys as if it had made them alone.
class FullToken {
 public:
  FullToken(const test_support::SoftHsm& hsm, std::size_t count) : hsm_(hsm) {
    constexpr std::size_t kAtOnce = 500;
    const fs::path tokens = hsm.directory().path() / "tokens";
    const fs::path copy = hsm.directory().path() / "copy";
    const fs::path fresh = hsm.directory().path() / "fresh";
    fs::copy(tokens, fresh, fs::copy_options::recursive);
    const std::string config = hsm.directory().write(
        "copy.conf", "directories.tokendir = " + copy.string() + "\nobjectstore.backend = file\nlog.level = ERROR\n");
    for (std::size_t made = 0; made < count; made += kAtOnce) {
      fs::copy(fresh, copy, fs::copy_options::recursive);
      ::setenv("SOFTHSM2_CONF", config.c_str(), 1);
      make(std::min(kAtOnce, count - made), made);
      fs::copy(copy, tokens, fs::copy_options::recursive | fs::copy_options::skip_existing);
      fs::remove_all(copy);
    }
    ::setenv("SOFTHSM2_CONF", hsm.config_file().c_str(), 1);
  }

  const std::vector<store::CertificateRecord>& records() const { return records_; }

  std::unique_ptr<hsm::Token> open() const {
    return hsm::Token::open({.module_path = test_support::SoftHsm::module_path(), .selector = {hsm_.label(), ""}},
                            Secret(hsm_.pin()));
  }

 private:
  void make(std::size_t count, std::size_t first) {
    const std::unique_ptr<hsm::Token> token = open();
    std::mutex mutex;
    std::size_t next = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (;;) {
          std::size_t mine = 0;
          {
            const std::lock_guard lock(mutex);
            if (next == count) return;
            mine = first + next++;
          }
          // Every tenth is RSA-1024, which is weak and quickly made.
          const KeyAlgorithm algorithm = mine % 10 == 0 ? KeyAlgorithm::rsa_1024 : KeyAlgorithm::ec_p256;
          auto key = token->generate({Uuid::random(), algorithm, true}, soon());
          store::CertificateRecord record = certificate(*token, key, "scale-" + std::to_string(mine));
          key.keep();
          const std::lock_guard lock(mutex);
          records_.push_back(std::move(record));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  const test_support::SoftHsm& hsm_;
  std::vector<store::CertificateRecord> records_;
};

}  // namespace

TEST_CASE("a full store's report takes less than ten seconds for 10,000 keys apart from the challenges") {
  const std::size_t count = keys_wanted();
  const test_support::SoftHsm hsm;
  const FullToken full(hsm, count);
  const test_support::TemporaryDirectory directory;
  const std::string file = directory.file("store.db");
  const auto database = store::Store::open({.path = file});
  for (const store::CertificateRecord& record : full.records()) {
    const audit::Event event =
        service::certificate_event(audit::EventKind::certificate_issued, auth::Caller::service(), record);
    database->certificates().insert(record, soon(), {.event = &event});
  }
  const auto token = full.open();
  const service::TokenSet tokens(*token);
  service::Compliance compliance(
      {tokens, database->certificates(), database->accounts(), database->journal()},
      [&] { return store::open_journal(file); }, "0.1.0", [] { return system_now_millis(); }, {});

  const auto begin = steady_clock::now();
  const auto since = [](steady_clock::time_point then) {
    return std::chrono::duration<double>(steady_clock::now() - then).count();
  };
  // On a busy machine the processor's time tells more than the clock.
  const auto processor = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  const double processor_begin = processor();
  double step_processor = processor_begin;
  std::string step;
  auto step_begin = begin;
  const auto end_step = [&] {
    std::cout << "  " << step << ": " << since(step_begin) << " s, of the processor " << processor() - step_processor
              << " s\n";
  };
  service::ComplianceOptions options;
  options.challenge = false;
  options.progress = [&](const std::string& name, std::size_t, std::size_t) {
    if (name == step) return;
    if (!step.empty()) end_step();
    step = name;
    step_processor = processor();
    step_begin = steady_clock::now();
  };
  const report::Report report = compliance.make(options, {}, deadline_in(std::chrono::minutes(10)));
  end_step();
  const double made = since(begin);
  const std::string html = report::html_of(report);
  std::cout << count << " keys: facts " << made << " s, with the page (" << html.size() << " octets) " << since(begin)
            << " s, of the processor " << processor() - processor_begin << " s\n";
  CHECK(report.facts.inventory.certificates == count);
  CHECK(report.facts.inventory.token_private_keys == count);
  CHECK(report.facts.inventory.orphans.total() == 0);
  CHECK(report.facts.inventory.missing.total() == 0);
  CHECK(report.facts.inventory.mismatches.total() == 0);
  CHECK(report.facts.inventory.weak.total() == (count + 9) / 10);
  CHECK(report.facts.issuance.without_event.total() == 0);
  // By the clock on the wall: what an auditor waits for. A second of it for what does not grow.
  CHECK(made < 1 + 9 * static_cast<double>(count) / 10'000);

  const auto challenges_begin = steady_clock::now();
  const report::Report challenged = compliance.make({}, {}, deadline_in(std::chrono::minutes(10)));
  std::cout << count << " keys, each challenged: " << since(challenges_begin) << " s\n";
  CHECK(challenged.facts.challenges->answered == count);
}
