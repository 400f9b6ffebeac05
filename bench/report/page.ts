import { table } from '../markdown.js'
import type { Run } from '../records.js'
import type { Results } from '../results.js'
import { judge, judgementRows } from '../targets.js'
import { accuracySection, peerSection } from './apart.js'
import { machineSection } from './machine.js'
import { batchSection, threadSection, widthSection } from './scaling.js'
import { speedSection } from './speed.js'
import { epochSection, inferenceSection, memorySection, rewiringSection } from './whole.js'

const begin = '<!-- measured: begin; written by "npm run bench:report" -->'
const end = '<!-- measured: end -->'

/** The pictures of a run, by what they show. */
export type PictureName = 'speed' | 'roofline' | 'width' | 'threads' | 'memory'

export interface NamedRun {
  name: string
  run: Run
  /** Those that there was something to draw for. */
  pictures: readonly PictureName[]
}

type Section = readonly [title: string, body: string | null, picture?: PictureName]

function failureSection({ failures }: Run): string | null {
  if (failures.length === 0) return null
  return table(
    ['what', 'why'],
    failures.map(({ what, message }) => [what, message]),
  )
}

function runSections({ run }: NamedRun, results: Results): Section[] {
  return [
    ['Machine', machineSection(run)],
    [
      'Targets',
      table(
        ['two threads unless said', 'asked', 'measured', 'met', 'what holds it back'],
        judgementRows(judge({ run, ...results })),
      ),
    ],
    ['Speed-up over sparsity', speedSection(run, results.accuracy), 'speed'],
    [
      'Roofline',
      'Useful multiply-adds of the products against what each byte of gathered activations is used for; one dot is one ' +
        'product of one block shape at 90 %. What lies at the right is bound by multiply-adds, what lies at the left by cache.',
      'roofline',
    ],
    ['Batch', batchSection(run)],
    ['Width', widthSection(run), 'width'],
    ['Threads', threadSection(run), 'threads'],
    ['Epoch', epochSection(run)],
    ['Rewiring', rewiringSection(run)],
    ['Inference', inferenceSection(run)],
    ['Memory', memorySection(run), 'memory'],
    ['What failed', failureSection(run)],
  ]
}

function write({ name, pictures }: NamedRun, [title, body, picture]: Section): string[] {
  const drawn = picture !== undefined && pictures.includes(picture)
  // The roofline is its picture.
  if (body === null || (picture === 'roofline' && !drawn)) return []
  return [
    `### ${title}`,
    ...(drawn ? [`![${title.toLowerCase()}](results/${pictureFile(name, picture)})`] : []),
    body,
  ]
}

export const pictureFile = (run: string, picture: PictureName): string => `${run}-${picture}.svg`

/** Everything that the page says of measurements. */
export function measuredPart(runs: readonly NamedRun[], results: Results): string {
  const parts = runs.flatMap((each) => {
    const { processor, processors } = each.run.machine
    return [
      `## Measured: ${processor}, ${processors} processors`,
      ...runSections(each, results).flatMap((section) => write(each, section)),
    ]
  })
  const peers = peerSection(results.peers)
  const accuracy = accuracySection(results.accuracy)
  return [
    ...parts,
    ...(peers === null ? [] : ['## Peers', peers]),
    ...(accuracy === null ? [] : ['## Accuracy', accuracy]),
  ].join('\n\n')
}

/** Puts it between the page's two marks. @throws where the page lacks them */
export function replaceMeasured(page: string, measured: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the page lacks the lines\n${begin}\n${end}`)
  return `${page.slice(0, from)}${begin}\n\n${measured}\n\n${page.slice(to)}`
}
