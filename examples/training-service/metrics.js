/** What Prometheus is told. */
import { usage } from 'espalier'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** @param counts functions that say how many there are now */
export function makeMetrics({ waiting, running, streams, kept }) {
  const register = new Registry()
  const registers = [register]
  collectDefaultMetrics({ register })
  const gauge = (name, help, count) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(count())
      },
    })
  gauge('training_jobs_waiting', 'Jobs that wait for their turn', waiting)
  gauge('training_jobs_running', 'Jobs that train', running)
  gauge('training_jobs_kept', 'Jobs that the service knows, those that are over included', kept)
  gauge('training_native_bytes', 'Memory of networks outside the JavaScript heap', () => usage().nativeBytes)
  gauge('training_event_streams', 'Event streams that are open', streams)
  return {
    register,
    accepted: new Counter({ name: 'training_jobs_accepted_total', help: 'Jobs accepted', registers }),
    ended: new Counter({
      name: 'training_jobs_ended_total',
      help: 'Jobs that are over, by how they ended',
      labelNames: ['state'],
      registers,
    }),
    responses: new Counter({
      name: 'training_responses_total',
      help: 'Answers to requests, by status',
      labelNames: ['status'],
      registers,
    }),
  }
}
