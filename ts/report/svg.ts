import type { Config, TopLevelSpec } from 'vega-lite'
import { escapeHtml, Markup } from './html.js'

/** Blue, orange, green, violet, rose, teal: told apart by colour-blind readers, and legible on white and on near-black. */
export const palette = ['#3b82f6', '#e8843c', '#3fa372', '#9a6fe0', '#d9588b', '#2aa5b5'] as const

// `currentColor` makes axes follow the page between light and dark.
const axisColor = 'currentColor'

const config: Config = {
  background: 'transparent',
  // The picture has one label; one on every mark would double its size.
  aria: false,
  font: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: axisColor,
    labelOpacity: 0.75,
    labelFontSize: 12,
    titleColor: axisColor,
    titleOpacity: 0.75,
    titleFontSize: 12,
    titleFontWeight: 500,
    titlePadding: 8,
    gridColor: axisColor,
    gridOpacity: 0.1,
    domainColor: axisColor,
    domainOpacity: 0.35,
    tickColor: axisColor,
    tickOpacity: 0.35,
  },
  legend: {
    labelColor: axisColor,
    labelFontSize: 12,
    labelLimit: 220,
    titleColor: axisColor,
    titleFontSize: 12,
    titleFontWeight: 500,
    titleLimit: 260,
  },
  range: { category: [...palette] },
}

/** Whole numbers for the ticks of an axis from `from` to `to`, about `most` at steps of 1, 2 or 5 times a power of ten. */
export function wholeTicks(from: number, to: number, most: number): number[] {
  const least = Math.max(1, (to - from) / most)
  const power = 10 ** Math.floor(Math.log10(least))
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= least)!
  const first = Math.ceil(from / step)
  return Array.from(
    { length: Math.max(0, Math.floor(to / step) - first + 1) },
    (_, index) => (first + index) * step,
  )
}

let drawn = 0

/**
 * Draws a Vega-Lite specification as an SVG element, on the server and without a canvas.
 *
 * @param label what a screen reader says of the picture
 */
export async function drawSvg(spec: TopLevelSpec, label: string): Promise<Markup> {
  // Vega takes a third of a second to load, which only a report should pay.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const compiled = vegaLite.compile({ ...spec, config }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error })
  const svg = await view.toSVG()
  view.finalize()
  // Vega numbers gradients and clips from 0 in each picture; in one page the names must differ.
  const prefix = `figure${drawn++}-`
  return new Markup(
    svg
      .replace(/\bid="((?:gradient|clip)[^"]*)"/g, `id="${prefix}$1"`)
      .replace(/url\(#((?:gradient|clip)[^)]*)\)/g, `url(#${prefix}$1)`)
      .replace('<svg ', `<svg role="img" aria-label="${escapeHtml(label)}" `),
  )
}
