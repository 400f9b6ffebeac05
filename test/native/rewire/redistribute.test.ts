import * as fc from 'fast-check'
import t from 'tap'
import { kernels } from '../support.js'

const share = kernels.redistribute

t.test('in proportion to momentum, by largest remainder', async (t) => {
  t.same(share(10, [1, 3, 1], [100, 100, 100]), [2, 6, 2])
  // 10/3 each: the earliest of equals gets the one that is left.
  t.same(share(10, [2, 2, 2], [100, 100, 100]), [4, 3, 3])
  // 1.25, 2.5 and 6.25.
  t.same(share(10, [1, 2, 5], [100, 100, 100]), [1, 3, 6])
  t.same(share(0, [1, 2], [5, 5]), [0, 0])
})

t.test('what finds no room goes to the others', async (t) => {
  t.same(share(10, [8, 1, 1], [4, 100, 100]), [4, 3, 3])
  t.same(share(10, [8, 1, 1], [4, 2, 100]), [4, 2, 4])
  t.same(share(10, [8, 1, 1], [4, 2, 4]), [4, 2, 4])
})

t.test('where there is no momentum, by room', async (t) => {
  t.same(share(6, [0, 0], [4, 8]), [2, 4])
  t.same(share(6, [1, 0], [4, 8]), [4, 2])
})

t.test('all of it, and never more than there is room for', async () => {
  const anyLayers = fc.array(
    fc.record({
      momentum: fc.double({ min: 0, max: 1e6, noNaN: true }),
      room: fc.integer({ min: 0, max: 1000 }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(anyLayers, fc.nat(), (layers, some) => {
      const room = layers.map((layer) => layer.room)
      const total = some % (room.reduce((a, b) => a + b) + 1)
      const counts = share(
        total,
        layers.map((layer) => layer.momentum),
        room,
      )
      return (
        counts.reduce((a, b) => a + b) === total &&
        counts.every((count, i) => count >= 0 && count <= room[i]!)
      )
    }),
    { numRuns: 1000 },
  )
})
