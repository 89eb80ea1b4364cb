/** Text back from trees, on one line with the parentheses that precedence needs; and whole files in canonical form (`layout-file.ts` does the work). */
import type * as ast from './ast.ts'
import { layFile } from './layout-file.ts'
import { lex } from './lexer.ts'
import { parseLexed } from './parser.ts'
import { bindingOf } from './precedence.ts'
import { isReserved } from './tokens.ts'

const plain = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u
const atom = 11
/** Operands of comparisons, `in`, `like`, `between` and `is null` get parentheses where precedence alone would be hard to see. */
const operand = bindingOf('||')

/**
 * The file in canonical form: clauses of a declaration in one column, long lines broken, words in lower case; comments, order and line endings are kept.
 * With a problem the text comes back as it was. Formatting twice changes nothing; linear in the length of the text.
 */
export const format = (text: string): { readonly text: string; readonly problems: readonly ast.Problem[] } => {
  const lexed = lex(text)
  const { problems } = parseLexed(text, lexed)
  return { text: problems.length > 0 ? text : layFile(text, lexed), problems }
}

/** The canonical text of an expression; parsing it gives the same tree. Linear in its nodes. */
export const printExpr = (expr: ast.Expr): string => print(expr, 0)

/** The canonical text of a select, on one line. */
export const printSelect = (select: ast.Select): string => {
  const parts = [`select ${select.distinct ? 'distinct ' : ''}${select.items.map(printItem).join(', ')}`]
  if (select.from) parts.push(`from ${printTable(select.from)}`)
  for (const join of select.joins)
    parts.push(`${join.side === 'left' ? 'left ' : ''}join ${printTable(join.table)} on ${printExpr(join.on)}`)
  if (select.where) parts.push(`where ${printExpr(select.where)}`)
  if (select.groupBy.length > 0) parts.push(`group by ${list(select.groupBy)}`)
  if (select.having) parts.push(`having ${printExpr(select.having)}`)
  if (select.orderBy.length > 0) parts.push(`order by ${select.orderBy.map(printOrder).join(', ')}`)
  if (select.limit) parts.push(`limit ${select.limit.text}`)
  return parts.join(' ')
}

/** A name as it may stand anywhere: quoted where it was, or where it must be. */
export const printName = (name: { readonly text: string; readonly quoted?: boolean }): string =>
  name.quoted || isReserved(name.text) || !plain.test(name.text) ? quoteName(name.text) : name.text

export const printRef = (ref: ast.Ref): string => (ref.split ? `${printName(ref.source)}.${printInner(ref.split)}` : printName(ref.source))

export const printText = (value: string): string => `'${value.replaceAll("'", "''")}'`

/** A setting or literal as it stands in a clause. */
export const printValue = (value: ast.Value): string => {
  if (value.kind === 'values') return `[${value.items.map(printArgument).join(', ')}]`
  if (value.kind !== 'setting') return printExpr(value)
  return printName(value.name) + (value.called ? `(${value.args.map(printArgument).join(', ')})` : '')
}

const printArgument = (argument: ast.ValueArg): string =>
  argument.label ? `${printInner(argument.label)}: ${printValue(argument.value)}` : printValue(argument.value)

const quoteName = (text: string): string => `"${text.replaceAll('"', '""')}"`
/** Behind a dot and before a colon any word is a name. */
const printInner = (name: ast.Name): string => (name.quoted || !plain.test(name.text) ? quoteName(name.text) : name.text)
const printTable = (table: ast.TableRef): string => printRef(table.ref) + (table.alias ? ` as ${printName(table.alias)}` : '')
const printItem = (item: ast.SelectItem): string => printExpr(item.value) + (item.alias ? ` as ${printName(item.alias)}` : '')
const printOrder = (item: ast.OrderItem): string => printExpr(item.value) + (item.descending ? ' desc' : '')
const list = (exprs: readonly ast.Expr[]): string => exprs.map(printExpr).join(', ')
const not = (negated: boolean): string => (negated ? 'not ' : '')

const print = (expr: ast.Expr, least: number): string => {
  const text = printBare(expr)
  return bindingOfExpr(expr) < least ? `(${text})` : text
}

const bindingOfExpr = (expr: ast.Expr): number => {
  switch (expr.kind) {
    case 'logical':
    case 'binary':
      return bindingOf(expr.op)
    case 'unary':
      return bindingOf(expr.op === 'not' ? 'not' : 'sign')
    case 'between':
    case 'in':
    case 'like':
    case 'is_null':
      return bindingOf(expr.kind)
    default:
      return atom
  }
}

const printBare = (expr: ast.Expr): string => {
  switch (expr.kind) {
    case 'number':
    case 'percent':
    case 'duration':
      return expr.text
    case 'string':
      return printText(expr.value)
    case 'boolean':
      return String(expr.value)
    case 'null':
      return 'null'
    case 'column':
      return expr.table ? `${printName(expr.table)}.${printInner(expr.name)}` : printName(expr.name)
    case 'star':
      return expr.table ? `${printName(expr.table)}.*` : '*'
    case 'call':
      return printCall(expr)
    case 'unary':
      return printUnary(expr)
    case 'binary': {
      const binds = bindingOf(expr.op)
      const compares = binds === bindingOf('=')
      return `${print(expr.left, compares ? operand : binds)} ${expr.op} ${print(expr.right, compares ? operand : binds + 1)}`
    }
    case 'logical':
      return expr.operands.map((one) => print(one, bindingOf(expr.op) + 1)).join(` ${expr.op} `)
    case 'between':
      return `${print(expr.value, operand)} ${not(expr.negated)}between ${print(expr.low, operand)} and ${print(expr.high, operand)}`
    case 'in':
      return `${print(expr.value, operand)} ${not(expr.negated)}in (${expr.query ? printSelect(expr.query) : list(expr.list ?? [])})`
    case 'like':
      return `${print(expr.value, operand)} ${not(expr.negated)}like ${print(expr.pattern, operand)}`
    case 'is_null':
      return `${print(expr.value, operand)} is ${not(expr.negated)}null`
    case 'case':
      return printCase(expr)
    case 'cast':
      return `cast(${printExpr(expr.value)} as ${expr.type.text})`
    case 'exists':
      return `exists (${printSelect(expr.query)})`
    case 'list':
      return `[${list(expr.items)}]`
  }
}

const printCall = (call: ast.Call): string => {
  const { text, quoted } = call.callee
  const callee = !quoted && (text === 'left' || text === 'right') ? text : printName(call.callee)
  const args = call.args.map(({ label, value }) => (label ? `${printInner(label)}: ${printExpr(value)}` : printExpr(value)))
  return `${callee}(${call.distinct ? 'distinct ' : ''}${args.join(', ')})`
}

const printUnary = (expr: ast.Unary): string => {
  if (expr.op === 'not') return `not ${print(expr.operand, bindingOf('not'))}`
  const inner = print(expr.operand, bindingOf('sign'))
  // Two dashes would begin a comment.
  return inner.startsWith(expr.op) ? `${expr.op} ${inner}` : expr.op + inner
}

const printCase = (expr: ast.Case): string => {
  const whens = expr.whens.map(({ when, then }) => ` when ${printExpr(when)} then ${printExpr(then)}`).join('')
  const otherwise = expr.otherwise ? ` else ${printExpr(expr.otherwise)}` : ''
  return `case${expr.subject ? ` ${printExpr(expr.subject)}` : ''}${whens}${otherwise} end`
}
