// `hsm-signer report ...`: the compliance report made, and checked without token and server.
#pragma once

#include <iosfwd>
#include <string>

#include "app/settings.h"
#include "base/secret.h"
#include "report/statement.h"

namespace hsmsigner::app {

struct ReportOptions {
  report::Format format = report::Format::html;
  std::string output;     // made, mode 0600, never replaced; the signature goes to the same name and ".jws"
  bool challenge = true;  // every key signs
  bool probe = true;      // the token is asked for throwaway keys
};

// Says on `progress` how far it is, on `out` what was made. Returns the exit code: 0, or 130 or 143 after SIGINT or
// SIGTERM, when no report was made and no key was left.
int make_report(const Settings& settings, std::vector<Secret> pins, const ReportOptions& options, std::ostream& out,
                std::ostream& progress);

struct ReportVerifyOptions {
  std::string file;
  std::string signature;  // "": `file` and ".jws"
  std::string key;        // PEM
};

inline constexpr int kExitReportGood = 0;
inline constexpr int kExitReportBad = 1;
inline constexpr int kExitReportUnreadable = 2;  // nothing can be said of it

// Writes its findings to `out`, the first line being "good" or beginning with "bad", and returns one of the codes.
// Throws Error when something cannot be read, which is kExitReportUnreadable.
int verify_report(const ReportVerifyOptions& options, std::ostream& out);

}  // namespace hsmsigner::app
