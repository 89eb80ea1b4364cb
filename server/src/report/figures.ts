import type { Json, Key } from '../protocol/results.ts'
import { inert } from './inert.ts'

// `toLocaleString` makes a formatter for every number: a table of 60 000 rows would take a minute.
const oneDecimal = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const withDecimals = Array.from(
  { length: 9 },
  (_, d) => new Intl.NumberFormat('en-US', { minimumFractionDigits: d, maximumFractionDigits: d }),
)

/** A number for people: whole ones with thousands marked, others to four digits, very small and very large ones with an exponent. */
export function figure(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return 'none'
  if (!Number.isFinite(value)) return value > 0 ? 'infinite' : '-infinite'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return size < 1000 ? String(value) : thousands(oneDecimal.format(value))
  if (size >= 1e9 || size < 1e-4) return value.toExponential(digits - 2)
  if (size >= 1000) return thousands(oneDecimal.format(value))
  return String(Number(value.toPrecision(digits)))
}

/** A number in a column: as many decimals as its neighbours, so that the points stand under each other. */
export function figures(values: readonly (number | null | undefined)[], digits = 4): string[] {
  const finite = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value))
  if (finite.every(Number.isInteger)) return values.map((value) => figure(value))
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (largest >= 1e9 || largest < 1e-4)
    return values.map((value) => (Number.isFinite(value ?? Number.NaN) ? value!.toExponential(2) : figure(value)))
  const decimals = Math.max(1, Math.min(8, digits - 1 - Math.floor(Math.log10(largest))))
  return values.map((value) => (Number.isFinite(value ?? Number.NaN) ? thousands(withDecimals[decimals]!.format(value!)) : figure(value)))
}

export function share(fraction: number | undefined): string {
  if (fraction === undefined || !Number.isFinite(fraction)) return 'none'
  const percent = fraction * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  if (percent > 99.99 || percent < 0.01) return percent < 50 ? '< 0.01 %' : '> 99.99 %'
  return `${Number(percent.toPrecision(percent > 99 ? 4 : 3))} %`
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1) return '< 1 ms'
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

export function bytes(count: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let size = count
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 ? size : Number(size.toPrecision(3))} ${units[unit]}`
}

/** A value out of the data, harmless and on one line. */
export function cell(value: Json | undefined, limit?: number): string {
  if (value === undefined) return ''
  if (value === null) return 'null'
  if (typeof value === 'string') return inert(value, limit)
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : figure(value, 6)
  if (typeof value === 'boolean') return String(value)
  return inert(JSON.stringify(value), limit)
}

export function keyText(key: Key, limit = 48): string {
  if (typeof key === 'object') return inert(key.map((part) => (part === null ? 'null' : String(part))).join(', '), limit)
  return inert(String(key), limit)
}

/** `1 row`, `2 rows`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${figure(n)} ${n === 1 ? noun : plural}`
}

/** `60 000`: groups set apart by blanks, as everywhere in Assay. */
function thousands(text: string): string {
  return text.includes(',') ? text.replaceAll(',', ' ') : text
}

export function probability(p: number): string {
  if (!Number.isFinite(p)) return 'none'
  if (p < 1e-300) return '< 1e-300'
  return p < 1e-4 ? p.toExponential(1) : p.toFixed(4)
}
