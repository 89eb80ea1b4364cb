import type * as ast from '../../../grammar/src/ast.ts'
import type { Column, ColumnType } from '../sql/tree.ts'

/** The type of an expression: the language's word, and the database's, as far as it can be foreseen. */
export interface Typed {
  readonly type: ColumnType
  readonly sqlType: string
}

export const UNKNOWN: Typed = { type: 'unknown', sqlType: 'UNKNOWN' }
export const BOOLEAN: Typed = { type: 'boolean', sqlType: 'BOOLEAN' }
export const TEXT: Typed = { type: 'text', sqlType: 'VARCHAR' }
export const DOUBLE: Typed = { type: 'number', sqlType: 'DOUBLE' }
export const INTEGER: Typed = { type: 'number', sqlType: 'INTEGER' }
export const BIGINT: Typed = { type: 'number', sqlType: 'BIGINT' }
export const DATE: Typed = { type: 'date', sqlType: 'DATE' }
export const TIMESTAMP: Typed = { type: 'timestamp', sqlType: 'TIMESTAMP' }
export const INTERVAL: Typed = { type: 'duration', sqlType: 'INTERVAL' }
export const BLOB: Typed = { type: 'blob', sqlType: 'BLOB' }
export const LIST: Typed = { type: 'list', sqlType: 'LIST' }
export const STRUCT: Typed = { type: 'struct', sqlType: 'STRUCT' }

export const typedColumn = (column: Column): Typed => column

export const isWhole = (typed: Typed): boolean => typed.type === 'number' && /INT|BIGNUM/.test(typed.sqlType)
export const isTime = (type: ColumnType): boolean => type === 'date' || type === 'timestamp'

/** With its article, for sentences: `a number`, `text`. */
export const articled = (type: ColumnType): string => ARTICLED[type]
const ARTICLED: Readonly<Record<ColumnType, string>> = {
  number: 'a number',
  text: 'text',
  boolean: 'a boolean',
  date: 'a date',
  timestamp: 'a timestamp',
  duration: 'a duration',
  image: 'an image',
  blob: 'binary data',
  list: 'a list',
  struct: 'a struct',
  unknown: 'of unknown type',
}

/** The literal that an expression is, sign included. */
export function literalOf(expr: ast.Expr): string | number | boolean | undefined {
  if (expr.kind === 'string' || expr.kind === 'number' || expr.kind === 'boolean' || expr.kind === 'percent') return expr.value
  if (expr.kind === 'unary' && expr.op !== 'not' && (expr.operand.kind === 'number' || expr.operand.kind === 'percent')) {
    return expr.op === '-' ? -expr.operand.value : expr.operand.value
  }
  return undefined
}

/** The boolean that the database reads from this text: columns of `yes` and `no` are booleans to it too. */
export function booleanOf(text: string): boolean | undefined {
  if (/^(true|t|yes|y|1)$/i.test(text)) return true
  return /^(false|f|no|n|0)$/i.test(text) ? false : undefined
}

/** A literal as a value of that type, where it is written in another way. */
export function literalAs(type: ColumnType, value: string | number | boolean): string | number | boolean {
  if (type !== 'boolean' || typeof value === 'boolean') return value
  return booleanOf(String(value)) ?? value
}

/** May these be compared? What DuckDB would refuse, or fail at with the first row, is refused here. `text` compared with a date must be a literal that is one. */
export function comparable(left: Typed, leftNode: ast.Expr, right: Typed, rightNode: ast.Expr): boolean {
  const a = left.type
  const b = right.type
  if (a === 'image' || b === 'image') return false
  if (a === 'unknown' || b === 'unknown' || a === b) return true
  if (isTime(a) && isTime(b)) return true
  return literalFits(a, rightNode) || literalFits(b, leftNode)
}

/** May this literal stand where a value of that type is wanted, although its own type is another? */
export function literalFits(type: ColumnType, node: ast.Expr): boolean {
  if (node.kind === 'string') {
    if (isTime(type)) return looksLikeDate(node.value)
    if (type === 'boolean') return booleanOf(node.value) !== undefined
    return type === 'blob'
  }
  return type === 'boolean' && node.kind === 'number' && (node.value === 0 || node.value === 1)
}

const looksLikeDate = (text: string): boolean => /^\s*[+-]?\d{1,6}-\d{1,2}-\d{1,2}([ T].*)?\s*$/.test(text)

/** The common type of the branches of a case, of coalesce, of a list; undefined where they do not mix. */
export function unify(parts: readonly { readonly typed: Typed; readonly node: ast.Expr }[]): Typed | undefined {
  let common: Typed = UNKNOWN
  let commonNode: ast.Expr | undefined
  for (const { typed, node } of parts) {
    if (typed.type === 'unknown') continue
    if (common.type === 'unknown' || commonNode === undefined) {
      common = typed
      commonNode = node
      continue
    }
    if (common.type === typed.type) {
      if (common.type === 'number') common = widest(common, typed, commonNode, node)
      continue
    }
    if (isTime(common.type) && isTime(typed.type)) {
      common = TIMESTAMP
      continue
    }
    if (literalFits(common.type, node)) continue
    if (!literalFits(typed.type, commonNode)) return undefined
    common = typed
    commonNode = node
  }
  return common
}

/** A whole literal takes the other's type, as in DuckDB; a fraction makes a double. */
function widest(a: Typed, b: Typed, aNode: ast.Expr, bNode: ast.Expr): Typed {
  if (!isWhole(a)) return a
  if (!isWhole(b)) return b
  if (aNode.kind === 'number') return b
  if (bNode.kind === 'number') return a
  return size(a.sqlType) >= size(b.sqlType) ? a : b
}

const SIZES = ['UTINYINT', 'TINYINT', 'USMALLINT', 'SMALLINT', 'UINTEGER', 'INTEGER', 'UBIGINT', 'BIGINT', 'UHUGEINT', 'HUGEINT', 'BIGNUM']
const size = (sqlType: string): number => SIZES.indexOf(sqlType)

/** The type of `left op right` for `+ - * / %`; undefined where there is none. */
export function arithmetic(op: ast.BinaryOp, left: Typed, right: Typed, leftNode: ast.Expr, rightNode: ast.Expr): Typed | undefined {
  const a = left.type
  const b = right.type
  if (a === 'number' && b === 'number') return op === '/' ? DOUBLE : widest(left, right, leftNode, rightNode)
  if (a === 'unknown' && b === 'unknown') return UNKNOWN
  if (a === 'unknown' || b === 'unknown') {
    const known = a === 'unknown' ? b : a
    return known === 'number' || known === 'duration' || (isTime(known) && (op === '+' || op === '-')) ? UNKNOWN : undefined
  }
  if (op === '+') {
    if (isTime(a) && b === 'duration') return TIMESTAMP
    if (a === 'duration' && isTime(b)) return TIMESTAMP
    if (a === 'duration' && b === 'duration') return INTERVAL
    if (a === 'date' && b === 'number') return DATE
    if (a === 'number' && b === 'date') return DATE
  }
  if (op === '-') {
    if (a === 'date' && b === 'date') return BIGINT
    if (isTime(a) && isTime(b)) return INTERVAL
    if (isTime(a) && b === 'duration') return TIMESTAMP
    if (a === 'duration' && b === 'duration') return INTERVAL
    if (a === 'date' && b === 'number') return DATE
  }
  if (op === '*' && ((a === 'duration' && b === 'number') || (a === 'number' && b === 'duration'))) return INTERVAL
  if (op === '/' && a === 'duration' && b === 'number') return INTERVAL
  return undefined
}
