/**
 * What differs between databases when a tree of `tree.ts` is written: quoting, literals, intervals, lists. The printer knows the rest of SQL.
 */
export interface Dialect {
  /** A name, always quoted: no word is reserved and no case is folded behind the user's back. */
  quoteName(name: string): string
  quoteText(text: string): string
  number(value: number): string
  interval(seconds: number): string
  list(items: readonly string[]): string
  /** `lenient` casts give NULL where the value does not fit. */
  cast(value: string, type: string, leniency: 'strict' | 'lenient'): string
}

export const duckdbDialect: Dialect = {
  quoteName: (name) => {
    // The parser reads a C string: a zero byte would silently cut the statement short.
    if (name.includes('\0')) throw new RangeError('A name cannot hold a zero byte')
    return `"${name.replaceAll('"', '""')}"`
  },
  quoteText: (text) => {
    if (!text.includes('\0')) return quote(text)
    return `(${text.split('\0').map(quote).join(' || chr(0) || ')})`
  },
  number: (value) => {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '0' : String(value)
    return `CAST(${quote(Number.isNaN(value) ? 'nan' : value > 0 ? 'infinity' : '-infinity')} AS DOUBLE)`
  },
  interval: (seconds) => {
    if (!Number.isFinite(seconds)) throw new RangeError('An interval must be finite')
    if (Number.isInteger(seconds)) return `INTERVAL '${seconds} seconds'`
    return `INTERVAL '${Math.round(seconds * 1e6)} microseconds'`
  },
  list: (items) => `[${items.join(', ')}]`,
  cast: (value, type, leniency) => `${leniency === 'lenient' ? 'TRY_CAST' : 'CAST'}(${value} AS ${type})`,
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
