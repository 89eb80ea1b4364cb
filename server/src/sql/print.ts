import { type Dialect, duckdbDialect } from './dialect.ts'
import type { SqlBinaryOp, SqlExpr, SqlFrom, SqlOrder, SqlSelect } from './tree.ts'

/**
 * This folder is SQL as a tree, and its printing. `tree.ts` holds the nodes, `print.ts` writes them for a database with the parentheses that
 * they need and no others, `statements.ts` writes the few statements around a select, `types.ts` reads the database's names of types.
 * Deliberately absent: reading SQL (the grammar's business), running it (data's), and any text that was not built from nodes.
 */

/** O(size of the tree). */
export function printExpr(expr: SqlExpr, dialect: Dialect = duckdbDialect): string {
  return new Printer(dialect).expr(expr, 0)
}

/** One clause a line; nested queries are indented. O(size of the tree). */
export function printSelect(select: SqlSelect, dialect: Dialect = duckdbDialect): string {
  return new Printer(dialect).select(select, 0)
}

/**
 * Whether a text can stand as a type in a cast: words, and numbers or types in balanced brackets, so that `DECIMAL(18, 3)`, `INTEGER[]` and
 * `STRUCT("a b" INTEGER)` pass and nothing that could end the cast does.
 */
export function isTypeName(type: string): boolean {
  let depth = 0
  for (const [token] of type.matchAll(/"(?:[^"]|"")*"|./gsu)) {
    if (token.startsWith('"') && token.length > 1) continue
    if (token === '(' || token === '[') depth++
    else if (token === ')' || token === ']') depth--
    else if (!/[\p{L}\p{N}_, ]/u.test(token)) return false
    if (depth < 0) return false
  }
  return depth === 0 && /^\s*["\p{L}_]/u.test(type)
}

/** How tightly an expression holds together; a child of a looser kind than its place asks for is put in parentheses. */
const LEVEL = { or: 1, and: 2, not: 3, is: 4, comparison: 5, range: 6, concat: 7, sum: 8, product: 9, sign: 10, atom: 11 } as const

const BINARY: Record<SqlBinaryOp, number> = {
  '=': LEVEL.comparison,
  '<>': LEVEL.comparison,
  '<': LEVEL.comparison,
  '<=': LEVEL.comparison,
  '>': LEVEL.comparison,
  '>=': LEVEL.comparison,
  'is not distinct from': LEVEL.is,
  'is distinct from': LEVEL.is,
  '||': LEVEL.concat,
  '+': LEVEL.sum,
  '-': LEVEL.sum,
  '*': LEVEL.product,
  '/': LEVEL.product,
  '//': LEVEL.product,
  '%': LEVEL.product,
}

class Printer {
  readonly #dialect: Dialect
  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** `indent` is the column at which lines of a nested query start. */
  expr(node: SqlExpr, indent: number): string {
    const d = this.#dialect
    switch (node.kind) {
      case 'literal':
        return this.#literal(node.value)
      case 'interval':
        return d.interval(node.seconds)
      case 'column':
        return this.#qualified(node.table, d.quoteName(node.name))
      case 'star':
        return this.#qualified(node.table, '*')
      case 'call':
        return this.#call(node, indent)
      case 'window':
        return this.#window(node, indent)
      case 'unary':
        return this.#unary(node, indent)
      case 'binary':
        return this.#binary(node, indent)
      case 'logical':
        return this.#logical(node, indent)
      case 'between': {
        const parts = [node.value, node.low, node.high].map((part) => this.#at(part, LEVEL.concat, indent))
        return `${parts[0]} ${not(node.negated)}between ${parts[1]} and ${parts[2]}`
      }
      case 'in':
        return this.#in(node, indent)
      case 'like':
        return `${this.#at(node.value, LEVEL.concat, indent)} ${not(node.negated)}like ${this.#at(node.pattern, LEVEL.concat, indent)}`
      case 'is_null':
        return `${this.#at(node.value, LEVEL.concat, indent)} is ${not(node.negated)}null`
      case 'case':
        return this.#case(node, indent)
      case 'cast': {
        if (!isTypeName(node.type)) throw new RangeError(`${JSON.stringify(node.type)} is not the name of a type`)
        return d.cast(this.expr(node.value, indent), node.type, node.lenient ? 'lenient' : 'strict')
      }
      case 'exists':
        return `exists ${this.#nested(node.query, indent)}`
      case 'subquery':
        return this.#nested(node.query, indent)
      case 'list':
        return d.list(node.items.map((item) => this.expr(item, indent)))
    }
  }

  select(query: SqlSelect, indent: number): string {
    const inner = indent + 2
    const lines: string[] = []
    if (query.with?.length) {
      const parts = query.with.map((part) => `${this.#dialect.quoteName(part.name)} as ${this.#nested(part.query, indent)}`)
      lines.push(`with ${parts.join(', ')}`)
    }
    const items = query.items.map(
      (item) => this.expr(item.value, inner) + (item.alias === undefined ? '' : ` as ${this.#dialect.quoteName(item.alias)}`),
    )
    lines.push(`select ${query.distinct ? 'distinct ' : ''}${items.join(', ')}`)
    if (query.from) lines.push(`from ${this.#from(query.from, indent)}`)
    for (const join of query.joins ?? []) {
      const on = join.on ? ` on ${this.expr(join.on, inner)}` : ''
      lines.push(`${join.side === 'inner' ? '' : `${join.side} `}join ${this.#from(join.from, indent)}${on}`)
    }
    if (query.where) lines.push(`where ${this.expr(query.where, inner)}`)
    if (query.groupBy?.length) lines.push(`group by ${this.#list(query.groupBy, inner)}`)
    if (query.having) lines.push(`having ${this.expr(query.having, inner)}`)
    if (query.qualify) lines.push(`qualify ${this.expr(query.qualify, inner)}`)
    if (query.orderBy?.length) lines.push(`order by ${this.#order(query.orderBy, inner)}`)
    if (query.limit !== undefined) lines.push(`limit ${Math.trunc(query.limit)}`)
    return lines.join(`\n${' '.repeat(indent)}`)
  }

  #at(node: SqlExpr, level: number, indent: number): string {
    const text = this.expr(node, indent)
    return levelOf(node) < level ? `(${text})` : text
  }

  #literal(value: string | number | boolean | bigint | null): string {
    if (value === null) return 'null'
    if (typeof value === 'string') return this.#dialect.quoteText(value)
    if (typeof value === 'number') return this.#dialect.number(value)
    return String(value)
  }

  #call(node: SqlExpr & { kind: 'call' }, indent: number): string {
    const order = node.orderBy?.length ? ` order by ${this.#order(node.orderBy, indent)}` : ''
    const filter = node.filter ? ` filter (where ${this.expr(node.filter, indent)})` : ''
    return `${this.#functionName(node.name)}(${node.distinct ? 'distinct ' : ''}${this.#list(node.args, indent)}${order})${filter}`
  }

  // Quoted only where it must be: `"coalesce"(…)` would look for a function of that name and not find SQL's own.
  #functionName(name: string): string {
    return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : this.#dialect.quoteName(name)
  }

  #window(node: SqlExpr & { kind: 'window' }, indent: number): string {
    if (node.frame !== undefined && !/^[a-z0-9 ]+$/i.test(node.frame)) throw new RangeError(`${node.frame} is not a window frame`)
    const parts: string[] = []
    if (node.partitionBy.length) parts.push(`partition by ${this.#list(node.partitionBy, indent)}`)
    if (node.orderBy.length) parts.push(`order by ${this.#order(node.orderBy, indent)}`)
    if (node.frame) parts.push(node.frame)
    return `${this.expr(node.call, indent)} over (${parts.join(' ')})`
  }

  #unary(node: SqlExpr & { kind: 'unary' }, indent: number): string {
    if (node.op === 'not') return `not ${this.#at(node.operand, LEVEL.not, indent)}`
    const operand = this.#at(node.operand, LEVEL.sign, indent)
    // Two minus signs would begin a comment; `-1` as a constant differs from the negation of 1.
    return /^[-+\d.]/.test(operand) ? `${node.op}(${operand})` : `${node.op}${operand}`
  }

  #binary(node: SqlExpr & { kind: 'binary' }, indent: number): string {
    const level = BINARY[node.op]
    // Comparisons do not chain and are left out of `is …`; the others are read from the left.
    const [left, right] = level <= LEVEL.comparison ? [LEVEL.concat, LEVEL.concat] : [level, level + 1]
    return `${this.#at(node.left, left, indent)} ${node.op} ${this.#at(node.right, right, indent)}`
  }

  #logical(node: SqlExpr & { kind: 'logical' }, indent: number): string {
    if (node.operands.length === 0) return node.op === 'and' ? 'true' : 'false'
    if (node.operands.length === 1) return this.expr(node.operands[0]!, indent)
    return node.operands.map((operand) => this.#at(operand, LEVEL[node.op], indent)).join(` ${node.op} `)
  }

  #in(node: SqlExpr & { kind: 'in' }, indent: number): string {
    const value = this.#at(node.value, LEVEL.concat, indent)
    if (node.query) return `${value} ${not(node.negated)}in ${this.#nested(node.query, indent)}`
    if (!node.list?.length) return node.negated ? 'true' : 'false'
    return `${value} ${not(node.negated)}in (${this.#list(node.list, indent)})`
  }

  #case(node: SqlExpr & { kind: 'case' }, indent: number): string {
    const subject = node.subject ? ` ${this.expr(node.subject, indent)}` : ''
    const whens = node.whens.map((part) => ` when ${this.expr(part.when, indent)} then ${this.expr(part.then, indent)}`)
    const otherwise = node.otherwise ? ` else ${this.expr(node.otherwise, indent)}` : ''
    return `case${subject}${whens.join('')}${otherwise} end`
  }

  #from(from: SqlFrom, indent: number): string {
    const name = this.#dialect.quoteName
    if (from.kind === 'table') return name(from.name) + (from.alias === undefined ? '' : ` as ${name(from.alias)}`)
    if (from.kind === 'query') return `${this.#nested(from.query, indent)} as ${name(from.alias)}`
    const rows = from.rows.map((row) => `(${this.#list(row, indent)})`)
    return `(values ${rows.join(', ')}) as ${name(from.alias)}(${from.columns.map(name).join(', ')})`
  }

  #nested(query: SqlSelect, indent: number): string {
    const gap = `\n${' '.repeat(indent)}`
    return `(${gap}  ${this.select(query, indent + 2)}${gap})`
  }

  #order(items: readonly SqlOrder[], indent: number): string {
    return items.map((item) => this.expr(item.value, indent) + (item.descending ? ' desc' : '')).join(', ')
  }

  #list(items: readonly SqlExpr[], indent: number): string {
    return items.map((item) => this.expr(item, indent)).join(', ')
  }

  #qualified(table: string | undefined, text: string): string {
    return table === undefined ? text : `${this.#dialect.quoteName(table)}.${text}`
  }
}

function levelOf(node: SqlExpr): number {
  switch (node.kind) {
    case 'logical':
      if (node.operands.length === 1) return levelOf(node.operands[0]!)
      return node.operands.length === 0 ? LEVEL.atom : LEVEL[node.op]
    case 'binary':
      return BINARY[node.op]
    case 'unary':
      return node.op === 'not' ? LEVEL.not : LEVEL.sign
    case 'is_null':
      return LEVEL.is
    case 'in':
      return node.query || node.list?.length ? LEVEL.range : LEVEL.atom
    case 'between':
    case 'like':
      return LEVEL.range
    case 'literal':
      return isNegative(node.value) ? LEVEL.sign : LEVEL.atom
    default:
      return LEVEL.atom
  }
}

function isNegative(value: string | number | boolean | bigint | null): boolean {
  return (typeof value === 'number' && Number.isFinite(value) && value < 0) || (typeof value === 'bigint' && value < 0n)
}

function not(negated: boolean): string {
  return negated ? 'not ' : ''
}
