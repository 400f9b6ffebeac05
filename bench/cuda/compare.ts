import {
  type CeilingLine,
  isRight,
  type Line,
  ofKind,
  type Precision,
  type Product,
  type ProductLine,
  products,
  type StepLine,
} from './lines.js'

/** Whose products: the package's, cuSPARSE's, dense ones, dense ones with a mask. */
export type Family = 'own' | 'cuSPARSE' | 'dense' | 'masked'

export function familyOf({ implementation }: ProductLine): Family {
  if (implementation.startsWith('dense')) return 'dense'
  if (implementation.startsWith('masked')) return 'masked'
  return implementation.startsWith('cuSPARSE') ? 'cuSPARSE' : 'own'
}

export interface Cell {
  size: number
  batch: number
  sparsity: number
  block: number
}

const keyOf = (family: Family, precision: Precision, cell: Cell, product: Product) =>
  [family, precision, cell.size, cell.batch, cell.sparsity, cell.block, product].join(' ')

/** The products that were measured, by what they compute: the fastest right way of each family counts. */
export class Products {
  readonly cells: readonly Cell[]
  readonly #best = new Map<string, ProductLine>()

  constructor(lines: readonly Line[]) {
    const cells = new Map<string, Cell>()
    for (const line of ofKind(lines, 'product')) {
      if (!isRight(line)) continue
      const family = familyOf(line)
      const key = keyOf(family, line.precision, line, line.product)
      const known = this.#best.get(key)
      if (known === undefined || line.medianMicroseconds < known.medianMicroseconds) this.#best.set(key, line)
      const { size, batch, sparsity, block } = line
      if (family === 'own')
        cells.set([size, batch, sparsity, block].join(' '), { size, batch, sparsity, block })
    }
    this.cells = [...cells.values()]
  }

  best(family: Family, precision: Precision, cell: Cell, product: Product): ProductLine | null {
    return this.#best.get(keyOf(family, precision, cell, product)) ?? null
  }

  /** Microseconds of the three products together; null where one of them is missing. */
  three(family: Family, precision: Precision, cell: Cell): number | null {
    let sum = 0
    for (const product of products) {
      const line = this.best(family, precision, cell, product)
      if (line === null) return null
      sum += line.medianMicroseconds
    }
    return sum
  }

  /** How many times faster than dense the three products are. */
  speedup(precision: Precision, cell: Cell, densePrecision: Precision): number | null {
    const dense = this.three('dense', densePrecision, { ...cell, sparsity: 0, block: 1 })
    const own = this.three('own', precision, cell)
    return dense === null || own === null ? null : dense / own
  }
}

export function geometricMean(values: readonly number[]): number | null {
  if (values.length === 0) return null
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** How much faster than cuSPARSE, cell by cell and product by product. */
export function againstLibrary(all: Products, which: readonly Product[], precision: Precision): number[] {
  const ratios: number[] = []
  for (const cell of all.cells) {
    if (cell.block !== 1) continue
    for (const product of which) {
      const own = all.best('own', precision, cell, product)
      const library = all.best('cuSPARSE', 'float32', cell, product)
      if (own !== null && library !== null) {
        ratios.push(library.medianMicroseconds / own.medianMicroseconds)
      }
    }
  }
  return ratios
}

/** Operations per second of a product, over what gathering from the first-level cache or shared memory allows. */
export function boundFraction(line: ProductLine, ceilings: readonly CeilingLine[]): number | null {
  const bound = ceilings.find(({ name }) => name === 'gather bound')?.value
  if (!bound) return null
  const operands = line.precision === 'bfloat16' ? 2 : 1
  return (2 * line.connections * line.batch * 1e-6) / line.medianMicroseconds / (bound * operands)
}

/** The whole training steps that were measured. */
export class Steps {
  readonly lines: readonly StepLine[]

  constructor(lines: readonly Line[]) {
    this.lines = ofKind(lines, 'step').filter(({ loss }) => loss !== null)
  }

  find(what: Partial<StepLine>): StepLine | null {
    const wanted = Object.entries(what)
    return (
      this.lines.find((line) => wanted.every(([key, value]) => line[key as keyof StepLine] === value)) ?? null
    )
  }

  /** A step of the baseline, at its fastest, over a sparse one. The masked way takes as long at every sparsity. */
  speedup(sparse: StepLine | null, implementation: 'dense' | 'masked', precision: Precision): number | null {
    if (sparse === null) return null
    const { network, optimizer, batch } = sparse
    const times = this.lines
      .filter(
        (line) =>
          line.network === network &&
          line.optimizer === optimizer &&
          line.batch === batch &&
          line.precision === precision &&
          line.implementation.startsWith(implementation),
      )
      .map(({ medianMicroseconds }) => medianMicroseconds)
    return times.length === 0 ? null : Math.min(...times) / sparse.medianMicroseconds
  }
}
