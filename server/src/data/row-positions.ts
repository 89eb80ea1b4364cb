import { binary, call, column, literal } from '../sql/build.ts'
import { printSelect } from '../sql/print.ts'
import { type Reading, ROW, type Schema, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { contentHash, declaredKey, keyText } from './keys.ts'
import type { Tables } from './tables.ts'

/** Rows of a reading that are wanted by key. Columns as the reading names them; without a declared key, rows go by their content. */
export interface PositionsAsked {
  readonly reading: Reading
  readonly columns: Schema
  readonly key: readonly string[]
  readonly keys: readonly (string | number | boolean | readonly (string | number | boolean | null)[])[]
}

/**
 * Positions, from 0, of rows in all files of a reading, in the order of `keys`; null where there is no such row. It reads everything once. For keys that only the
 * database can compute (hashes of content) or compare (dates as they are written somewhere). Throws `DataProblem`.
 */
export async function rowPositions(tables: Tables, { reading, columns, key, keys }: PositionsAsked): Promise<readonly (number | null)[]> {
  const raw = 'assay raw rows'
  await tables.read(raw, reading)
  const found = await tables.query(printSelect(key.length > 0 ? byKey(raw, key, keys) : byContent(raw, columns, keys)))
  const [position, text] = found.columns.map((one) => one.data)
  if (position?.kind !== 'number' || text?.kind !== 'text') throw new TypeError('the query for positions changed its columns')
  const positions = new Map(Array.from(text.codes, (code, i) => [text.dictionary[code] ?? '', position.values[i]!]))
  return keys.map((one) => positions.get(textOf(one)) ?? null)
}

type Keys = PositionsAsked['keys']
const textOf = (key: Keys[number]): string => (typeof key === 'object' ? JSON.stringify(key) : String(key))

/** As text; numbers as numbers, for 7 and 7.0 are one key. */
function byKey(raw: string, key: readonly string[], keys: Keys): SqlSelect {
  const declared = declaredKey(key)
  const numeric = key.length === 1 && keys.every((one) => typeof one === 'number')
  const list = keys.map((one) => literal(numeric ? (one as number) : textOf(one)))
  const text = keyText(declared)
  return {
    items: [
      { value: column(ROW), alias: 'position' },
      { value: numeric ? numberText(declared) : text, alias: 'key' },
    ],
    from: { kind: 'table', name: raw },
    where: { kind: 'in', negated: false, value: numeric ? declared : text, list },
  }
}

/** `7` of 7.0, as it is written elsewhere. */
function numberText(value: SqlExpr): SqlExpr {
  const whole = { kind: 'cast', value, type: 'BIGINT', lenient: true } as const
  const equal = binary(whole, '=', value)
  return { kind: 'case', whens: [{ when: equal, then: keyText(whole) }], otherwise: keyText(value) }
}

/** Only rows with one of the hashes are numbered: nothing is sorted but them. */
function byContent(raw: string, columns: Schema, keys: Keys): SqlSelect {
  const hashes = [...new Set(keys.map((one) => textOf(one).replace(/\.\d+$/, '')))]
  const hashed: SqlSelect = {
    items: [
      { value: column(ROW), alias: 'position' },
      { value: contentHash(columns), alias: 'hash' },
    ],
    from: { kind: 'table', name: raw },
  }
  const position = column('position')
  const hash = column('hash')
  const ordinal: SqlExpr = {
    kind: 'window',
    call: call('row_number'),
    partitionBy: [hash],
    orderBy: [{ value: position, descending: false }],
  }
  const earlier = call('nullif', binary(ordinal, '-', literal(1)), literal(0))
  return {
    items: [
      { value: position, alias: 'position' },
      { value: binary(hash, '||', call('coalesce', binary(literal('.'), '||', keyText(earlier)), literal(''))), alias: 'key' },
    ],
    from: { kind: 'query', query: hashed, alias: 'hashed' },
    where: { kind: 'in', negated: false, value: hash, list: hashes.map((one) => literal(one)) },
  }
}
