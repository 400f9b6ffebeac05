#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addCompare } from './compare.js'
import { Exit, Interrupted, reportError, usage } from './console.js'
import { addData } from './data.js'
import { addDoctor } from './doctor.js'
import { addEvaluate } from './evaluate.js'
import { addInspect } from './inspect.js'
import { espalierVersion } from './machine.js'
import { addPredict } from './predict.js'
import { addStudy } from './study.js'
import { addTrain } from './train.js'

const program = new Command('espalier')
  .description('Trains truly sparse neural networks.')
  .version(espalierVersion())
  // Errors are told in one place and one form, below; subcommands inherit both settings.
  .exitOverride()
  .configureOutput({ outputError: () => {} })
for (const add of [addTrain, addEvaluate, addPredict, addInspect, addCompare, addStudy, addData, addDoctor])
  add(program)

/** Runs the command line; gives the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  try {
    await program.parseAsync(argv)
    return 0
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are printed already; help that stands in for a missing command is wrong use.
      if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return 0
      if (error.code === 'commander.help') return 2
      return reportError(usage(error.message.replace(/^error: /, '')), json)
    }
    if (error instanceof Exit) {
      if (error instanceof Interrupted && json) process.stdout.write('{"reason":"cancelled"}\n')
      return error.exitCode
    }
    return reportError(error, json)
  }
}

// A reader that goes away, as `head` does, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
process.exitCode = await run(process.argv)
