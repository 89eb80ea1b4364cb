import { mentions } from '../sql/derivative.ts'
import { printExpr } from '../sql/print.ts'
import type { SqlExpr } from '../sql/tree.ts'
import {
  both,
  type Cells,
  type Comparison,
  chosenBy,
  compare,
  computed,
  either,
  extreme,
  firstOf,
  isNull,
  NotRowwise,
  NULL,
  negated,
  numberOf,
  scalar,
  truthOf,
} from './rowwise-cells.ts'

/**
 * Expressions over one table's rows, compiled for typed arrays. What depends on the data alone is computed once: plain comparisons here, everything
 * else by the database (`Wanted.rows`). What depends on a choice alone is one value. Only what depends on both is computed for every row and choice.
 * Nothing is computed here that the database might compute differently: numbers in other types than DOUBLE and whole numbers, orders of texts and
 * unknown functions are left to it; where they depend on rows and choices at once, `NotRowwise` is thrown.
 */
export interface Surroundings {
  readonly alias: string
  /** What the table's columns hold, where it is held as typed arrays hold it. */
  kindOf(column: string): 'number' | 'text' | 'truth' | undefined
  /** Of columns that stand for a choice: what may be chosen. */
  readonly choices: ReadonlyMap<string, readonly (string | number | boolean | null)[]>
  /** Columns that a model gives as values. */
  readonly values: ReadonlySet<string>
}

/** What must be known of the data before the expressions can be computed. */
export interface Wanted {
  readonly columns: Set<string>
  /** SQL over the table's rows, and over the choices of one column. */
  readonly rows: Map<string, SqlExpr>
  readonly choices: Map<string, string>
}

export interface Bench {
  column(name: string): Cells
  row(sql: string): Cells
  /** By the choice's place. */
  choice(sql: string): readonly Cells[]
  value(name: string): Float64Array
  /** The place of the present choice of a column. */
  chosen(name: string): number
}

export interface Compiled {
  /** Whether it differs from choice to choice. */
  readonly moves: boolean
  run(bench: Bench): Cells
}

export class ExpressionCompiler {
  readonly wanted: Wanted = { columns: new Set(), rows: new Map(), choices: new Map() }
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  compile(expr: SqlExpr): Compiled {
    const { choices, values } = this.#around
    const named = (among: { has(name: string): boolean }) => (e: SqlExpr) => e.kind === 'column' && among.has(e.name)
    const moves = mentions(expr, named(choices))
    const valued = mentions(expr, named(values))
    const exact = this.#isExact(expr)
    if (!moves && !valued && !exact) return this.#byRows(expr)
    const ofRows = mentions(expr, (e) => e.kind === 'column' && !choices.has(e.name))
    if (moves && !ofRows && !exact) return this.#byChoices(expr)
    const run = this.#natively(expr)
    return moves ? { moves, run } : { moves, run: once(run) }
  }

  #byRows(expr: SqlExpr): Compiled {
    const sql = printExpr(expr)
    this.wanted.rows.set(sql, expr)
    return { moves: false, run: (bench) => bench.row(sql) }
  }

  #byChoices(expr: SqlExpr): Compiled {
    const names = [...this.#around.choices.keys()].filter((name) => mentions(expr, (e) => e.kind === 'column' && e.name === name))
    const [name, ...others] = names
    if (name === undefined || others.length > 0) throw new NotRowwise('several choices in one expression')
    const sql = printExpr(expr)
    this.wanted.choices.set(sql, name)
    return { moves: true, run: (bench) => bench.choice(sql)[bench.chosen(name)]! }
  }

  #natively(expr: SqlExpr): (bench: Bench) => Cells {
    switch (expr.kind) {
      case 'literal': {
        const value = scalar(expr.value)
        return () => value
      }
      case 'column':
        return this.#column(expr.name)
      case 'logical':
        return this.#logical(expr.op, expr.operands)
      case 'unary': {
        const operand = this.compile(expr.operand)
        if (expr.op === 'not') return (b) => ({ kind: 'truth', at: negated(truthOf(operand.run(b))) })
        const sign = expr.op === '-' ? -1 : 1
        return (b) => computed((x) => sign * x, [numberOf(operand.run(b))])
      }
      case 'binary':
        return this.#binary(expr)
      case 'between': {
        const [value, low, high] = [expr.value, expr.low, expr.high].map((e) => this.#operand(e)) as [Compiled, Compiled, Compiled]
        return (b) => {
          const v = value.run(b)
          const within = both(truthOf(compare('>=', v, low.run(b))), truthOf(compare('<=', v, high.run(b))))
          return { kind: 'truth', at: expr.negated ? negated(within) : within }
        }
      }
      case 'in': {
        if (!expr.list) throw new NotRowwise('a subquery')
        const value = this.#operand(expr.value)
        const list = expr.list.map((e) => this.#operand(e))
        return (b) => {
          const v = value.run(b)
          const among = list.reduce<number | Uint8Array>((found, e) => either(found, truthOf(compare('=', v, e.run(b)))), 0)
          return { kind: 'truth', at: expr.negated ? negated(among) : among }
        }
      }
      case 'is_null': {
        const value = this.compile(expr.value)
        return (b) => ({ kind: 'truth', at: expr.negated ? negated(isNull(value.run(b))) : isNull(value.run(b)) })
      }
      case 'case':
        return this.#case(expr)
      case 'cast': {
        if (!isDouble(expr.type)) throw new NotRowwise(`a cast to ${expr.type}`)
        const value = this.compile(expr.value)
        return (b) => ({ kind: 'number', at: numberOf(value.run(b)) })
      }
      case 'call':
        return this.#call(expr.name.toLowerCase(), expr.args)
      default:
        throw new NotRowwise(expr.kind)
    }
  }

  #column(name: string): (bench: Bench) => Cells {
    const choices = this.#around.choices.get(name)
    if (choices) {
      const cells = choices.map(scalar)
      return (b) => cells[b.chosen(name)]!
    }
    if (this.#around.values.has(name)) return (b) => ({ kind: 'number', at: b.value(name) })
    this.wanted.columns.add(name)
    return (b) => b.column(name)
  }

  /** What is the same for all choices goes together, so that it is computed once. */
  #logical(op: 'and' | 'or', operands: readonly SqlExpr[]): (bench: Bench) => Cells {
    const by = op === 'and' ? both : either
    const parts = operands.map((o) => this.compile(o))
    const all = (some: readonly Compiled[]) => (b: Bench) =>
      some.reduce<number | Uint8Array>((found, part) => by(found, truthOf(part.run(b))), op === 'and' ? 1 : 0)
    const still = all(parts.filter((p) => !p.moves))
    const kept = once((b) => ({ kind: 'truth', at: still(b) }))
    const moving = all(parts.filter((p) => p.moves))
    return (b) => ({ kind: 'truth', at: by(moving(b), truthOf(kept(b))) })
  }

  #binary({ op, left, right }: Extract<SqlExpr, { kind: 'binary' }>): (bench: Bench) => Cells {
    if (isComparison(op)) {
      const [l, r] = [this.#operand(left), this.#operand(right)]
      return (b) => compare(op, l.run(b), r.run(b))
    }
    const by = ARITHMETIC[op]
    if (!by) throw new NotRowwise(op)
    const [l, r] = [this.compile(left), this.compile(right)]
    return (b) => computed(by, [numberOf(l.run(b)), numberOf(r.run(b))])
  }

  /** A side of a comparison: what might be computed in other numbers than DOUBLE by the database could fall on the other side. */
  #operand(expr: SqlExpr): Compiled {
    const { values } = this.#around
    if (!this.#isExact(expr) && !mentions(expr, (e) => e.kind === 'column' && values.has(e.name)))
      throw new NotRowwise('arithmetic compared')
    return this.compile(expr)
  }

  #case({ subject, whens, otherwise }: Extract<SqlExpr, { kind: 'case' }>): (bench: Bench) => Cells {
    const of = subject && this.#operand(subject)
    const arms = whens.map((w) => ({ when: of ? this.#operand(w.when) : this.compile(w.when), then: this.compile(w.then) }))
    const last = otherwise && this.compile(otherwise)
    return (b) => {
      const subjectCells = of?.run(b)
      let found = last ? last.run(b) : NULL
      for (let i = arms.length - 1; i >= 0; i--) {
        const when = arms[i]!.when.run(b)
        found = chosenBy(truthOf(subjectCells ? compare('=', subjectCells, when) : when), arms[i]!.then.run(b), found)
      }
      return found
    }
  }

  #call(name: string, args: readonly SqlExpr[]): (bench: Bench) => Cells {
    const operands = args.map((a) => this.compile(a))
    if (name === 'coalesce' || name === 'ifnull') {
      return (b) => {
        let found: Cells = NULL
        for (let i = operands.length - 1; i >= 0; i--) {
          found = i === operands.length - 1 ? operands[i]!.run(b) : firstOf(operands[i]!.run(b), found)
        }
        return found
      }
    }
    if (name === 'greatest' || name === 'least') {
      const by = name === 'greatest' ? Math.max : Math.min
      return (b) =>
        extreme(
          by,
          operands.map((o) => numberOf(o.run(b))),
        )
    }
    const by = FUNCTIONS[name]
    if (!by || by.length !== args.length) throw new NotRowwise(name)
    return (b) =>
      computed(
        by,
        operands.map((o) => numberOf(o.run(b))),
      )
  }

  /** Whether typed arrays hold what the database does, to the last bit: no arithmetic, and no two kinds of value compared. */
  #isExact(expr: SqlExpr): boolean {
    const all = (some: readonly SqlExpr[]) => some.every((e) => this.#isExact(e))
    switch (expr.kind) {
      case 'literal':
        return typeof expr.value !== 'bigint'
      case 'column':
        return this.#kindOf(expr) !== undefined
      case 'logical':
        return all(expr.operands)
      case 'unary':
        return expr.op === 'not' && this.#isExact(expr.operand)
      case 'binary':
        return isComparison(expr.op) && this.#areAlike(expr.op, [expr.left, expr.right])
      case 'between':
        return this.#areAlike('<', [expr.value, expr.low, expr.high])
      case 'in':
        return expr.list !== undefined && this.#areAlike('=', [expr.value, ...expr.list])
      case 'is_null':
        return this.#isExact(expr.value)
      case 'cast':
        return isDouble(expr.type) && this.#isExact(expr.value) && this.#kindOf(expr.value) !== 'text'
      case 'case': {
        const { subject, whens, otherwise } = expr
        const conditions = whens.map((w) => w.when)
        const values = [...whens.map((w) => w.then), ...(otherwise ? [otherwise] : [])]
        return (subject ? this.#areAlike('=', [subject, ...conditions]) : all(conditions)) && this.#areAlike('=', values)
      }
      case 'call':
        return expr.name.toLowerCase() === 'coalesce' && this.#areAlike('=', expr.args)
      default:
        return false
    }
  }

  #areAlike(op: Comparison, some: readonly SqlExpr[]): boolean {
    const kinds = new Set(some.map((e) => this.#kindOf(e)))
    kinds.delete('null')
    const [kind] = kinds
    return kinds.size <= 1 && !kinds.has(undefined) && (kind !== 'text' || op === '=' || op === '<>') && some.every((e) => this.#isExact(e))
  }

  #kindOf(expr: SqlExpr): Kind | undefined {
    switch (expr.kind) {
      case 'literal':
        return kindOfValue(expr.value)
      case 'column': {
        const choices = this.#around.choices.get(expr.name)
        if (!choices) return this.#around.values.has(expr.name) ? 'number' : this.#around.kindOf(expr.name)
        const kinds = new Set(choices.map(kindOfValue))
        kinds.delete('null')
        return kinds.size === 1 ? [...kinds][0] : undefined
      }
      case 'logical':
      case 'between':
      case 'in':
      case 'is_null':
        return 'truth'
      case 'unary':
        return expr.op === 'not' ? 'truth' : 'number'
      case 'binary':
        return isComparison(expr.op) ? 'truth' : expr.op in ARITHMETIC ? 'number' : undefined
      case 'cast':
        return isDouble(expr.type) ? 'number' : undefined
      case 'case':
        return this.#common([...expr.whens.map((w) => w.then), ...(expr.otherwise ? [expr.otherwise] : [])])
      case 'call':
        return expr.name.toLowerCase() === 'coalesce'
          ? this.#common(expr.args)
          : expr.name.toLowerCase() in FUNCTIONS
            ? 'number'
            : undefined
      default:
        return undefined
    }
  }

  #common(some: readonly SqlExpr[]): Kind | undefined {
    const kinds = new Set(some.map((e) => this.#kindOf(e)))
    kinds.delete('null')
    return kinds.size === 1 ? [...kinds][0] : undefined
  }
}

type Kind = 'number' | 'text' | 'truth' | 'null'

const kindOfValue = (value: string | number | boolean | bigint | null): Kind =>
  value === null ? 'null' : typeof value === 'string' ? 'text' : typeof value === 'boolean' ? 'truth' : 'number'
const isComparison = (op: string): op is Comparison => /^(=|<>|<=?|>=?)$/.test(op)
const isDouble = (type: string) => /^double$/i.test(type)

/** Kept for as long as the bench is the same. */
function once(run: (bench: Bench) => Cells): (bench: Bench) => Cells {
  const known = new WeakMap<Bench, Cells>()
  return (bench) => {
    const found = known.get(bench) ?? run(bench)
    known.set(bench, found)
    return found
  }
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
}
const FUNCTIONS: Readonly<Record<string, (...x: number[]) => number>> = {
  ln: (x: number) => Math.log(x),
  log10: (x: number) => Math.log10(x),
  log: (x: number) => Math.log10(x),
  log2: (x: number) => Math.log2(x),
  exp: (x: number) => Math.exp(x),
  sqrt: (x: number) => Math.sqrt(x),
  abs: (x: number) => Math.abs(x),
  sign: (x: number) => Math.sign(x),
  sin: (x: number) => Math.sin(x),
  cos: (x: number) => Math.cos(x),
  pow: (x: number, n: number) => x ** n,
  power: (x: number, n: number) => x ** n,
}
