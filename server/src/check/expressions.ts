import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { ColumnType } from '../sql/tree.ts'
import { columnTypeOf } from '../sql/types.ts'
import { typeOfCall } from './calls.ts'
import { typeOfColumn } from './columns.ts'
import type { ExprScope } from './expression-scope.ts'
import { report } from './scope.ts'
import {
  arithmetic,
  articled,
  BIGINT,
  BOOLEAN,
  comparable,
  DOUBLE,
  INTEGER,
  INTERVAL,
  LIST,
  STRUCT,
  TEXT,
  type Typed,
  UNKNOWN,
  unify,
} from './types.ts'

/**
 * Gives every part of an expression its type and every name in it its meaning, and says what does not fit. O(nodes), each visited once.
 * `within` is the aggregate around, which must not hold another.
 */
export function typeOf(expr: ast.Expr, scope: ExprScope, within?: string): Typed {
  const typed = typeOfNode(expr, scope, within)
  scope.site.types.set(expr, typed.type)
  return typed
}

/** A condition: `what` names it in a sentence, as `` `where` ``. */
export function checkCondition(expr: ast.Expr | undefined, scope: ExprScope, what: string): void {
  if (expr === undefined) return
  mustBeBoolean(expr, typeOf(expr, scope), scope, what)
}
export function checkNumber(expr: ast.Expr | undefined, scope: ExprScope, what: string): void {
  if (expr === undefined) return
  const { type } = typeOf(expr, scope)
  if (type !== 'number' && type !== 'unknown') report(scope.site, 'not-number', expr, { what, type })
}

function mustBeBoolean(expr: ast.Expr, typed: Typed, scope: ExprScope, what: string): void {
  if (typed.type === 'boolean' || typed.type === 'unknown') return
  report(scope.site, 'not-boolean', expr, { what, type: typed.type })
}

function typeOfNode(expr: ast.Expr, scope: ExprScope, within: string | undefined): Typed {
  switch (expr.kind) {
    case 'number':
      if (!Number.isInteger(expr.value) || /[.e]/i.test(expr.text)) return DOUBLE
      return Math.abs(expr.value) < 2 ** 31 ? INTEGER : BIGINT
    case 'percent':
      return DOUBLE
    case 'duration':
      return INTERVAL
    case 'string':
      return TEXT
    case 'boolean':
      return BOOLEAN
    case 'null':
      return UNKNOWN
    case 'column':
      return typeOfColumn(expr, scope)
    case 'star':
      report(scope.site, 'misplaced-star', expr, {})
      return UNKNOWN
    case 'call':
      return typeOfCall(expr, scope, within, typeOf)
    case 'unary':
      return typeOfUnary(expr, scope, within)
    case 'binary':
      return typeOfBinary(expr, scope, within)
    case 'logical':
      for (const operand of expr.operands) mustBeBoolean(operand, typeOf(operand, scope, within), scope, `What \`${expr.op}\` joins`)
      return BOOLEAN
    case 'between': {
      const value = typeOf(expr.value, scope, within)
      for (const bound of [expr.low, expr.high]) compare(expr.value, value, bound, typeOf(bound, scope, within), bound, scope)
      return BOOLEAN
    }
    case 'in':
      return typeOfIn(expr, scope, within)
    case 'like':
      for (const part of [expr.value, expr.pattern]) {
        const { type } = typeOf(part, scope, within)
        if (type !== 'text' && type !== 'unknown') report(scope.site, 'not-text', part, { what: 'What `like` compares', type })
      }
      return BOOLEAN
    case 'is_null':
      typeOf(expr.value, scope, within)
      return BOOLEAN
    case 'case':
      return typeOfCase(expr, scope, within)
    case 'cast':
      return typeOfCast(expr, scope, within)
    case 'exists':
      scope.query(expr.query, scope)
      return BOOLEAN
    case 'list': {
      const parts = expr.items.map((node) => ({ node, typed: typeOf(node, scope, within) }))
      if (unify(parts) === undefined) mixed(expr, 'The items of this list', parts, scope)
      return LIST
    }
  }
}

function typeOfUnary(expr: ast.Unary, scope: ExprScope, within: string | undefined): Typed {
  const typed = typeOf(expr.operand, scope, within)
  if (expr.op === 'not') {
    mustBeBoolean(expr.operand, typed, scope, 'What `not` denies')
    return BOOLEAN
  }
  if (typed.type === 'number' || typed.type === 'duration' || typed.type === 'unknown') return typed
  report(scope.site, 'no-arithmetic', expr, { op: expr.op, left: typed.type })
  return UNKNOWN
}

function typeOfBinary(expr: ast.Binary, scope: ExprScope, within: string | undefined): Typed {
  const left = typeOf(expr.left, scope, within)
  const right = typeOf(expr.right, scope, within)
  switch (expr.op) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const typed = arithmetic(expr.op, left, right, expr.left, expr.right)
      if (typed === undefined) report(scope.site, 'no-arithmetic', expr, { op: expr.op, left: left.type, right: right.type })
      return typed ?? UNKNOWN
    }
    case '||':
      return left.type === 'list' ? LIST : TEXT
    default:
      compare(expr.left, left, expr.right, right, expr, scope)
      return BOOLEAN
  }
}

function compare(leftNode: ast.Expr, left: Typed, rightNode: ast.Expr, right: Typed, at: ast.Span, scope: ExprScope): void {
  if (!comparable(left, leftNode, right, rightNode)) {
    report(scope.site, 'not-comparable', at, {
      left: left.type,
      right: right.type,
      remedy: remedy(left.type, leftNode, right.type, rightNode),
    })
  }
  checkSplitName(leftNode, rightNode, scope)
  checkSplitName(rightNode, leftNode, scope)
}

function remedy(left: ColumnType, leftNode: ast.Expr, right: ColumnType, rightNode: ast.Expr): string {
  const literal = rightNode.kind === 'string' ? rightNode.value : leftNode.kind === 'string' ? leftNode.value : undefined
  const other = rightNode.kind === 'string' ? left : right
  if (literal !== undefined && other === 'number' && /^[+-]?\d+(\.\d+)?$/.test(literal)) return `write ${literal} without quotes`
  if (literal !== undefined && (other === 'date' || other === 'timestamp')) return "write it as `'2024-12-31'`"
  const number = rightNode.kind === 'number' ? rightNode : leftNode.kind === 'number' ? leftNode : undefined
  if (number && (left === 'text' || right === 'text')) return `write \`'${number.text}'\`, or cast the text to a number`
  if (left === 'duration' || right === 'duration') return 'a duration compares with the difference of two timestamps'
  return `cast one to ${articled(left).replace(/^an? /, '')}`
}

/** `split = 'trian'` would be false everywhere. */
function checkSplitName(columnNode: ast.Expr, literalNode: ast.Expr, scope: ExprScope): void {
  if (literalNode.kind !== 'string' || columnNode.kind !== 'column') return
  const meaning = scope.site.meanings.get(columnNode)
  if (meaning?.kind !== 'pseudo' || meaning.column !== 'split') return
  const table = tableMarked(scope, meaning.table)
  if (table === undefined || table.open) return
  if (table.splits.some((split) => split === literalNode.value)) return
  const near = nearest(literalNode.value, table.splits)
  report(scope.site, 'unknown-split', literalNode, { split: literalNode.value, source: table.name, nearest: near, known: table.splits })
}

function tableMarked(scope: ExprScope, mark: string | undefined) {
  for (let level: ExprScope | undefined = scope; level; level = level.parent) {
    const found = level.tables.find((table) => table.mark === mark)
    if (found) return found.source
  }
  return undefined
}

function typeOfIn(expr: ast.In, scope: ExprScope, within: string | undefined): Typed {
  const value = typeOf(expr.value, scope, within)
  for (const item of expr.list ?? []) compare(expr.value, value, item, typeOf(item, scope, within), item, scope)
  if (expr.query) {
    const outputs = scope.query(expr.query, scope)
    const [only] = outputs
    if (outputs.length > 1) report(scope.site, 'one-column-query', expr.query, { count: outputs.length })
    else if (only && !comparable(value, expr.value, only.typed, only.value ?? expr.value)) {
      report(scope.site, 'not-comparable', expr, { left: value.type, right: only.typed.type, remedy: '' })
    }
  }
  return BOOLEAN
}

function typeOfCase(expr: ast.Case, scope: ExprScope, within: string | undefined): Typed {
  const subject = expr.subject && typeOf(expr.subject, scope, within)
  const parts: { node: ast.Expr; typed: Typed }[] = []
  for (const { when, then } of expr.whens) {
    const typed = typeOf(when, scope, within)
    if (expr.subject && subject) compare(expr.subject, subject, when, typed, when, scope)
    else mustBeBoolean(when, typed, scope, 'What stands behind `when`')
    parts.push({ node: then, typed: typeOf(then, scope, within) })
  }
  if (expr.otherwise) parts.push({ node: expr.otherwise, typed: typeOf(expr.otherwise, scope, within) })
  return unify(parts) ?? mixed(expr, 'This `case`', parts, scope)
}

function mixed(at: ast.Span, what: string, parts: readonly { readonly typed: Typed }[], scope: ExprScope): Typed {
  const types = [...new Set(parts.map((part) => part.typed.type))].filter((type) => type !== 'unknown')
  report(scope.site, 'mixed-types', at, { what, types })
  return UNKNOWN
}

const TYPE_WORDS =
  'integer int bigint smallint tinyint hugeint uinteger ubigint usmallint utinyint uhugeint double float real decimal numeric varchar text string char boolean bool date time timestamp timestamptz datetime interval blob uuid json'.split(
    ' ',
  )

function typeOfCast(expr: ast.Cast, scope: ExprScope, within: string | undefined): Typed {
  typeOf(expr.value, scope, within)
  const text = expr.type.text.trim()
  const shape = /^([a-z][a-z0-9_]*(?: with time zone)?)\s*(\(\s*\d+\s*(?:,\s*\d+\s*)?\))?\s*((?:\[\d*\])*)$/i.exec(text)
  const word = shape?.[1]?.toLowerCase() ?? ''
  const known = TYPE_WORDS.includes(word) || columnTypeOf(word) !== 'unknown' || /^(time|timestamp) with time zone$/.test(word)
  if (!shape || !known || /^(struct|row|map|union|enum|list|array)$/.test(word)) {
    report(scope.site, 'unknown-type', expr.type, { type: text, nearest: nearest(word, TYPE_WORDS) })
    return UNKNOWN
  }
  if (shape[3]) return LIST
  const type = columnTypeOf(text)
  if (type === 'struct') return STRUCT
  return { type, sqlType: text.toUpperCase() }
}

/** The children of an expression, queries within it left out. */
export function childrenOf(expr: ast.Expr): readonly ast.Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args.map((argument) => argument.value)
    case 'unary':
      return [expr.operand]
    case 'binary':
      return [expr.left, expr.right]
    case 'logical':
      return expr.operands
    case 'between':
      return [expr.value, expr.low, expr.high]
    case 'in':
      return expr.list ? [expr.value, ...expr.list] : [expr.value]
    case 'like':
      return [expr.value, expr.pattern]
    case 'is_null':
    case 'cast':
      return [expr.value]
    case 'case': {
      const parts = expr.whens.flatMap(({ when, then }) => [when, then])
      if (expr.subject) parts.unshift(expr.subject)
      if (expr.otherwise) parts.push(expr.otherwise)
      return parts
    }
    case 'list':
      return expr.items
    default:
      return []
  }
}

/** Does this hold of the expression or of a part of it? Queries within are not looked into. */
export const some = (expr: ast.Expr, test: (part: ast.Expr) => boolean): boolean =>
  test(expr) || childrenOf(expr).some((child) => some(child, test))
