import os from 'node:os'
import path from 'node:path'
import type { Command } from 'commander'
import {
  describeMachine,
  type FitSettings,
  Network,
  type PlacementOptions,
  type RunRecord,
  recordTensorBoard,
  writeReport,
  writeRunRecord,
} from '../index.js'
import { Console, Exit, usage } from './console.js'
import { defaults } from './defaults.js'
import { placementOf, planLines } from './device-options.js'
import { Interrupt } from './interrupt.js'
import { loadSplit } from './load-data.js'
import { RunProgress } from './progress.js'
import { fixedOnResume, networkOptionsOf, resumedFitSettings, trainingOptionsOf } from './resume.js'
import {
  makeRunFolder,
  type RunFolder,
  readRecordBeside,
  refuseTaken,
  runFolder,
  runName,
} from './run-folder.js'
import { RunRecorder } from './run-recorder.js'
import { fanInNotes } from './topology-options.js'
import { answerOf, summaryLines } from './train-answer.js'
import {
  addTrainOptions,
  checkTogether,
  givenOptions,
  type SettledOptions,
  settle,
  type TrainOptions,
} from './train-options.js'
import { buildNetwork, fitSettings } from './train-settings.js'

/** Adds `espalier train`. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a sparse network; its checkpoint, run.json and report.html go into a run folder')
    .argument(
      '[data set]',
      `a name from "espalier data", or the path of a file (default: ${defaults.dataset})`,
    )
  addTrainOptions(command).action((dataset: string | undefined) => train(dataset, command))
}

/** The run to go on with: its network and settings, and its record where that lies beside the checkpoint. */
interface Earlier {
  checkpoint: string
  network: Network
  training: FitSettings | null
  record: RunRecord | null
}

async function train(named: string | undefined, command: Command): Promise<void> {
  const wanted = command.opts<TrainOptions>()
  const started = new Date()
  const clock = performance.now()
  const console = new Console(wanted)
  const given = givenOptions(command)
  const earlier = wanted.resume === undefined ? null : await openEarlier(wanted.resume, placementOf(wanted))
  if (earlier !== null) takeSettings(wanted, given, earlier)
  checkTogether(command, wanted)
  const options = settle(wanted)
  await refuseTaken(options.out, options.overwrite || isOwnFolder(options.out, earlier))

  // Asked first: a machine that cannot train says so before it loads anything.
  const machine = describeMachine(options.threads ?? os.availableParallelism(), options)

  using progress = new RunProgress(console, options.epochs)
  using interrupt = new Interrupt(console, 'stopping after this step and saving', () => progress.stop())
  const source = named ?? earlier?.record?.dataset.source ?? defaults.dataset
  const split = await loadSplit(source, options, console, interrupt.signal)
  using network = earlier?.network ?? (await buildNetwork(options, split.train))
  if (earlier === null) for (const note of await fanInNotes(network)) console.note(note)
  const folder = await folderFor(options, source, started, earlier)
  const recorder = new RunRecorder({
    name: folder.name,
    source,
    options,
    machine,
    started,
    clock,
    network,
    split,
    earlier: earlier?.record ?? null,
  })
  const run = network.fit(split.train, {
    ...(earlier?.training ? resumedFitSettings(options, given) : fitSettings(options)),
    validation: split.test,
    threads: machine.threads,
    signal: interrupt.signal,
    ...(options.maxSeconds !== undefined && { maxSeconds: options.maxSeconds }),
    resume: earlier !== null,
    checkpoint: { path: folder.checkpoint },
  })
  const { tensorboard } = options
  const board = tensorboard === undefined ? null : recordTensorBoard(run, network, tensorboard)
  // Its failure does not stop the run, and is told after it.
  board?.catch(() => {})
  let planned = !options.verbose || options.json
  try {
    for await (const event of run) {
      // The first step has settled it.
      if (!planned) for (const line of planLines(network.plan())) console.note(line)
      planned = true
      progress.handle(event)
      recorder.handle(event)
    }
  } catch (error) {
    progress.stop()
    // What was learnt of the run is kept, but the error that ended it is the one to tell.
    await recorder
      .finish({ error })
      .then((record) => writeFolder(folder, record))
      .catch(() => {})
    await board?.catch(() => {})
    throw error
  }
  progress.stop()
  const record = await recorder.finish(await run)
  await writeFolder(folder, record)
  await board
  console.answer(answerOf(record, folder, options.verbose ? network.plan() : null), () =>
    summaryLines(record, folder),
  )
  if (interrupt.exitCode !== null) throw new Exit(interrupt.exitCode)
}

async function openEarlier(checkpoint: string, placement: PlacementOptions): Promise<Earlier> {
  const network = await Network.load(checkpoint, placement)
  const { training } = await network.snapshot()
  return {
    checkpoint: path.resolve(checkpoint),
    network,
    training,
    record: await readRecordBeside(checkpoint),
  }
}

/** Fills what was not given on the command line from the run to go on with. */
function takeSettings(
  options: TrainOptions,
  given: ReadonlySet<string>,
  { network, training, record }: Earlier,
): void {
  const { description, progress } = network
  const settings = {
    ...networkOptionsOf(description),
    ...(training === null ? {} : trainingOptionsOf(training)),
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!given.has(name)) Object.assign(options, { [name]: value })
  }
  if (options.seed !== description.seed) {
    throw usage(
      `option '--seed' is ${options.seed}, and the checkpoint has seed ${description.seed}; leave it out`,
    )
  }
  if (record?.dataset.label && !given.has('label')) options.label = record.dataset.label
  if (record?.dataset.task && !given.has('task')) options.task = record.dataset.task
  const fixed = Object.entries(fixedOnResume).find(([name]) => given.has(name))
  if (fixed !== undefined && training !== null) {
    throw usage(
      `option '${fixed[1]}' cannot be combined with --resume: the state in the checkpoint belongs to its optimizer`,
    )
  }
  if (options.epochs <= progress.epochs) {
    throw usage(
      `nothing to do: ${options.resume} has been trained for ${progress.epochs} epochs of ${options.epochs}; ask for more with --epochs`,
    )
  }
}

/** Whether the run goes on in the folder that it was started in. */
function isOwnFolder(out: string | undefined, earlier: Earlier | null): boolean {
  return earlier !== null && out !== undefined && path.resolve(out) === path.dirname(earlier.checkpoint)
}

async function folderFor(
  options: SettledOptions,
  source: string,
  started: Date,
  earlier: Earlier | null,
): Promise<RunFolder> {
  const goesOn = options.out === undefined ? earlier?.record : isOwnFolder(options.out, earlier)
  if (earlier !== null && goesOn) {
    return runFolder(
      path.dirname(earlier.checkpoint),
      options.name ?? earlier.record?.name ?? runName(source, started),
    )
  }
  return makeRunFolder(options.out, options.name ?? runName(source, started), options.overwrite)
}

async function writeFolder(folder: RunFolder, record: RunRecord): Promise<void> {
  await writeRunRecord(folder.record, record)
  await writeReport(folder.report, record)
}
