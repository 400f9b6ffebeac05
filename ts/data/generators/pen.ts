import type { Random } from '../random.js'
import type { Glyph, Stroke } from './glyphs.js'

/** Side of the image in pixels. */
export const SIDE = 28

/** Line segments between two points of a stroke. */
const STEPS = 5

/** Where a point of the pen's path lies, in pixels. */
type PixelMap = (x: number, y: number) => readonly [number, number]

/**
 * Writes a glyph by a hand of its own: size, slant, turn, place, waviness, pen width and pressure are drawn anew.
 *
 * @param image 28 x 28 values, row by row, that must be 0; ink is added to them, 0 to 1
 */
export function writeGlyph(glyph: Glyph, random: Random, image: Float32Array): void {
  const toPixels = drawHand(random)
  const radius = random.uniform(0.65, 1.7)
  const softness = random.uniform(0.9, 1.7)
  const ink = random.uniform(0.75, 1)
  for (const stroke of glyph) {
    const path = bend(jitter(stroke, random), toPixels)
    const phase = random.uniform(0, 2 * Math.PI)
    for (let i = 0; i + 3 < path.length; i += 2) {
      const width = radius * (1 + 0.2 * Math.sin(phase + i / 8))
      drawSegment(image, path[i]!, path[i + 1]!, path[i + 2]!, path[i + 3]!, width, softness, ink)
    }
  }
}

/** A random change of form: two slow waves, then scale, shear, rotation and shift. */
function drawHand(random: Random): PixelMap {
  const waves = [0, 1].map(() => ({
    alongX: random.uniform(-1.1, 1.1),
    alongY: random.uniform(-1.1, 1.1),
    phase: random.uniform(0, 2 * Math.PI),
    byX: 0.035 * random.normal(),
    byY: 0.035 * random.normal(),
  }))
  const width = random.uniform(11, 18.5)
  const height = random.uniform(16, 21)
  const shear = 0.18 * random.normal()
  const angle = 0.13 * random.normal()
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const centreX = SIDE / 2 + 1.1 * random.normal()
  const centreY = SIDE / 2 + 1.1 * random.normal()
  return (x, y) => {
    let u = x - 0.5
    let v = y - 0.5
    for (const { alongX, alongY, phase, byX, byY } of waves) {
      const wave = Math.sin(2 * Math.PI * (alongX * x + alongY * y) + phase)
      u += byX * wave
      v += byY * wave
    }
    const wide = u * width - v * height * shear
    const high = v * height
    return [centreX + cos * wide - sin * high, centreY + sin * wide + cos * high]
  }
}

/** Moves every point a little, the ends of the stroke along it too: started late, or drawn too far. */
function jitter(stroke: Stroke, random: Random): Stroke {
  const moved = stroke.map(({ x, y, corner }) => {
    return { x: x + 0.028 * random.normal(), y: y + 0.028 * random.normal(), corner }
  })
  const last = moved.length - 1
  for (const [end, next] of [
    [0, 1],
    [last, last - 1],
  ] as const) {
    const by = 0.06 * random.normal()
    const { x, y } = moved[end]!
    moved[end] = { x: x + by * (x - moved[next]!.x), y: y + by * (y - moved[next]!.y), corner: false }
  }
  return moved
}

/** A smooth line through the points (Catmull-Rom), broken at corners, as x, y pairs in pixels. */
function bend(stroke: Stroke, toPixels: PixelMap): number[] {
  const [startX, startY] = toPixels(stroke[0]!.x, stroke[0]!.y)
  const path = [startX, startY]
  for (let i = 0; i + 1 < stroke.length; i++) {
    const from = stroke[i]!
    const to = stroke[i + 1]!
    const before = i === 0 || from.corner ? from : stroke[i - 1]!
    const after = i + 2 === stroke.length || to.corner ? to : stroke[i + 2]!
    for (let step = 1; step <= STEPS; step++) {
      const t = step / STEPS
      const [x, y] = toPixels(
        catmullRom(before.x, from.x, to.x, after.x, t),
        catmullRom(before.y, from.y, to.y, after.y, t),
      )
      path.push(x, y)
    }
  }
  return path
}

function catmullRom(before: number, from: number, to: number, after: number, t: number): number {
  const linear = to - before
  const square = 2 * before - 5 * from + 4 * to - after
  const cube = 3 * (from - to) + after - before
  return from + 0.5 * t * (linear + t * (square + t * cube))
}

/** Draws a line with round ends and a soft rim; where lines cross, the darker one counts. */
function drawSegment(
  image: Float32Array,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  radius: number,
  softness: number,
  ink: number,
): void {
  const reach = radius + softness / 2
  const left = Math.max(Math.ceil(Math.min(x0, x1) - reach - 0.5), 0)
  const right = Math.min(Math.floor(Math.max(x0, x1) + reach - 0.5), SIDE - 1)
  const top = Math.max(Math.ceil(Math.min(y0, y1) - reach - 0.5), 0)
  const bottom = Math.min(Math.floor(Math.max(y0, y1) + reach - 0.5), SIDE - 1)
  const alongX = x1 - x0
  const alongY = y1 - y0
  const length = alongX * alongX + alongY * alongY
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0
      const py = row + 0.5 - y0
      const t = length === 0 ? 0 : Math.min(Math.max((px * alongX + py * alongY) / length, 0), 1)
      const dx = px - t * alongX
      const dy = py - t * alongY
      const dark = ink * Math.min((reach - Math.sqrt(dx * dx + dy * dy)) / softness, 1)
      const at = row * SIDE + column
      if (dark > image[at]!) image[at] = dark
    }
  }
}
