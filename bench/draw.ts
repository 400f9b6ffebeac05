import type { TopLevelSpec } from 'vega-lite'

/** A blue, an orange, a green and so on, then greys: as the palette of the package's reports, and more. */
export const colors = [
  '#3b82f6',
  '#e8843c',
  '#3fa372',
  '#9a6fe0',
  '#d9588b',
  '#2aa5b5',
  '#c8a24b',
  '#1e3a8a',
  '#8f8f8f',
] as const

/** How an axis of densities, logarithmic and reversed, is labelled with sparsities. */
export const densityLabel = "format(100 - 100 * datum.value, '.3~f') + ' %'"

/**
 * Draws a Vega-Lite specification as an SVG file of its own, on white: it stands in Markdown pages, which have no colours to follow.
 */
export async function drawPicture(specification: TopLevelSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const whole: TopLevelSpec = {
    ...specification,
    background: 'white',
    config: { font: 'sans-serif', aria: false },
  }
  const view = new vega.View(vega.parse(vegaLite.compile(whole).spec), {
    renderer: 'none',
    logLevel: vega.Error,
  })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}
