import { binary, call, column, literal, star, when } from '../sql/build.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { declaredKey, keyText } from './keys.ts'

/** A split's parts as a plan carries them: each has a condition or a share (0 … 1). */
export interface Splits {
  readonly parts: readonly { readonly name: string; readonly where?: SqlExpr; readonly share?: number }[]
  /** Columns to hash instead of the key: rows that agree in them stay together. */
  readonly hash?: readonly string[]
  readonly seed: number
}

/**
 * The name of a row's split, or NULL where it is in none: the first condition that holds, else the place of
 * md5(seed ':' key as text), its first 8 hexadecimal digits over 2³², among the cumulative shares. `key` is the text of the row's key (`keyText`); it is in
 * the answer only where a share is asked for and no columns are named.
 */
export function splitName(splits: Splits, key: SqlExpr, table?: string): SqlExpr {
  const conditions: ReturnType<typeof when>[] = []
  const shares: ReturnType<typeof when>[] = []
  const digits = shareDigits(splits, key, table)
  let total = 0
  for (const { name, where, share } of splits.parts) {
    if (where) conditions.push(when(where, literal(name)))
    if (where || share === undefined) continue
    // Sums of decimal shares are off in the last bit: 0.1 + 0.2 must cut where 0.3 does.
    total = Math.round((total + share) * 1e12) / 1e12
    shares.push(when(below(digits, total), literal(name)))
  }
  return { kind: 'case', whens: [...conditions, ...shares] }
}

/** Whether `splitName` reads the key. */
export function needsKey(splits: Splits): boolean {
  return !splits.hash?.length && splits.parts.some((part) => !part.where && part.share !== undefined)
}

/**
 * The first row that two conditions hold for: `key`, `rows` (how many such rows there are) and a boolean `part 0`, `part 1`, … for each part with a
 * condition, in order; undefined where fewer than two parts have one. O(n).
 */
export function overlapQuery(table: string, splits: Splits, key: SqlExpr): SqlSelect | undefined {
  const conditions = splits.parts.flatMap((part) => (part.where ? [part.where] : []))
  if (conditions.length < 2) return undefined
  const sum = conditions.map((where) => ifElse(where, literal(1), literal(0))).reduce((left, right) => binary(left, '+', right))
  return {
    items: [
      { value: key, alias: 'key' },
      { value: { kind: 'window', call: call('count', star), partitionBy: [], orderBy: [] }, alias: 'rows' },
      ...conditions.map((where, i) => ({ value: ifElse(where, literal(true), literal(false)), alias: `part ${i}` })),
    ],
    from: { kind: 'table', name: table },
    where: binary(sum, '>', literal(1)),
    orderBy: [{ value: column(ROW), descending: false }],
    limit: 1,
  }
}

/** The names of the parts with a condition, in the order of `overlapQuery`'s booleans. */
export function conditionNames(splits: Splits): readonly string[] {
  return splits.parts.flatMap((part) => (part.where ? [part.name] : []))
}

function shareDigits(splits: Splits, key: SqlExpr, table: string | undefined): SqlExpr {
  const text = splits.hash?.length ? hashText(splits.hash, table) : key
  return call('substr', call('md5', binary(literal(`${splits.seed}:`), '||', text)), literal(1), literal(8))
}

/** Rows with a NULL in the column stay together too. */
function hashText(columns: readonly string[], table: string | undefined): SqlExpr {
  return call('coalesce', keyText(declaredKey(columns, table)), literal(''))
}

/** digits / 2³² < total, as a comparison of hexadecimal texts of equal length: exact, and the same in every database. */
function below(digits: SqlExpr, total: number): SqlExpr {
  const bound = Math.ceil(total * 2 ** 32)
  if (bound >= 2 ** 32) return { kind: 'is_null', negated: true, value: digits }
  return binary(digits, '<', literal(bound.toString(16).padStart(8, '0')))
}

function ifElse(condition: SqlExpr, yes: SqlExpr, no: SqlExpr): SqlExpr {
  return { kind: 'case', whens: [when(condition, yes)], otherwise: no }
}
