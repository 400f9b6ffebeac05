/** How numbers are written for people, in reports and on the terminal. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** 1234567 -> "1,234,567" */
export const formatCount = (value: number): string => whole.format(value)

/** 1234567 -> "1.23M" */
export const formatShort = (value: number): string => short.format(value)

/** 0.8934 -> "89.34 %"; "-" where there is none. */
export const formatPercent = (value: number | null, digits = 2): string =>
  value === null ? '-' : `${(100 * value).toFixed(digits)} %`

/** 0.123456 -> "0.1235"; "-" where there is none. */
export const formatLoss = (value: number | null): string => (value === null ? '-' : value.toFixed(4))

/** 4.3 -> "4.3 s", 75 -> "1 min 15 s", 3700 -> "1 h 2 min" */
export function formatSeconds(value: number): string {
  if (value < 60) return `${value.toFixed(value < 10 ? 2 : 1)} s`
  const seconds = Math.round(value)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(value / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** 1536 -> "1.5 KiB" */
export function formatBytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let unit = 0
  let scaled = value
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${unit === 0 ? scaled : scaled.toFixed(scaled < 10 ? 2 : 1)} ${units[unit]}`
}

/** 1.48e7 -> "14.8 M", 2.5e15 -> "2.50 P" */
export function formatFlops(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P', ' E']
  const unit = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1)
  const scaled = value / 1000 ** unit
  return `${unit === 0 ? scaled : scaled.toPrecision(3)}${units[unit]}`
}
