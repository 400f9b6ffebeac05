/**
 * A point that a stroke runs through, in a box of 1 x 1 with y downwards. `corner`: the stroke changes direction
 * there instead of swinging round.
 */
export interface StrokePoint {
  readonly x: number
  readonly y: number
  readonly corner: boolean
}

/** One movement of the pen. */
export type Stroke = readonly StrokePoint[]

/** One way to write a digit. */
export type Glyph = readonly Stroke[]

/** Reads a stroke from "x,y x,y! ..." in hundredths; `!` marks a corner. */
function stroke(text: string): Stroke {
  return text.split(' ').map((point) => {
    const [x, y] = point.replace('!', '').split(',').map(Number)
    return { x: x! / 100, y: y! / 100, corner: point.endsWith('!') }
  })
}

function glyph(...strokes: string[]): Glyph {
  return strokes.map(stroke)
}

/** The ways to write each digit, 0 to 9. */
export const GLYPHS: readonly (readonly Glyph[])[] = [
  [
    glyph('55,2 22,18 10,52 26,92 56,98 84,66 82,24 55,2'),
    glyph('50,0 32,16 26,52 34,90 52,99 70,80 73,40 62,8 48,1'),
    glyph('66,8 36,4 10,38 16,82 48,99 82,84 90,44 70,10 52,10'),
  ],
  [
    glyph('50,0 50,50 50,100'),
    glyph('30,24 52,2! 52,50 51,100'),
    glyph('30,22 51,2! 51,50 51,98', '28,98 52,97 76,98'),
  ],
  [
    glyph('15,26 34,4 68,5 82,28 62,58 14,97! 50,95 88,96'),
    glyph('18,22 42,1 76,14 74,42 44,72 14,94 10,80 30,78 58,94 92,90'),
    glyph('14,14 48,3 80,20 72,48 16,98! 86,90'),
  ],
  [
    glyph('18,12 50,0 80,18 68,40 40,47! 72,54 87,76 62,98 30,98 12,86'),
    glyph('15,4 50,3 82,4! 42,42! 74,50 88,74 62,99 14,90'),
    glyph('16,18 44,2 74,14 70,36 46,46 76,58 80,82 50,99 12,84'),
  ],
  [
    glyph('22,2 12,55! 50,56 90,54', '70,6 67,50 64,100'),
    glyph('66,100 67,50 68,1! 8,66! 50,66 93,65'),
    glyph('18,5 13,36 32,55 76,47', '82,2 77,50 70,100'),
  ],
  [
    glyph('85,4 28,3! 20,45! 54,36 86,62 72,92 36,100 12,86'),
    glyph('28,5 23,43! 58,38 82,62 68,94 14,93', '28,5 58,4 90,2'),
    glyph('80,4 40,6 25,28 50,43 80,64 62,95 15,92'),
  ],
  [
    glyph('72,3 40,20 16,60 28,95 60,98 82,75 62,50 32,58 17,76'),
    glyph('52,0 28,36 15,74 40,99 74,86 72,60 42,55 18,74'),
    glyph('84,10 52,8 22,36 14,72 36,98 68,94 80,70 56,52 24,64'),
  ],
  [
    glyph('12,6 86,5! 62,46 40,100'),
    glyph('12,8 86,5! 60,50 44,100', '30,52 76,48'),
    glyph('14,24 13,7! 84,6! 58,42 50,100'),
  ],
  [
    glyph('76,12 46,0 20,20 45,45 78,70 50,100 18,76 48,48 80,22 70,5'),
    glyph('50,1 24,22 50,46 76,22 50,1', '50,46 18,72 50,99 82,72 50,46'),
    glyph('64,4 34,8 28,32 60,50 76,78 48,99 22,80 38,52 70,30 62,4'),
  ],
  [
    glyph('80,20 50,2 18,25 38,50 74,36 82,12! 80,52 68,100'),
    glyph('76,8 44,4 20,28 42,52 76,34 78,8! 76,54 75,100'),
    glyph('80,22 52,2 20,24 40,50 76,34 82,14! 82,66 58,99 20,90'),
  ],
]
