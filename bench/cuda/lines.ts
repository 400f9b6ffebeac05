// What espalier_cuda_bench writes: one flat JSON object a line. Times are in microseconds.

export type Precision = 'float32' | 'tf32' | 'bfloat16'
export type Product = 'forward' | 'inputGradient' | 'weightGradient'
export const products: readonly Product[] = ['forward', 'inputGradient', 'weightGradient']

interface Timed {
  medianMicroseconds: number
  lowerQuartile: number
  upperQuartile: number
  runs: number
}

export interface HeaderLine {
  kind: 'header'
  card: string
  /** Compute capability x 10. */
  capability: number
  multiprocessors: number
  cacheBytes: number
  memoryBytes: number
  freeBytes: number
  /** The highest, as the driver tells it; 0 where it does not. */
  clockKilohertz: number
  memoryClockKilohertz: number
  /** As CUDA writes versions: 13000 is 13.0. */
  driver: number
  runtime: number
  cublas: number
  cusparse: number
  scale: string
}

export interface CeilingLine {
  kind: 'ceiling'
  name: string
  value: number
  unit: string
}

export interface ProductLine extends Timed {
  kind: 'product'
  size: number
  batch: number
  /** 0 for dense and masked. */
  sparsity: number
  block: number
  product: Product
  precision: Precision
  /** dense default, masked default: float32 as cuBLAS does it by default, not pedantic. */
  implementation: string
  connections: number
  /** Every operand once. */
  bytes: number
  /** Norm of the difference from pedantic float32, over the norm; null where a number is not finite. */
  error: number | null
}

export interface Training {
  network: string
  optimizer: string
  batch: number
  sparsity: number
  block: number
  precision: Precision
  /**
   * dense wide: with 32 MiB of workspace for cuBLAS, of which the device gives it less. default: besides, float32 as
   * cuBLAS does it by default, not pedantic.
   */
  implementation: 'sparse' | 'dense' | 'dense wide' | 'dense default' | 'masked' | 'masked default'
}

export interface StepLine extends Training, Timed {
  kind: 'step'
  /** Of the fifth step; null where it is not finite. */
  loss: number | null
  /** In use at once, samples left out. */
  peakBytes: number
  /** Missing from the card's free memory. */
  reservedBytes: number
  /** The way chosen for each product. */
  plan: string
}

export interface RewiringLine extends Training, Timed {
  kind: 'rewiring'
  rule: 'RigL' | 'SET'
  /** What the step after it takes more than another. */
  afterwardsMicroseconds: number
  peakBytes: number
}

export interface DeedLine extends Training {
  kind: 'deed'
  deed: string
  kernels: number
  microseconds: number
}

export interface KernelsLine extends Training, Timed {
  kind: 'kernels'
  /** Of the deeds, launches left out. */
  sumMicroseconds: number
  kernels: number
  launchMicroseconds: number
}

export interface FailureLine {
  kind: 'failure'
  cell: string
  message: string
}

export interface LeftOutLine {
  kind: 'leftOut'
  count: number
  /** The first few. */
  cells: string
}

export interface EndLine {
  kind: 'end'
  part: string
  seconds: number
}

export type Line =
  | HeaderLine
  | CeilingLine
  | ProductLine
  | StepLine
  | RewiringLine
  | DeedLine
  | KernelsLine
  | FailureLine
  | LeftOutLine
  | EndLine

/** All lines of one kind. */
export function ofKind<Kind extends Line['kind']>(
  lines: readonly Line[],
  kind: Kind,
): Extract<Line, { kind: Kind }>[] {
  return lines.filter((line): line is Extract<Line, { kind: Kind }> => line.kind === kind)
}

/** How far each precision may lie from pedantic float32; beyond, an implementation is wrong. */
const tolerances: Record<Precision, number> = { float32: 1e-4, tf32: 3e-3, bfloat16: 2e-2 }

/** False for what is wrong, NaN included: it is told of, and counts nowhere. */
export const isRight = (line: ProductLine): boolean =>
  line.error !== null && line.error <= tolerances[line.precision]
