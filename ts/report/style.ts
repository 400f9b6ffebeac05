/** The style sheet of a report: one column that becomes two on wide screens; light or dark as the reader's system. */
export const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1b2430; --soft: #5b6675; --line: #e3e6eb; --accent: #2563eb; --warn: #b45309; --warn-back: #fef3c7 }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --card: #1a2028; --text: #e6eaf0; --soft: #98a3b3; --line: #2c3540; --accent: #7fb0ff; --warn: #fbbf24; --warn-back: #3a2c0a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 1180px; margin: 0 auto; padding: 36px 24px 56px }
header p { margin: 4px 0 0; color: var(--soft) }
h1 { margin: 0; font-size: 27px; line-height: 1.2; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { margin: 36px 0 12px; font-size: 18px }
h3 { margin: 0 0 2px; font-size: 15px }
.badge { display: inline-block; margin-left: 10px; padding: 2px 10px; border-radius: 99px; background: var(--warn-back); color: var(--warn); font-size: 13px; font-weight: 600; vertical-align: 4px; letter-spacing: 0 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 22px }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px }
.tile { padding: 12px 13px }
.tile span { display: block; color: var(--soft); font-size: 13px }
.tile strong { display: block; font-size: 22px; line-height: 1.35; font-weight: 650; font-variant-numeric: tabular-nums; white-space: nowrap }
.tile small { color: var(--soft); font-size: 13px; font-weight: 400 }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 14px }
.wide { grid-column: 1 / -1 }
figure, .card { margin: 0; padding: 16px 18px }
figcaption, .note { margin: 0 0 12px; color: var(--soft); font-size: 13.5px }
svg { display: block; max-width: 100%; height: auto }
.pixels svg { shape-rendering: crispEdges; flex: none }
.beside { display: flex; flex-wrap: wrap; gap: 24px 72px; align-items: flex-start }
.beside table { width: auto; min-width: 300px }
.scroll { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums }
th { text-align: left; color: var(--soft); font-weight: 500; white-space: nowrap }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top }
tr:last-child > * { border-bottom: 0 }
.number { text-align: right; white-space: nowrap }
.pairs { columns: 2 380px; column-gap: 40px; margin: 0; font-size: 14px }
.pairs div { display: flex; gap: 16px; padding: 5px 0; border-bottom: 1px solid var(--line); break-inside: avoid }
.pairs dt { flex: 0 0 150px; color: var(--soft) }
.pairs dd { margin: 0; overflow-wrap: anywhere }
pre { margin: 14px 0 0; padding: 12px 14px; border-radius: 8px; background: var(--page); font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
@media print { body { background: none } .tile, .card { break-inside: avoid } }
`
