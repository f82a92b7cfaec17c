#include "report/style.h"

namespace hsmsigner::report {

// Colours only underline what words and shapes say already. Each pair of --x and --x-back has a contrast of at least
// 4.5:1 (WCAG 2.2 1.4.3), as has every text colour on the page's ground; tests/report checks it.
const std::string_view kStyle = R"css(
:root {
  --ink: #16202c; --quiet: #4b5765; --ground: #ffffff; --line: #d3d9e0; --band: #f3f5f8; --accent: #1f4e79;
  --pass: #17603a; --pass-back: #e6f3eb;
  --attention: #7a4300; --attention-back: #fdf0d9;
  --fail: #9b1620; --fail-back: #fce8e8;
  --none: #4b5765; --none-back: #eceff3;
}
* { box-sizing: border-box; }
html { font: 16px/1.5 "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; color: var(--ink);
  background: var(--band); -webkit-text-size-adjust: 100%; }
body { max-width: 64rem; margin: 2rem auto; padding: 3rem 3.5rem 2.5rem; background: var(--ground);
  border-top: 6px solid var(--accent); box-shadow: 0 1px 4px rgb(22 32 44 / 18%); }
h1, h2, h3 { line-height: 1.25; margin: 0; font-weight: 600; text-wrap: balance; }
h1 { font-size: 2.1rem; letter-spacing: -0.01em; }
h2 { font-size: 1.35rem; margin-top: 3rem; padding-bottom: 0.4rem; border-bottom: 2px solid var(--accent); }
h3 { font-size: 1.02rem; margin-top: 2rem; }
p { margin: 0.7rem 0; max-width: 46rem; }
ul { margin: 0.5rem 0; padding-left: 1.2rem; }
a { color: var(--accent); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code, .mono { font-family: "Cascadia Mono", Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: 0.86em; overflow-wrap: anywhere; }
pre { margin: 0.7rem 0; padding: 0.8rem 1rem; background: var(--band); border-left: 3px solid var(--accent);
  white-space: pre-wrap; font-size: 0.9rem; line-height: 1.45; }
.kicker { margin: 0 0 0.3rem; font-size: 0.82rem; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase;
  color: var(--accent); }
.quiet { color: var(--quiet); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: 0.9rem 1.8rem;
  margin: 1.4rem 0 0; }
dl.facts dt { font-size: 0.8rem; color: var(--quiet); }
dl.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
dl.facts dd.mono { font-weight: 400; }
dl.facts div.wide { grid-column: 1 / -1; }
.overall { display: flex; align-items: center; gap: 1rem; margin: 1.8rem 0 1rem; padding: 1rem 1.3rem;
  border-left: 6px solid; }
.overall p { margin: 0; font-size: 1.05rem; }
.overall strong { font-size: 1.2rem; }
.overall svg { width: 2.2rem; height: 2.2rem; flex: none; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; margin: 0; padding: 0; list-style: none; }
.tiles li { padding: 0.8rem 1rem; border: 1px solid var(--line); border-top-width: 4px; }
.tiles b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { font-size: 0.9rem; }
.pass { color: var(--pass); } .attention { color: var(--attention); }
.fail { color: var(--fail); } .not_applicable { color: var(--none); }
.overall.pass { background: var(--pass-back); } .overall.attention { background: var(--attention-back); }
.overall.fail { background: var(--fail-back); } .overall.not_applicable { background: var(--none-back); }
.tiles .pass { border-top-color: var(--pass); } .tiles .attention { border-top-color: var(--attention); }
.tiles .fail { border-top-color: var(--fail); } .tiles .not_applicable { border-top-color: var(--none); }
.badge { display: inline-flex; align-items: center; gap: 0.4em; padding: 0.12em 0.65em 0.12em 0.5em;
  border-radius: 1em; font-size: 0.84rem; font-weight: 600; white-space: nowrap; }
.badge svg { width: 1em; height: 1em; flex: none; }
.badge.pass { background: var(--pass-back); } .badge.attention { background: var(--attention-back); }
.badge.fail { background: var(--fail-back); } .badge.not_applicable { background: var(--none-back); }
.icon { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0.9rem 0; font-size: 0.9rem; line-height: 1.42; }
caption { text-align: left; font-size: 0.86rem; color: var(--quiet); padding-bottom: 0.35rem; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 0.7rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--band); font-size: 0.82rem; border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; }
td p { margin: 0 0 0.3rem; } td p:last-child { margin-bottom: 0; }
td ul { margin: 0; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.zero { color: var(--quiet); }
table.counts { max-width: 36rem; }
table.findings th { width: 24%; overflow-wrap: anywhere; } table.findings td:nth-child(2) { width: 18%; }
ul.failed { columns: 2; column-gap: 2rem; padding: 0; list-style: none; font-size: 0.94rem; }
ul.failed li { break-inside: avoid; padding: 0.15rem 0; } ul.failed a { font-weight: 600; margin-right: 0.4em; }
table.grid th, table.grid td { padding: 0.28rem 0.4rem; font-size: 0.82rem; }
table.controls .id { white-space: nowrap; }
table.controls .title { font-weight: 600; }
table.controls .standard { font-size: 0.82rem; color: var(--quiet); }
table.controls col.c-id { width: 4.6rem; } table.controls col.c-what { width: 33%; }
table.controls col.c-verdict { width: 9.2rem; }
figure { margin: 1.2rem 0 0; }
figcaption { font-weight: 600; font-size: 1.02rem; margin-bottom: 0.4rem; }
.chart { display: block; width: 100%; height: auto; }
.chart .bar { fill: var(--accent); } .chart .hatched { stroke: var(--fail); }
.chart .hatch-back { fill: var(--ground); } .chart .hatch-line { fill: var(--fail); }
.chart .grid { stroke: var(--line); } .chart .base { stroke: var(--quiet); }
.chart text { font: 11px "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; fill: var(--quiet);
  text-anchor: middle; font-variant-numeric: tabular-nums; }
.chart text.end { text-anchor: end; } .chart text.start { text-anchor: start; }
.chart text.value { fill: var(--ink); }
footer { margin-top: 3rem; padding-top: 0.8rem; border-top: 1px solid var(--line); font-size: 0.84rem;
  color: var(--quiet); }
@media screen and (max-width: 48rem) {
  body { margin: 0; padding: 1.5rem 1.1rem; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  ul.failed { columns: 1; }
}
@page { size: A4; margin: 15mm 14mm 16mm; }
@media print {
  html { font-size: 9.6pt; background: none; }
  body { max-width: none; margin: 0; padding: 0; box-shadow: none; border-top-width: 4px; padding-top: 1.2rem; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  h2 { margin-top: 1.8rem; } h3 { margin-top: 1.2rem; }
  h2, h3, figcaption, caption { break-after: avoid; }
  tr, figure, .overall, .tiles li, pre, dl.facts div { break-inside: avoid; }
  thead { display: table-header-group; break-after: avoid; }
  .scroll { overflow: visible; }
  a { color: inherit; text-decoration: none; }
}
)css";

}  // namespace hsmsigner::report
