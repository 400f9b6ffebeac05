import t from 'tap'
import { kernels, matrixAt, matrixOf } from '../support.js'

t.test('importance is |w| + lambda |g| of what exists', async (t) => {
  const matrix = matrixOf([
    [-1, null, 0.5],
    [null, 2, null],
  ])
  const gradient = Float32Array.of(4, 100, -2, 100, 0, 100)
  t.same([...kernels.mestImportance(matrix, gradient, 0)], [1, 0.5, 2])
  t.same([...kernels.mestImportance(matrix, gradient, 0.25)], [2, 1, 2])
})

t.test('of a block it is the norms, padding left out', async (t) => {
  // One block of 2 x 2 at the lower right corner of 3 x 3, of which one weight exists; and one whole block.
  const matrix = matrixAt(3, 3, [2, 2], [0, 3])
  matrix.values.set([3, 0, 0, -4, /* norm 5 */ 2, 0, 0, 0])
  const gradient = Float32Array.of(0, 6, 9, 8, 0, 9, 9, 9, -1)
  t.same([...kernels.mestImportance(matrix, gradient, 0.5)], [5 + 0.5 * 10, 2 + 0.5 * 1])
})
