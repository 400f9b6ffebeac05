/**
 * Turns images that are stored column by column upright, in place.
 *
 * @param values images x (width x height): pixel (x, y) of an image stands at x * height + y
 * @param height of the upright image
 * @param width of the upright image
 */
export function transposeImages(values: Float32Array, height: number, width: number): void {
  const size = height * width
  const upright = new Float32Array(size)
  for (let start = 0; start < values.length; start += size) {
    for (let x = 0, from = start; x < width; x++) {
      for (let to = x; to < size; to += width) upright[to] = values[from++]!
    }
    values.set(upright, start)
  }
}
