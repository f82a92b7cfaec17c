#include <array>
#include <string>

#include "report/bar_chart.h"
#include "report/html_parts.h"

namespace hsmsigner::report {
namespace {

constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::string percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return "0 %";
  const std::size_t tenths = (part * 1000 + whole / 2) / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

void add_expiry(Markup& page, const Issuance& issuance) {
  BarChart chart;
  chart.id = "chart-expiry";
  chart.title = "Certificates by month of expiry";
  std::uint64_t most = 0;
  std::string peak;
  for (const MonthCount& month : issuance.per_month) {
    const std::string name = std::string(kMonths[(month.month + 11) % 12]) + " " + std::to_string(month.year);
    if (month.certificates > most) {
      most = month.certificates;
      peak = name;
    }
    // Each month has its letter; January, and the first one, its year too.
    const bool with_year = month.month == 1 || &month == &issuance.per_month.front();
    chart.bars.push_back({with_year
                              ? std::string(kMonths[(month.month + 11) % 12]) + " ’" + std::to_string(month.year % 100)
                              : std::string(kMonths[(month.month + 11) % 12]).substr(0, month.month % 3 == 1 ? 3 : 0),
                          month.certificates, false, ""});
  }
  chart.description = "Bars for " + std::to_string(issuance.per_month.size()) + " months. " +
                      (most == 0 ? "No certificate expires in them."
                                 : "The most, " + std::to_string(most) + ", expire in " + peak + ".");
  page.raw("<figure>\n<figcaption>").text(chart.title).raw("</figcaption>\n").append(upright(chart));
  page.raw(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: certificates by month of expiry\">\n");
  page.raw("<table class=\"grid\"><caption>Certificates that expire, by month (UTC)</caption>\n<thead><tr>");
  page.raw("<th scope=\"col\">Year</th>");
  for (const char* month : kMonths) page.raw("<th scope=\"col\" class=\"num\">").text(month).raw("</th>");
  page.raw("<th scope=\"col\" class=\"num\">Total</th></tr></thead>\n<tbody>\n");
  page.raw("<tr><th scope=\"row\">Expired</th><td colspan=\"12\">before the report was made</td>");
  add_number_cell(page, issuance.expired);
  page.raw("</tr>\n");
  for (std::size_t i = 0; i < issuance.per_month.size();) {
    const int year = issuance.per_month[i].year;
    page.raw("<tr><th scope=\"row\">").text(std::to_string(year)).raw("</th>");
    std::size_t total = 0;
    for (unsigned month = 1; month <= 12; ++month) {
      if (i < issuance.per_month.size() && issuance.per_month[i].year == year && issuance.per_month[i].month == month) {
        add_number_cell(page, issuance.per_month[i].certificates);
        total += issuance.per_month[i].certificates;
        ++i;
      } else {
        page.raw("<td class=\"num zero\">–</td>");
      }
    }
    add_number_cell(page, total);
    page.raw("</tr>\n");
  }
  page.raw("<tr><th scope=\"row\">Later</th><td colspan=\"12\">after these months</td>");
  add_number_cell(page, issuance.later);
  page.raw("</tr>\n</tbody></table>\n</div>\n</figure>\n");
}

void add_algorithms(Markup& page, const Facts& facts) {
  BarChart chart;
  chart.id = "chart-algorithms";
  chart.title = "Keys of certificates by algorithm";
  std::size_t all = 0;
  std::size_t weak = 0;
  for (const AlgorithmCount& row : facts.issuance.algorithms) {
    all += row.certificates;
    weak += row.weak;
  }
  for (const AlgorithmCount& row : facts.issuance.algorithms) {
    chart.bars.push_back(
        {row.algorithm, row.certificates, row.weak > 0,
         std::to_string(row.certificates) + " · " + percent(row.certificates, all) + (row.weak > 0 ? " · weak" : "")});
  }
  chart.description = std::to_string(all) + " certificates, " + std::to_string(weak) +
                      " of them with a key below 112 bits of strength, which are hatched.";
  page.raw("<figure>\n<figcaption>").text(chart.title).raw("</figcaption>\n");
  if (all == 0) {
    page.raw("<p>There is no certificate.</p>\n</figure>\n");
    return;
  }
  page.append(lying(chart));
  page.raw("<table class=\"grid\"><caption>All certificates, expired ones included; weak: below 112 bits</caption>\n");
  page.raw("<thead><tr><th scope=\"col\">Algorithm</th><th scope=\"col\" class=\"num\">Certificates</th>");
  page.raw(
      "<th scope=\"col\" class=\"num\">Share</th><th scope=\"col\" class=\"num\">Weak</th></tr></thead>\n<tbody>\n");
  for (const AlgorithmCount& row : facts.issuance.algorithms) {
    page.raw("<tr><th scope=\"row\">").text(row.algorithm).raw("</th>");
    add_number_cell(page, row.certificates);
    page.raw("<td class=\"num\">").text(percent(row.certificates, all)).raw("</td>");
    add_number_cell(page, row.weak);
    page.raw("</tr>\n");
  }
  page.raw("</tbody></table>\n</figure>\n");
}

std::string date_of(std::chrono::sys_days day) { return date_time(UnixTime(day)).substr(0, 10); }

void add_issued(Markup& page, const Issuance& issuance) {
  BarChart chart;
  chart.id = "chart-issued";
  chart.title = "Certificates issued per day";
  chart.values_shown = false;
  std::size_t all = 0;
  std::size_t most = 0;
  std::string peak;
  for (std::size_t i = 0; i < issuance.per_day.size(); ++i) {
    const DayCount& day = issuance.per_day[i];
    const std::string date = date_of(day.day);
    all += day.certificates;
    if (day.certificates > most) {
      most = day.certificates;
      peak = date;
    }
    const bool marked = i % 15 == 7;
    chart.bars.push_back({marked ? date.substr(5) : "", day.certificates, false, ""});
  }
  chart.description = std::to_string(all) + " certificates in " + std::to_string(issuance.per_day.size()) + " days." +
                      (most > 0 ? " The most, " + std::to_string(most) + ", on " + peak + "." : "");
  page.raw("<figure>\n<figcaption>").text(chart.title).raw("</figcaption>\n").append(upright(chart));
  page.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: certificates issued per day\">\n");
  page.raw("<table class=\"grid\"><caption>Certificates issued per day (UTC), by week</caption>\n<thead><tr>");
  page.raw("<th scope=\"col\">Week from</th>");
  for (const char* day : {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}) {
    page.raw("<th scope=\"col\" class=\"num\">").text(day).raw("</th>");
  }
  page.raw("<th scope=\"col\" class=\"num\">Total</th></tr></thead>\n<tbody>\n");
  for (std::size_t i = 0; i < issuance.per_day.size();) {
    const std::chrono::sys_days day = issuance.per_day[i].day;
    const std::chrono::sys_days monday = day - (std::chrono::weekday(day) - std::chrono::Monday);
    page.raw("<tr><th scope=\"row\">").text(date_of(monday)).raw("</th>");
    std::size_t total = 0;
    for (std::chrono::sys_days each = monday; each < monday + std::chrono::days(7); each += std::chrono::days(1)) {
      if (i < issuance.per_day.size() && issuance.per_day[i].day == each) {
        add_number_cell(page, issuance.per_day[i].certificates);
        total += issuance.per_day[i].certificates;
        ++i;
      } else {
        page.raw("<td class=\"num zero\">–</td>");
      }
    }
    add_number_cell(page, total);
    page.raw("</tr>\n");
  }
  page.raw("</tbody></table>\n</div>\n</figure>\n");
}

}  // namespace

void add_charts(Markup& page, const Facts& facts) {
  page.raw("<section aria-labelledby=\"figures\">\n<h2 id=\"figures\">Certificates over time</h2>\n");
  add_expiry(page, facts.issuance);
  add_algorithms(page, facts);
  add_issued(page, facts.issuance);
  page.raw("</section>\n");
}

}  // namespace hsmsigner::report
