import { dense, Network, type RunEvent, type RunListener, type RunOutcome, sparse } from '../../lib/index.js'
import { clouds } from '../model/support.js'

export const data = clouds(500, 20, 3)
export const validation = clouds(100, 20, 3, 2)

/** On the processor, so that a machine with a GPU says the same. */
export const small = () =>
  new Network({ inputs: 20, layers: [sparse(32), sparse(32), dense(3)], sparsity: 0.7, device: 'cpu' })

/** Keeps what it hears. */
export class Listening implements RunListener {
  readonly events: RunEvent[] = []
  readonly ends: RunOutcome[] = []

  event(event: RunEvent): void {
    this.events.push(event)
  }

  end(outcome: RunOutcome): void {
    this.ends.push(outcome)
  }

  count(type: RunEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }
}
