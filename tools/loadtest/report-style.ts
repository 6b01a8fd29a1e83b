/** The only style of the HTML report; the page's content policy names it by its hash. */
export const reportStyle = `
:root{color-scheme:light dark;--page:#fff;--ink:#1d2430;--quiet:#5b6575;--edge:#d9dee6;--card:#f6f8fb;--a:#2563eb;--b:#b45309;--c:#be123c;--good:#15803d;--bad:#be123c;--warn:#b45309}
@media (prefers-color-scheme:dark){:root{--page:#11151c;--ink:#e6eaf1;--quiet:#9aa5b5;--edge:#2c3543;--card:#1a202a;--a:#7aa7ff;--b:#f3b75f;--c:#ff8098;--good:#5fd38a;--bad:#ff8098;--warn:#f3b75f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:76rem;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .25rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0}
small,.quiet{color:var(--quiet)}
.verdict{display:inline-block;padding:.15rem .7rem;border-radius:1rem;border:2px solid;font-weight:700}
.passed{color:var(--good)}.failed{color:var(--bad)}.unreliable{color:var(--warn)}
.note{border-left:4px solid var(--warn);padding:.4rem .8rem;background:var(--card);margin:.8rem 0}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.figures li{background:var(--card);border:1px solid var(--edge);border-radius:.5rem;padding:.5rem .75rem}
.figures b{display:block;font-size:1.15rem;white-space:nowrap;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(30rem,100%),1fr));gap:1rem}
figure{margin:0;background:var(--card);border:1px solid var(--edge);border-radius:.5rem;padding:.75rem}
figcaption{font-weight:600}
svg{width:100%;height:auto;display:block}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
path.a{stroke:var(--a)}path.b{stroke:var(--b)}path.c{stroke:var(--c)}
circle.a{fill:var(--a)}circle.b{fill:var(--b)}circle.c{fill:var(--c)}
.grid{stroke:var(--edge)}
.limit{stroke:var(--bad);stroke-dasharray:6 4}
.tick{fill:var(--quiet);font-size:12px}
.middle{text-anchor:middle}.end{text-anchor:end}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.3rem 0 0;padding:0;list-style:none;font-size:.85rem}
.swatch{display:inline-block;width:.9rem;height:.25rem;margin:0 .4rem .25rem 0}
.swatch.a{background:var(--a)}.swatch.b{background:var(--b)}.swatch.c{background:var(--c)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--edge);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere}
td.words{text-align:left;white-space:normal}
thead th{color:var(--quiet);font-weight:600}
`;
