#include "report/bar_chart.h"

#include <algorithm>

namespace hsmsigner::report {
namespace {

// User units of the drawing; lengths are counted in hundredths of them, in integers, so that the same figures give the
// same octets everywhere.
constexpr std::int64_t kWidth = 72000;
constexpr std::int64_t kLeft = 4200;
constexpr std::int64_t kTop = 2000;
constexpr std::int64_t kPlotHeight = 16000;
constexpr std::int64_t kBelow = 2600;
constexpr std::int64_t kRow = 3000;
constexpr std::int64_t kLabelWidth = 9000;
constexpr std::int64_t kNoteWidth = 14000;

std::uint64_t largest(const BarChart& chart) {
  std::uint64_t most = 0;
  for (const Bar& bar : chart.bars) most = std::max(most, bar.value);
  return most;
}

// 1, 2 or 5 times a power of ten: at most five of it reach `most`.
std::uint64_t grid_step(std::uint64_t most) {
  std::uint64_t power = 1;
  while (true) {
    for (const std::uint64_t factor : {1U, 2U, 5U}) {
      if (factor * power >= (most + 4) / 5) return factor * power;
    }
    power *= 10;
  }
}

std::int64_t scaled(std::uint64_t value, std::uint64_t top, std::int64_t length) {
  return static_cast<std::int64_t>(value * static_cast<std::uint64_t>(length) / top);
}

void open(Markup& svg, const BarChart& chart, std::int64_t height) {
  svg.raw("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 ").hundredths(kWidth).raw(" ").hundredths(height);
  svg.raw("\" aria-labelledby=\"").text(chart.id).raw("-title ").text(chart.id).raw("-desc\">\n");
  svg.raw("<title id=\"").text(chart.id).raw("-title\">").text(chart.title).raw("</title>\n");
  svg.raw("<desc id=\"").text(chart.id).raw("-desc\">").text(chart.description).raw("</desc>\n");
  svg.raw("<defs><pattern id=\"")
      .text(chart.id)
      .raw("-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" ");
  svg.raw("patternTransform=\"rotate(45)\"><rect class=\"hatch-back\" width=\"6\" height=\"6\"/>");
  svg.raw("<rect class=\"hatch-line\" width=\"3\" height=\"6\"/></pattern></defs>\n");
}

void rect(Markup& svg, const BarChart& chart, const Bar& bar, std::int64_t x, std::int64_t y, std::int64_t width,
          std::int64_t height) {
  svg.raw("<rect class=\"")
      .text(bar.hatched ? "hatched" : "bar")
      .raw("\" x=\"")
      .hundredths(x)
      .raw("\" y=\"")
      .hundredths(y)
      .raw("\" width=\"")
      .hundredths(width);
  svg.raw("\" height=\"").hundredths(height).raw("\"");
  if (bar.hatched) svg.raw(" fill=\"url(#").text(chart.id).raw("-hatch)\"");
  svg.raw("/>\n");
}

}  // namespace

Markup upright(const BarChart& chart) {
  Markup svg;
  open(svg, chart, kTop + kPlotHeight + kBelow);
  const std::uint64_t most = largest(chart);
  const std::uint64_t step = grid_step(std::max<std::uint64_t>(most, 1));
  const std::uint64_t top = std::max<std::uint64_t>((most + step - 1) / step, 1) * step;
  const std::int64_t base = kTop + kPlotHeight;
  for (std::uint64_t value = 0; value <= top; value += step) {
    const std::int64_t y = base - scaled(value, top, kPlotHeight);
    svg.raw("<line class=\"grid\" x1=\"").hundredths(kLeft).raw("\" x2=\"").hundredths(kWidth).raw("\" y1=\"");
    svg.hundredths(y).raw("\" y2=\"").hundredths(y).raw("\"/>");
    svg.raw("<text class=\"axis end\" x=\"").hundredths(kLeft - 700).raw("\" y=\"").hundredths(y + 400).raw("\">");
    svg.number(value).raw("</text>\n");
  }
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(chart.bars.size(), 1));
  const std::int64_t pitch = (kWidth - kLeft) / count;
  const std::int64_t gap = pitch / 5;
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const std::int64_t x = kLeft + static_cast<std::int64_t>(i) * pitch;
    const std::int64_t height = scaled(bar.value, top, kPlotHeight);
    if (bar.value > 0) rect(svg, chart, bar, x + gap / 2, base - height, pitch - gap, height);
    if (bar.value > 0 && chart.values_shown) {
      svg.raw("<text class=\"value\" x=\"").hundredths(x + pitch / 2).raw("\" y=\"").hundredths(base - height - 400);
      svg.raw("\">").number(bar.value).raw("</text>\n");
    }
    if (!bar.label.empty()) {
      svg.raw("<text class=\"axis\" x=\"").hundredths(x + pitch / 2).raw("\" y=\"").hundredths(base + 1700).raw("\">");
      svg.text(bar.label).raw("</text>\n");
    }
  }
  svg.raw("<line class=\"base\" x1=\"").hundredths(kLeft).raw("\" x2=\"").hundredths(kWidth).raw("\" y1=\"");
  svg.hundredths(base).raw("\" y2=\"").hundredths(base).raw("\"/>\n</svg>\n");
  return svg;
}

Markup lying(const BarChart& chart) {
  Markup svg;
  open(svg, chart, static_cast<std::int64_t>(chart.bars.size()) * kRow + 600);
  const std::uint64_t top = std::max<std::uint64_t>(largest(chart), 1);
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const std::int64_t y = static_cast<std::int64_t>(i) * kRow + 300;
    const std::int64_t length = scaled(bar.value, top, kWidth - kLabelWidth - kNoteWidth);
    svg.raw("<text class=\"axis end\" x=\"").hundredths(kLabelWidth - 900).raw("\" y=\"").hundredths(y + 1650);
    svg.raw("\">").text(bar.label).raw("</text>");
    rect(svg, chart, bar, kLabelWidth, y + 300, std::max<std::int64_t>(length, 100), kRow - 1000);
    svg.raw("<text class=\"axis start\" x=\"").hundredths(kLabelWidth + length + 900).raw("\" y=\"");
    svg.hundredths(y + 1650).raw("\">").text(bar.note).raw("</text>\n");
  }
  svg.raw("<line class=\"base\" x1=\"").hundredths(kLabelWidth).raw("\" x2=\"").hundredths(kLabelWidth);
  svg.raw("\" y1=\"0\" y2=\"").hundredths(static_cast<std::int64_t>(chart.bars.size()) * kRow + 600);
  svg.raw("\"/>\n</svg>\n");
  return svg;
}

}  // namespace hsmsigner::report
