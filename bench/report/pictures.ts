import type { TopLevelSpec } from 'vega-lite'
import { type Part, products } from '../addon.js'
import { gatheredBytes, operationsOf } from '../bounds.js'
import { colors, densityLabel, drawPicture } from '../draw.js'
import { percent } from '../markdown.js'
import { all, type Run, speedup } from '../records.js'
import type { PictureName } from './page.js'
import { threadPoints, widthPoints } from './scaling.js'
import { series, wayOf } from './speed.js'

const color = (field: string, domain: readonly string[], gray: string) => ({
  field,
  type: 'nominal' as const,
  scale: {
    domain: [...domain, gray],
    range: [...colors.slice(0, domain.length), '#8f8f8f'],
  },
  legend: { title: null },
})

const namesOf = (values: readonly { way: string }[]) => [...new Set(values.map(({ way }) => way))]

/** Speed-up over dense on all processors against sparsity, with 1/(1 - sparsity). */
function speedPicture(run: Run): TopLevelSpec | null {
  const threads = run.machine.processors
  const measured = series.flatMap(({ name, what }) => {
    const records = all(run, { ...what, threads })
    return records.flatMap((record) => {
      const value = speedup(record)
      return value === null ? [] : { work: name, way: wayOf(record), density: 1 - record.sparsity, value }
    })
  })
  if (measured.length === 0) return null
  const densities = [...new Set(measured.map(({ density }) => density))]
  const ideal = [...new Set(measured.map(({ work }) => work))].flatMap((work) =>
    densities.map((density) => ({ work, way: 'ideal', density, value: 1 / density })),
  )
  return {
    data: { values: [...measured, ...ideal] },
    facet: { column: { field: 'work', type: 'nominal', title: null, sort: series.map(({ name }) => name) } },
    spec: {
      width: 260,
      height: 260,
      layer: [
        { mark: { type: 'rule', strokeDash: [4, 4], opacity: 0.5 }, encoding: { y: { datum: 1 } } },
        {
          mark: { type: 'line', point: { size: 24 }, strokeWidth: 1.5 },
          encoding: {
            x: {
              field: 'density',
              type: 'quantitative',
              scale: { type: 'log', reverse: true, nice: false },
              axis: {
                title: 'sparsity',
                values: densities,
                labelExpr: densityLabel,
                labelOverlap: true,
                grid: false,
              },
            },
            y: {
              field: 'value',
              type: 'quantitative',
              scale: { type: 'log' },
              axis: { title: `speed-up over dense, ${threads} threads`, tickCount: 6 },
            },
            color: color('way', namesOf(measured), 'ideal'),
          },
        },
      ],
    },
  }
}

const partNames: readonly Part[] = [...products, 'backward']

/** Dots: each product of each block shape at 90 %. Lines: what gathering from each level, and multiply-adds, allow. */
function rooflinePicture(run: Run): TopLevelSpec | null {
  const threads = run.machine.processors
  const ceilings = run.ceilings.find((record) => record.threads === threads)
  const works = series.filter(({ what }) => what.suite === 'products')
  const dots = works.flatMap(({ name, what }) =>
    all(run, { ...what, threads, sparsity: 0.9 }).flatMap((record) => {
      const [inputs = 0, outputs = 0] = record.shape.split('-').map(Number)
      const operations = operationsOf({ inputs, outputs, batch: record.batch }, record.sparsity)
      return partNames.flatMap((part) => {
        const milliseconds = record.parts?.[part]
        if (milliseconds === undefined) return []
        // Of both gradients, one thing that is gathered serves two multiply-adds.
        const [product, multiplyAdds] =
          part === 'backward' ? (['inputGradient', 2] as const) : ([part, 1] as const)
        return {
          work: name,
          product: part,
          way: wayOf(record),
          intensity: (2 * multiplyAdds) / gatheredBytes(product, record),
          gflops: (multiplyAdds * operations) / milliseconds / 1e6,
        }
      })
    }),
  )
  if (ceilings === undefined || dots.length === 0) return null
  const { fmaGflops, firstLevelGBs, secondLevelGBs, thirdLevelGBs, memoryGBs } = ceilings
  const levels = { L1: firstLevelGBs, L2: secondLevelGBs, L3: thirdLevelGBs, memory: memoryGBs }
  const [least, most] = [0.25, 32]
  const roofs = [...new Set(dots.map(({ work }) => work))].flatMap((work) =>
    Object.entries(levels).flatMap(([level, bandwidth]) => {
      if (bandwidth === undefined) return []
      const ridge = Math.min(Math.max(fmaGflops / bandwidth, least), most)
      return [least, ridge, most].map((intensity) => ({
        work,
        level: `${level} ${bandwidth.toFixed(0)} GB/s`,
        intensity,
        gflops: Math.min(fmaGflops, intensity * bandwidth),
      }))
    }),
  )
  const x = {
    field: 'intensity',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, base: 2, domain: [least, most] },
    axis: { title: 'operations for each byte of activations that is gathered', grid: false },
  }
  const y = {
    field: 'gflops',
    type: 'quantitative' as const,
    scale: { type: 'log' as const },
    axis: { title: `useful GFLOP/s, ${threads} threads`, tickCount: 6 },
  }
  return {
    data: { values: [...roofs, ...dots] },
    facet: { column: { field: 'work', type: 'nominal', title: null, sort: works.map(({ name }) => name) } },
    spec: {
      width: 340,
      height: 280,
      layer: [
        {
          transform: [{ filter: 'isValid(datum.level)' }],
          mark: { type: 'line', strokeWidth: 1.2, opacity: 0.7 },
          encoding: {
            x,
            y,
            strokeDash: { field: 'level', type: 'nominal', legend: { title: 'gathered from' }, sort: null },
          },
        },
        {
          transform: [{ filter: 'isValid(datum.way)' }],
          mark: { type: 'point', size: 55, filled: true },
          encoding: {
            x,
            y,
            color: {
              field: 'way',
              type: 'nominal',
              scale: { domain: namesOf(dots), range: colors.slice(0, namesOf(dots).length) },
              legend: { title: 'block' },
            },
            shape: { field: 'product', type: 'nominal', sort: [...partNames], legend: { title: 'product' } },
          },
        },
      ],
    },
  }
}

function widthPicture(run: Run): TopLevelSpec | null {
  const values = widthPoints(run)
  if (values.length === 0) return null
  return {
    data: { values },
    width: 420,
    height: 240,
    mark: { type: 'line', point: { size: 30 }, strokeWidth: 1.5 },
    encoding: {
      x: {
        field: 'width',
        type: 'quantitative',
        scale: { type: 'log', base: 2 },
        axis: { title: 'width', values: [...new Set(values.map(({ width }) => width))], grid: false },
      },
      y: {
        field: 'nanoseconds',
        type: 'quantitative',
        scale: { zero: true },
        axis: { title: 'ns a connection and sample, step', tickCount: 6 },
      },
      color: {
        field: 'way',
        type: 'nominal',
        scale: { range: [...colors] },
        legend: { title: 'block' },
      },
      strokeDash: {
        field: 'rule',
        type: 'nominal',
        legend: { title: null, labelLimit: 300, symbolType: 'stroke' },
      },
    },
  }
}

/** Against one thread, with the ideal. */
function threadPicture(run: Run): TopLevelSpec | null {
  const measured = threadPoints(run)
  const counts = [...new Set(measured.map(({ threads }) => threads))]
  if (counts.length < 2) return null
  const ideal = [...new Set(measured.map(({ work }) => work))].flatMap((work) =>
    counts.map((threads) => ({ work, way: 'ideal', threads, ratio: threads })),
  )
  return {
    data: { values: [...measured, ...ideal] },
    facet: { column: { field: 'work', type: 'nominal', title: null, sort: series.map(({ name }) => name) } },
    spec: {
      width: 220,
      height: 220,
      mark: { type: 'line', point: { size: 24 }, strokeWidth: 1.5 },
      encoding: {
        x: {
          field: 'threads',
          type: 'quantitative',
          scale: { type: 'log', base: 2 },
          axis: { values: counts, grid: false },
        },
        y: {
          field: 'ratio',
          type: 'quantitative',
          scale: { type: 'log', base: 2 },
          axis: { title: 'times faster than one thread, 90 %' },
        },
        color: color('way', namesOf(measured), 'ideal'),
      },
    },
  }
}

function memoryPicture({ memory }: Run): TopLevelSpec | null {
  if (memory.length < 2) return null
  const values = memory.flatMap(({ sparsity, block, megabytes, rewiringMegabytes }) => {
    const network = sparsity === 0 ? 'dense' : `${percent(sparsity)}, ${block}`
    return [
      { network, megabytes, when: 'training' },
      ...(rewiringMegabytes === null ? [] : [{ network, megabytes: rewiringMegabytes, when: 'with RigL' }]),
    ]
  })
  return {
    data: { values },
    width: 420,
    mark: 'bar',
    encoding: {
      y: { field: 'network', type: 'nominal', sort: null, title: null },
      yOffset: { field: 'when', type: 'nominal' },
      x: { field: 'megabytes', type: 'quantitative', title: 'peak MB' },
      color: { field: 'when', type: 'nominal', scale: { range: [...colors] }, legend: { title: null } },
    },
  }
}

const pictures: Record<PictureName, (run: Run) => TopLevelSpec | null> = {
  speed: speedPicture,
  roofline: rooflinePicture,
  width: widthPicture,
  threads: threadPicture,
  memory: memoryPicture,
}

/** SVG by name, of what there is something to draw for. */
export async function drawPictures(run: Run): Promise<Map<PictureName, string>> {
  const drawn = new Map<PictureName, string>()
  for (const [name, specify] of Object.entries(pictures)) {
    const specification = specify(run)
    if (specification !== null) drawn.set(name as PictureName, await drawPicture(specification))
  }
  return drawn
}
