import type { LayerRecord, RunRecord } from '../../lib/report/run-record.js'

/** A layer with invented numbers. */
export function layer(type: LayerRecord['type'], inputs: number, outputs: number): LayerRecord {
  const sparse = type === 'sparse'
  const connections = type === 'dense' ? inputs * outputs : sparse ? outputs * 4 : 0
  return {
    type,
    inputs,
    outputs,
    connections,
    parameters: connections + outputs,
    sparsity: sparse ? 1 - 4 / inputs : 0,
    block: sparse ? [1, 1] : null,
    fanIn: sparse ? Array.from({ length: outputs }, (_, output) => 3 + (output % 3)) : null,
    fanOut: sparse ? Array.from({ length: inputs }, (_, input) => input % 7) : null,
  }
}

/** The record of a run that never was. */
export function madeUp(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    format: 'espalier-run',
    version: 1,
    name: 'made-up',
    started: '2024-05-06T07:08:09.000Z',
    command: 'espalier train digits --epochs 3',
    machine: {
      espalier: '0.1.0',
      node: 'v20.20.0',
      platform: 'linux-x64',
      processor: 'Abacus',
      instructionSet: 'baseline',
      device: 'cpu',
      card: null,
      precision: 'float32',
      threads: 2,
    },
    dataset: {
      source: 'digits',
      label: null,
      task: null,
      seed: 1,
      name: 'digits',
      trainSamples: 1000,
      testSamples: 200,
      features: 64,
      classes: 10,
      classNames: null,
      imageShape: [8, 8],
      featureNames: null,
      firstIndex: null,
      scaling: { method: 'standard-global', offsets: [0.5], factors: [3] },
    },
    settings: { hidden: '32', sparsity: 0.9, 'layer-norm': false },
    result: {
      reason: 'finished',
      error: null,
      testAccuracy: 0.8765,
      testLoss: 0.4,
      trainAccuracy: 0.9,
      trainLoss: 0.3,
      sparsity: 0.9,
      connections: 448,
      parameters: 490,
      epochs: 3,
      steps: 300,
      wallSeconds: 2,
      seconds: 1.5,
      samplesPerSecond: 2000,
      rewireSeconds: 0.03,
      peakMemoryMB: 99,
    },
    history: [1, 2, 3].map((epoch) => ({
      epoch,
      step: epoch * 100,
      train: { loss: 1 / epoch, accuracy: 0.6 + epoch / 10 },
      validation: { loss: 1.2 / epoch, accuracy: 0.58 + epoch / 10 },
      learningRate: 0.1,
      seconds: 0.5,
      samplesPerSecond: 2000,
      rewireSeconds: 0.01,
    })),
    rewirings: [1, 2].map((epoch) => ({
      epoch,
      step: epoch * 100,
      fraction: 0.3,
      layers: [{ layer: 0, moved: 40 / epoch, returned: 2 }],
    })),
    layers: [layer('sparse', 64, 32), layer('dropout', 32, 32), layer('dense', 32, 10)],
    ...changes,
  }
}
