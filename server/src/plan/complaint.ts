import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr as printWritten, printSelect as printWrittenSelect } from '../../../grammar/src/printer.ts'
import type { ComplaintSpec, Spec } from '../check/spec.ts'
import { printSelect } from '../sql/print.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { inSplit } from './assertion.ts'
import { type Place, same, sourceNamed, toSql } from './expression.ts'
import { Later } from './later.ts'
import type { ComplaintTask, ExpectationPlan, OutputTree } from './plan.ts'
import { predictedPlace } from './predicted.ts'
import { classTable, modelNamed } from './tables.ts'

/**
 * A complaint's query in two forms (METHODS §4, R §5): the *hard* query over predicted values, and its *lineage*: for every row and every
 * class that the row might be predicted as, the values that enter the result's sums. Over the lineage each sum is linear in the
 * probabilities, Σ_i Σ_c p_ic·v_ic, exact per row; outputs are small trees over such sums, differentiated by the engine.
 * A regression model's lineage has one "class": the prediction itself, and each value a second time at prediction + 1, whose difference is the
 * derivative of a value linear in the prediction.
 */
const S = 's'
const CLASS = 'assay class'
const own = (name: string): SqlExpr => ({ kind: 'column', name })

export function complaintTask(spec: Spec, complaint: ComplaintSpec): ComplaintTask {
  const model = modelNamed(spec, complaint.using[0]!)
  const table = complaint.query.from!
  const source = sourceNamed(spec, table.ref.source.text)
  const hard = predictedPlace(spec, source.name, S)
  const classes: Place = {
    spec,
    table: () => S,
    predict: () => ({ kind: 'column', table: 'c', name: 'assay value' }),
    score: () => {
      throw new Later('score() in a complaint’s query')
    },
  }
  const regression = model.task === 'regression'
  const shifted = (by: number): Place => ({
    ...hard,
    predict: (m, t) => ({ kind: 'binary', op: '+', left: hard.predict(m, t), right: { kind: 'literal', value: by } }),
  })
  const slots: Slot[] = []
  const groups = complaint.query.groupBy.map((g) => resolveAlias(g, complaint.query))
  const outputs: { name: string; tree: OutputTree }[] = []
  for (const item of complaint.query.items) {
    const name = item.alias?.text ?? (item.value.kind === 'column' ? item.value.name.text : printWritten(item.value))
    if (isGroup(item.value, groups)) continue
    outputs.push({ name, tree: outputTree(item.value, slots, spec) })
  }
  const expectations = complaint.expect.map((e) => expectation(e, outputs))
  const where = [...(complaint.query.where ? [complaint.query.where] : [])]
  const from = { kind: 'table' as const, name: source.name, alias: S }
  const splitFilter = table.ref.split ? [inSplit(table.ref.split.text)] : []
  const conditions = (place: Place): SqlExpr | undefined => {
    const all = [...splitFilter, ...where.map((w) => toSql(w, place))]
    return all.length ? { kind: 'logical', op: 'and', operands: all } : undefined
  }

  const lineagePlace = regression ? shifted(0) : classes
  const later = regression ? slots.map((slot) => slotValue(slot, shifted(1))) : []
  const lineage: SqlSelect = {
    items: [
      { value: { kind: 'column', table: S, name: ROW }, alias: ROW },
      { value: regression ? { kind: 'literal', value: 0 } : { kind: 'column', table: 'c', name: CLASS }, alias: CLASS },
      ...groups.map((g, i) => ({ value: toSql(g, lineagePlace), alias: `assay group ${i}` })),
      ...[...slots.map((slot) => slotValue(slot, lineagePlace)), ...later].map((value, i) => ({ value, alias: `assay slot ${i}` })),
    ],
    from,
    joins: regression ? hard.joins() : [{ side: 'cross', from: { kind: 'table', name: classTable(model.name), alias: 'c' } }],
    where: conditions(lineagePlace),
    orderBy: [{ value: own(ROW), descending: false }],
  }

  const answerNames = new Set<string>()
  const answer: SqlSelect = {
    items: [
      ...groups.map((g, i) => ({ value: toSql(g, hard), alias: `assay group ${i}` })),
      ...complaint.query.items.map((item) => {
        const alias = item.alias?.text ?? (item.value.kind === 'column' ? item.value.name.text : printWritten(item.value))
        answerNames.add(alias)
        return { value: toSql(item.value, hard), alias }
      }),
    ],
    from,
    where: conditions(hard),
    groupBy: groups.map((g) => toSql(g, hard)),
  }
  const outputName = (name: string) => [...answerNames].find((n) => same(n, name)) ?? name
  const place: Place = { ...hard, table: () => undefined, output: (name) => own(outputName(name)) }
  const hardQuery: SqlSelect = {
    with: [{ name: 'assay answer', query: { ...answer, joins: hard.joins() } }],
    items: [
      { value: { kind: 'star' } },
      ...complaint.expect.flatMap((e, i) => [
        {
          value: {
            kind: 'cast' as const,
            value: e.kind === 'direction' ? own(outputName(e.column.text)) : toSql(measured(e), place),
            type: 'double',
          },
          alias: `assay actual ${i}`,
        },
        {
          value: e.where
            ? ({ kind: 'call', name: 'coalesce', args: [toSql(e.where, place), { kind: 'literal', value: false }] } as const)
            : ({ kind: 'literal', value: true } as const),
          alias: `assay expect ${i}`,
        },
      ]),
    ],
    from: { kind: 'table', name: 'assay answer' },
    orderBy: groups.map((_, i) => ({ value: own(`assay group ${i}`), descending: false })),
  }
  const predictions = hard.predictions()
  return {
    kind: 'complaint',
    model: model.name,
    source: source.name,
    queryText: printWrittenSelect(complaint.query),
    predictions: predictions.length ? predictions : [{ model: model.name, source: source.name, scores: [] }],
    hardSql: printSelect(hardQuery),
    lineageSql: printSelect(lineage),
    groupColumns: groups.map((g) => printWritten(g)),
    outputs,
    slots: slots.length,
    expectations,
    suspects: complaint.blame,
    method: complaint.method,
    shown: model.inputs.slice(0, 8),
  }
}

/** A sum over the lineage: of `value` (1 where it is absent), over rows where `counted` (the value itself) is not NULL. */
type Slot = { readonly kind: 'rows' } | { readonly kind: 'count' | 'sum'; readonly value: ast.Expr }

function slotValue(slot: Slot, place: Place): SqlExpr {
  if (slot.kind === 'rows') return { kind: 'literal', value: 1 }
  const value = toSql(slot.value, place)
  if (slot.kind === 'count') {
    return {
      kind: 'case',
      whens: [{ when: { kind: 'is_null', negated: true, value }, then: { kind: 'literal', value: 1 } }],
      otherwise: { kind: 'literal', value: 0 },
    }
  }
  return {
    kind: 'call',
    name: 'coalesce',
    args: [
      { kind: 'cast', value, type: 'double' },
      { kind: 'literal', value: 0 },
    ],
  }
}

function outputTree(expr: ast.Expr, slots: Slot[], spec: Spec): OutputTree {
  const slot = (s: Slot): OutputTree => {
    slots.push(s)
    return { kind: 'slot', slot: slots.length - 1 }
  }
  if (expr.kind === 'number' || expr.kind === 'percent') return { kind: 'number', value: expr.value }
  if (expr.kind === 'unary' && expr.op !== 'not') {
    const operand = outputTree(expr.operand, slots, spec)
    return expr.op === '-' ? { kind: 'unary', op: '-', operand } : operand
  }
  if (expr.kind === 'binary' && (expr.op === '+' || expr.op === '-' || expr.op === '*' || expr.op === '/')) {
    return { kind: 'binary', op: expr.op, left: outputTree(expr.left, slots, spec), right: outputTree(expr.right, slots, spec) }
  }
  if (expr.kind === 'cast') return outputTree(expr.value, slots, spec)
  if (expr.kind === 'call' && !expr.distinct) {
    const name = expr.callee.text.toLowerCase()
    const argument = expr.args[0]?.value
    if (name === 'count' && (!argument || argument.kind === 'star')) return slot({ kind: 'rows' })
    if (name === 'count' && argument) return slot({ kind: 'count', value: argument })
    if (name === 'sum' && argument) return slot({ kind: 'sum', value: argument })
    if ((name === 'avg' || name === 'mean') && argument) {
      return { kind: 'binary', op: '/', left: slot({ kind: 'sum', value: argument }), right: slot({ kind: 'count', value: argument }) }
    }
  }
  throw new Later(`\`${printWritten(expr)}\` in a complaint’s query`)
}

function resolveAlias(group: ast.Expr, query: ast.Select): ast.Expr {
  if (group.kind !== 'column' || group.table) return group
  const item = query.items.find((i) => i.alias && same(i.alias.text, group.name.text))
  return item ? item.value : group
}

const isGroup = (value: ast.Expr, groups: readonly ast.Expr[]) => groups.some((g) => same(printWritten(g), printWritten(value)))

/** The side of an expectation that the query answers. */
function measured(expectation: ast.Expectation): ast.Expr {
  if (expectation.kind === 'direction')
    return { kind: 'column', name: expectation.column, start: expectation.column.start, end: expectation.column.end }
  if (expectation.kind !== 'condition') throw new Later('an `expect` about rows')
  const { condition } = expectation
  if (condition.kind === 'between') return condition.value
  if (condition.kind !== 'binary') throw new Later('this form of `expect`')
  return constant(condition.right) === undefined && constant(condition.left) !== undefined ? condition.right : condition.left
}

function expectation(e: ast.Expectation, outputs: readonly { name: string; tree: OutputTree }[]): ExpectationPlan {
  const tree = overOutputs(measured(e), outputs)
  const text = printExpectation(e)
  const base = { text, tree, filtered: e.where !== undefined }
  if (e.kind === 'direction') return { ...base, relation: e.direction }
  if (e.kind !== 'condition') throw new Later('an `expect` about rows')
  const { condition } = e
  if (condition.kind === 'between' && !condition.negated) {
    return { ...base, relation: 'between', value: constantOr(condition.low), high: constantOr(condition.high) }
  }
  if (condition.kind !== 'binary') throw new Later('this form of `expect`')
  const flipped = measured(e) === condition.right
  const value = constantOr(flipped ? condition.left : condition.right)
  const relation = flipped ? (FLIP[condition.op] ?? condition.op) : condition.op
  if (relation !== '=' && relation !== '<' && relation !== '<=' && relation !== '>' && relation !== '>=')
    throw new Later(`\`${relation}\` in \`expect\``)
  return { ...base, relation, value }
}

const FLIP: Readonly<Record<string, ast.BinaryOp>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

function constantOr(e: ast.Expr): number {
  const value = constant(e)
  if (value === undefined) throw new Later('an `expect` without a constant on one side')
  return value
}

function constant(e: ast.Expr): number | undefined {
  if (e.kind === 'number' || e.kind === 'percent') return e.value
  if (e.kind === 'unary' && e.op !== 'not') {
    const value = constant(e.operand)
    return value === undefined ? undefined : e.op === '-' ? -value : value
  }
  if (e.kind !== 'binary') return undefined
  const left = constant(e.left)
  const right = constant(e.right)
  if (left === undefined || right === undefined) return undefined
  switch (e.op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    default:
      return undefined
  }
}

function overOutputs(e: ast.Expr, outputs: readonly { name: string; tree: OutputTree }[]): OutputTree {
  if (e.kind === 'column') {
    const found = outputs.find((o) => same(o.name, e.name.text))
    if (found) return found.tree
  }
  const value = constant(e)
  if (value !== undefined) return { kind: 'number', value }
  if (e.kind === 'unary' && e.op === '-') return { kind: 'unary', op: '-', operand: overOutputs(e.operand, outputs) }
  if (e.kind === 'binary' && (e.op === '+' || e.op === '-' || e.op === '*' || e.op === '/')) {
    return { kind: 'binary', op: e.op, left: overOutputs(e.left, outputs), right: overOutputs(e.right, outputs) }
  }
  throw new Later(`\`${printWritten(e)}\` in \`expect\``)
}

function printExpectation(e: ast.Expectation): string {
  const where = e.where ? ` where ${printWritten(e.where)}` : ''
  if (e.kind === 'direction') return `${e.direction} ${e.column.text}${where}`
  if (e.kind === 'condition') return printWritten(e.condition) + where
  return `${e.kind === 'row' ? 'row' : 'no row'}${where}`
}
