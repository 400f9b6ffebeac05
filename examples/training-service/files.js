/** What lies in a job's folder, beside its record job.json. */
export const files = {
  /** What the client uploaded, until the job is over. */
  upload: 'data.csv',
  /** The last checkpoint, and in the end the model. */
  model: 'model.safetensors',
  /** What inputs and outputs of the model stand for. */
  meaning: 'data.json',
  /** What happened, see events.js. */
  events: 'events',
}
