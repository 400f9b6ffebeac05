/** What of prom-client's interface `runMetrics` uses; the module itself, as `import client from 'prom-client'`, has it. */
export interface MetricsClient<Registry = unknown> {
  /** Only grows. */
  Counter: new (
    configuration: MetricConfiguration<Registry>,
  ) => {
    /** Adds to it. */
    inc(labels: MetricLabels, value?: number): void
  }
  /** Goes up and down. */
  Gauge: new (
    configuration: MetricConfiguration<Registry> & {
      /** Called right before it is read. */
      collect?: () => void
    },
  ) => {
    /** Adds to it. */
    inc(labels: MetricLabels, value?: number): void
    /** Replaces it. */
    set(labels: MetricLabels, value: number): void
  }
  /** Counts values by size. */
  Histogram: new (
    configuration: MetricConfiguration<Registry> & {
      /** Upper bounds. */
      buckets: number[]
    },
  ) => {
    /** Adds a value. */
    observe(labels: MetricLabels, value: number): void
  }
}

/** A metric as prom-client is asked for it. */
export interface MetricConfiguration<Registry = unknown> {
  /** With the prefix. */
  name: string
  /** What it counts, in words. */
  help: string
  /** Names of its labels. */
  labelNames: string[]
  /** Where it is kept; absent for the client's own registry. */
  registers?: Registry[]
}

/** Names and values of labels. */
export type MetricLabels = Record<string, string>
