// The page as Chromium shows it.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "report/html.h"
#include "report/png.h"
#include "report/sample.h"
#include "support/command.h"
#include "support/temporary_directory.h"

using namespace test_support;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool no_browser() {
  if (program_exists("chromium")) return false;
  MESSAGE("test skipped: chromium is not here");
  return true;
}

// A browser of its own for each call, with a profile that goes away.
class Browser {
 public:
  explicit Browser(const std::string& html) { std::ofstream(page()) << html; }

  std::string path(const std::string& name) const { return directory_.file(name); }
  std::string page() const { return path("report.html"); }

  CommandResult run(std::vector<std::string> options) const {
    std::vector<std::string> argv{"chromium",
                                  "--headless",
                                  "--no-sandbox",
                                  "--disable-gpu",
                                  "--disable-dev-shm-usage",
                                  "--disable-background-networking",
                                  "--disable-component-update",
                                  "--disable-default-apps",
                                  "--disable-sync",
                                  "--no-first-run",
                                  "--hide-scrollbars",
                                  "--user-data-dir=" + path("profile")};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back("file://" + page());
    return run_command(argv, "", {{"HOME", directory_.path().string()}}, std::chrono::seconds(90));
  }

 private:
  TemporaryDirectory directory_;
};

// What the network layer was asked for, as it says itself.
bool asked_for(const std::string& net_log, const std::string& url) { return holds(net_log, url); }

}  // namespace

TEST_CASE("Chromium shows the report in its colours") {
  if (no_browser()) return;
  const Browser browser(hsmsigner::report::html_of(sample_report()));
  const CommandResult result = browser.run(
      {"--screenshot=" + browser.path("shot.png"), "--window-size=1200,4000", "--force-color-profile=srgb"});
  REQUIRE_MESSAGE(std::filesystem::exists(browser.path("shot.png")), result.out);
  const auto colours = colours_of_png(read_file(browser.path("shot.png")));
  std::size_t all = 0;
  for (const auto& [colour, count] : colours) all += count;
  CHECK(all == 1200U * 4000U);
  const auto share = [&](std::uint32_t colour) {
    const auto found = colours.find(colour);
    return found == colours.end() ? 0 : static_cast<double>(found->second) / static_cast<double>(all);
  };
  // The style sheet was applied, which its digest in the policy decides: the ground, the verdicts, the bars.
  CHECK(share(0xFFFFFF) > 0.4);
  CHECK(share(0xFFFFFF) < 0.98);
  CHECK(share(0xFCE8E8) > 0.001);  // a failed control's ground
  CHECK(share(0xFDF0D9) > 0.0002);
  CHECK(share(0xE6F3EB) > 0.0002);
  CHECK(share(0x1F4E79) > 0.002);  // bars
  CHECK(colours.size() > 50);
}

TEST_CASE("Chromium's document holds the figures, and a script's name is no script") {
  if (no_browser()) return;
  const Browser browser(hsmsigner::report::html_of(sample_report()));
  const CommandResult result = browser.run({"--dump-dom"});
  const std::string& dom = result.out;
  for (const char* figure :
       {"1843", "1851", "not a validated module", "Exportable keys (140)", "auditor and issuer", "payments-gateway"}) {
    CHECK_MESSAGE(holds(dom, figure), figure);
  }
  CHECK_FALSE(holds(dom, "<script"));
  CHECK(holds(dom, "&lt;script&gt;alert(1)&lt;/script&gt;"));
}

TEST_CASE("the page asks the network for nothing") {
  if (no_browser()) return;
  const std::string html = hsmsigner::report::html_of(sample_report());
  // A page that does ask shows that this would be seen: without the policy it gets out, under the policy it does not.
  const std::string image = "<img src=\"http://127.0.0.1:9/asked-for.png\" alt=\"\">";
  const auto log_of = [](const std::string& page) {
    const Browser browser(page);
    browser.run({"--dump-dom", "--log-net-log=" + browser.path("net.json"), "--net-log-capture-mode=Everything"});
    return read_file(browser.path("net.json"));
  };
  REQUIRE(asked_for(log_of("<!DOCTYPE html><title>x</title>" + image), "asked-for.png"));
  std::string with_image = html;
  with_image.insert(with_image.find("</body>"), image);
  CHECK_FALSE(asked_for(log_of(with_image), "asked-for.png"));
  const std::string log = log_of(html);
  REQUIRE(holds(log, "constants"));
  // The browser itself asks its maker for updates, and may: by names, which this page does not know.
  std::smatch url;
  const std::regex urls("\"url\":\"(https?:[^\"]*)\"");
  for (auto at = log.cbegin(); std::regex_search(at, log.cend(), url, urls); at = url.suffix().first) {
    CHECK_MESSAGE(holds(url[1], ".google"), url[1].str());
  }
}

TEST_CASE("Chromium prints the report") {
  if (no_browser()) return;
  const Browser browser(hsmsigner::report::html_of(sample_report()));
  const CommandResult result = browser.run({"--no-pdf-header-footer", "--print-to-pdf=" + browser.path("report.pdf")});
  const std::string pdf = read_file(browser.path("report.pdf"));
  REQUIRE_MESSAGE(pdf.starts_with("%PDF-"), result.out);
  // Whole pages of A4: 595 by 842 points.
  CHECK(holds(pdf, "/MediaBox [0 0 594.9"));
  // For whoever hears it: a tagged document.
  CHECK(holds(pdf, "/StructTreeRoot"));
}
