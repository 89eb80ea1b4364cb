/** The style of an HTML report: one string, hashed into the page's policy. Light and dark follow the reader's preference. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --card: #ffffff; --text: #1d1c1a; --quiet: #6d6a63; --line: #e4e1d9;
  --accent: #3b5bdb; --accent-soft: #e7ecff; --good: #1d7a46; --good-soft: #e0f3e7; --warn: #8a5a00; --warn-soft: #fbeecf; --bad: #b42318; --bad-soft: #fde8e5; --code: #f2f0ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131417; --card: #1b1d21; --text: #eceae4; --quiet: #a09c93; --line: #31343a;
    --accent: #8ea6ff; --accent-soft: #232a45; --good: #6fd39a; --good-soft: #16301f; --warn: #f0c267; --warn-soft: #3a2d12; --bad: #ff9a8d; --bad-soft: #3d1c19; --code: #24262b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 1060px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 40px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 20px; line-height: 1.3; margin: 0; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; overflow-wrap: anywhere; }
h3 { font-size: 14px; margin: 26px 0 8px; }
p { margin: 6px 0; max-width: 78ch; overflow-wrap: anywhere; }
.lead { font-size: 17px; }
.quiet, .doc, .provenance { color: var(--quiet); }
.doc { white-space: pre-line; }
.kind { color: var(--quiet); font-weight: 400; }
.pill { font-size: 13px; font-weight: 600; line-height: 1; padding: 5px 10px; border-radius: 99px; background: var(--code); color: var(--quiet); white-space: nowrap; }
.pill.good { background: var(--good-soft); color: var(--good); }
.pill.warn { background: var(--warn-soft); color: var(--warn); }
.pill.bad { background: var(--bad-soft); color: var(--bad); }
nav { margin: 18px 0 4px; padding: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; margin: 0; padding: 0; }
nav a { display: inline-flex; gap: 8px; align-items: center; padding: 5px 6px 5px 12px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); color: inherit; text-decoration: none; font-size: 14px; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 22px 26px; margin: 18px 0; }
.numbers { display: flex; flex-wrap: wrap; gap: 12px 34px; margin: 16px 0 4px; }
.numbers div { display: flex; flex-direction: column-reverse; }
.numbers dt { color: var(--quiet); font-size: 13px; }
.numbers dd { margin: 0; font-size: 30px; font-weight: 650; line-height: 1.15; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.numbers .warn dd { color: var(--warn); } .numbers .bad dd { color: var(--bad); } .numbers .good dd { color: var(--good); }
.suspects { display: grid; grid-template-columns: repeat(auto-fill, minmax(122px, 1fr)); gap: 12px; list-style: none; padding: 0; margin: 12px 0; }
.suspects li { border: 1px solid var(--line); border-radius: 10px; overflow: hidden; position: relative; background: var(--page); }
.suspects img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; background: #000; }
.suspects .rank { position: absolute; top: 5px; left: 5px; font-size: 11px; line-height: 1; padding: 3px 6px; border-radius: 99px; background: rgba(0, 0, 0, .62); color: #fff; }
.suspects .facts { padding: 6px 9px 8px; font-size: 12px; line-height: 1.4; }
.suspects .facts div { display: flex; justify-content: space-between; gap: 6px; }
.suspects .facts b { font-size: 14px; overflow-wrap: anywhere; }
.suspects .facts span { color: var(--quiet); }
.suspects .differs b { color: var(--accent); }
.scroll { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 16px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td { max-width: 46ch; overflow-wrap: anywhere; white-space: pre-wrap; }
th { color: var(--quiet); font-weight: 500; font-size: 13px; }
th.right, td.right { text-align: right; white-space: nowrap; }
figure { margin: 14px 0 4px; }
figcaption { color: var(--quiet); font-size: 14px; max-width: 78ch; }
.charts { display: flex; flex-wrap: wrap; gap: 10px 26px; }
svg.plot { display: block; max-width: 100%; height: auto; background: none; color: var(--text); font: 11px ui-sans-serif, system-ui, sans-serif; overflow: visible; }
svg.plot text { white-space: pre; }
code { background: var(--code); border-radius: 5px; padding: 1px 5px; font: 0.9em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
details { margin: 12px 0 0; }
summary { cursor: pointer; color: var(--quiet); font-size: 14px; width: fit-content; }
pre { background: var(--code); border-radius: 8px; padding: 12px 14px; overflow-x: auto; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; margin: 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--accent); padding-left: 12px; }
.provenance { font-size: 13px; margin-top: 16px; font-variant-numeric: tabular-nums; }
.problems { padding-left: 20px; } .problems code { font-size: 13px; }
footer { color: var(--quiet); font-size: 13px; padding-bottom: 40px; }
@media print { section { break-inside: avoid; border: 0; padding: 0; } nav { display: none; } }
`
