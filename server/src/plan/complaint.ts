import type * as ast from '../../../grammar/src/ast.ts'
import { printExpr as printWritten, printSelect as printWrittenSelect } from '../../../grammar/src/printer.ts'
import { childrenOf, expressionsOfSelect } from '../../../grammar/src/walker.ts'
import type { ComplaintSpec, Spec } from '../check/spec.ts'
import { call, column, literal, star } from '../sql/build.ts'
import { mentions } from '../sql/derivative.ts'
import { printSelect } from '../sql/print.ts'
import { ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { type Place, same, sourceNamed, toSql } from './expression.ts'
import { Later } from './later.ts'
import type { ComplaintTask, ExpectationPlan, GradientPlan, OutputTree } from './plan.ts'
import { Answers, number, outputName } from './provenance/aggregates.ts'
import { Chances } from './provenance/chances.ts'
import { classJoin } from './provenance/class-join.ts'
import { choose, groupColumn, Lineage, type Query } from './provenance/lineage.ts'
import { namedClasses } from './provenance/named-classes.ts'
import { constantOf, QueryTables, type ValueAtom, type Variable } from './provenance/query-tables.ts'
import { rowwisePlan } from './provenance/rowwise.ts'
import { type Event, hardSubquery, predictedSubquery, relaxedSubquery } from './provenance/subqueries.ts'
import { modelNamed } from './tables.ts'

/**
 * A complaint's query in two forms (METHODS §4, R §5): the *hard* query over predicted values, and its relaxation, computed by the database from the
 * lineage (`provenance/`): for every joined row and every joint choice of what its rows might be predicted as, the values that enter the result's sums
 * with their chance. Outputs are small trees over such sums. A query without groups and aggregates has one row of the result for each joined
 * row, so its values are averages over that row's choices.
 */
export function complaintTask(spec: Spec, complaint: ComplaintSpec): ComplaintTask {
  const written = complaint.query
  return taskOf(withStars(spec, written), complaint, written)
}

function taskOf({ spec, query }: { spec: Spec; query: ast.Select }, complaint: ComplaintSpec, written: ast.Select): ComplaintTask {
  const model = modelNamed(spec, complaint.using[0]!)
  const chances = new Chances()
  const tables = new QueryTables(spec, query, chances)
  const isAggregated = query.groupBy.length > 0 || query.items.some((i) => aggregates(spec, i.value)) || query.having !== undefined
  const byItems = query.distinct === true && !isAggregated
  const groups = byItems ? query.items.map((i) => i.value) : query.groupBy
  const single = !isAggregated && !byItems

  const events: Event[] = []
  const relaxedPlace = tables.place((e) => {
    if ((e.kind !== 'exists' && e.kind !== 'in') || !predictedSubquery(spec, e)) return undefined
    const event = relaxedSubquery(spec, e, tables, chances, events.length)
    if ('kind' in event) return event
    events.push(event)
    return event.value
  })
  const hardPlace: Place = {
    ...tables.place((e) =>
      (e.kind === 'exists' || e.kind === 'in') && predictedSubquery(spec, e) ? hardSubquery(spec, e, tables, chances) : undefined,
    ),
    output: (name) => column(name),
  }
  const rows = tables.tables.map((t) => column(ROW, t.alias))
  const answers = new Answers(spec, query, groups, relaxedPlace)
  const expectations = complaint.expect.map((e) => expectation(e, { answers, single, grouped: groups.length > 0, having: query.having }))
  const relaxed: Query = {
    select: query,
    tables,
    on: query.joins.map((j) => toSql(j.on, relaxedPlace)),
    where: [...(query.where ? [toSql(query.where, relaxedPlace)] : []), ...(single ? rowsSpokenOf(complaint, answers) : [])],
    groups: single ? rows : groups.map((g) => answers.sql(g)),
    slots: answers.slots,
    events,
  }

  const groupItems = (single ? rows : groups.map((g) => toSql(g, hardPlace))).map((value, i) => ({ value, alias: groupColumn(i) }))
  const hardOn = query.joins.map((j) => toSql(j.on, hardPlace))
  const answer: SqlSelect = {
    items: [...groupItems, ...query.items.map((i) => ({ value: toSql(i.value, hardPlace), alias: outputName(i) }))],
    where: query.where && toSql(query.where, hardPlace),
    groupBy: single ? undefined : groups.map((g) => toSql(g, hardPlace)),
    having: query.having && toSql(query.having, hardPlace),
  }
  const hard = hardQuery(spec, complaint, { ...answer, ...tables.joined(query, 'hard', hardOn) }, groupItems.length, query)

  const lineage = (single ? undefined : classJoin(relaxed)) ?? new Lineage(relaxed)
  const gradients = lineage.gradients().map(({ variable, select }) => ({ ...gradientBy(variable), sql: printSelect(select) }))
  const spoken = gradients.find((g) => same(g.model, model.name)) ?? gradients[0]
  const shownOf = single
    ? query.items.slice(0, 8).map((i) => ({ name: outputName(i), column: outputName(i) }))
    : groups.map((g, i) => ({ name: printWritten(g), column: groupColumn(i) }))
  return {
    kind: 'complaint',
    model: model.name,
    source: spoken?.source ?? tables.tables[0]!.source,
    sources: sourcesRead(spec, written),
    queryText: printWrittenSelect(written),
    predictions: chances.predictions(),
    chances: chances.plans(),
    hardSql: printSelect(hard),
    relaxedSql: printSelect(lineage.values()),
    gradients,
    rowwise: rowwisePlan(relaxed),
    groups: groupItems.length,
    shownOf,
    slots: answers.slots.length,
    expectations,
    named: namedClasses(spec, expressionsOfSelect(written)),
    suspects: complaint.blame,
    method: complaint.method,
    shown: model.inputs.slice(0, 8),
  }
}

/** Of a result with a row for each joined row only those that some expectation speaks of, where no prediction decides which. */
function rowsSpokenOf(complaint: ComplaintSpec, answers: Answers): SqlExpr[] {
  const wheres = complaint.expect.map((e) => e.where && answers.sql(e.where))
  const isPlain = (e: SqlExpr | undefined): e is SqlExpr =>
    e !== undefined && !mentions(e, (c) => c.kind === 'exists' || (c.kind === 'column' && c.name.startsWith('assay ')))
  return wheres.every(isPlain) ? [{ kind: 'logical', op: 'or', operands: wheres }] : []
}

/** The answer with, beside each row, what each expectation measures and whether it speaks of the row; rows that none speaks of are left out. */
function hardQuery(spec: Spec, complaint: ComplaintSpec, answer: SqlSelect, nGroups: number, query: ast.Select): SqlSelect {
  const names = query.items.map(outputName)
  const own = (name: string) => column(names.find((n) => same(n, name)) ?? name)
  const place: Place = { spec, table: () => undefined, predict: noModels, score: noModels, output: own }
  const columns = complaint.expect.flatMap((e, i) => {
    const measure: SqlExpr =
      e.kind === 'direction' ? own(e.column.text) : e.kind === 'condition' ? toSql(measured(e), place) : { kind: 'literal', value: null }
    return [
      { value: { kind: 'cast' as const, value: measure, type: 'double' }, alias: `assay actual ${i}` },
      { value: e.where ? call('coalesce', toSql(e.where, place), literal(false)) : literal(true), alias: `assay expect ${i}` },
    ]
  })
  const spokenOf: SqlExpr = { kind: 'logical', op: 'or', operands: complaint.expect.map((_, i) => column(`assay expect ${i}`)) }
  return {
    with: [
      { name: 'assay answer', query: answer },
      { name: 'assay measured', query: { items: [{ value: star }, ...columns], from: { kind: 'table', name: 'assay answer' } } },
    ],
    items: [{ value: star }],
    from: { kind: 'table', name: 'assay measured' },
    where: spokenOf,
    orderBy: Array.from({ length: nGroups }, (_, i) => ({ value: column(groupColumn(i)), descending: false })),
  }
}

const noModels = (): never => {
  throw new Error('a model was asked for in an expectation: check should have refused it')
}

interface Answered {
  readonly answers: Answers
  /** Every joined row is a row of the result. */
  readonly single: boolean
  readonly grouped: boolean
  readonly having: ast.Expr | undefined
}

function expectation(e: ast.Expectation, answered: Answered): ExpectationPlan {
  const base = { text: printExpectation(e), filtered: e.where !== undefined }
  if (e.kind === 'row' || e.kind === 'no_row') {
    return { ...base, tree: chanceOfRow(e.where, answered), relation: e.kind === 'row' ? 'row' : 'no row' }
  }
  const tree = valueTree(e.kind === 'direction' ? answered.answers.item(e.column.text) : measured(e), answered)
  if (e.kind === 'direction') return { ...base, tree, relation: e.direction }
  const { condition } = e
  if (condition.kind === 'between' && !condition.negated) {
    return { ...base, tree, relation: 'between', value: constant(condition.low), high: constant(condition.high) }
  }
  if (condition.kind !== 'binary') throw new Later('this form of `expect`')
  const flipped = measured(e) === condition.right
  const value = constant(flipped ? condition.left : condition.right)
  const relation = flipped ? (FLIP[condition.op] ?? condition.op) : condition.op
  if (relation !== '=' && relation !== '<' && relation !== '<=' && relation !== '>' && relation !== '>=')
    throw new Later(`\`${relation}\` in \`expect\``)
  return { ...base, tree, relation, value }
}

const FLIP: Readonly<Record<string, ast.BinaryOp>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/** A value of a row of the result; where every joined row is one, its mean over the row's choices. */
function valueTree(expr: ast.Expr, { answers, single }: Answered): OutputTree {
  if (!single) return answers.value(expr)
  const sum = answers.sum(number(answers.sql(expr)))
  return { kind: 'binary', op: '/', left: sum, right: answers.sum(literal(1)) }
}

function chanceOfRow(where: ast.Expr, { answers, single, grouped, having }: Answered): OutputTree {
  if (single) return answers.sum(choose(answers.sql(where), literal(1), literal(0)))
  const parts = [answers.condition(where), ...(having ? [answers.condition(having)] : [])]
  return { kind: 'all', operands: grouped ? [...parts, answers.slot({ kind: 'presence' })] : parts }
}

/** The side of an expectation that the query answers. */
function measured({ condition }: Extract<ast.Expectation, { kind: 'condition' }>): ast.Expr {
  if (condition.kind === 'between') return condition.value
  if (condition.kind !== 'binary') throw new Later('this form of `expect`')
  return constantOf(condition.right) === undefined && constantOf(condition.left) !== undefined ? condition.right : condition.left
}

function constant(e: ast.Expr): number {
  const value = constantOf(e)
  if (value === undefined) throw new Later('an `expect` without a constant on one side')
  return value
}

function aggregates(spec: Spec, expr: ast.Expr): boolean {
  const meaning = spec.meanings.get(expr)
  if (meaning?.kind === 'function' && meaning.aggregate) return true
  if (expr.kind === 'exists') return false
  return (expr.kind === 'in' ? [expr.value, ...(expr.list ?? [])] : childrenOf(expr)).some((child) => aggregates(spec, child))
}

/** Stars written out, as columns that have their meaning. */
function withStars(spec: Spec, query: ast.Select): { spec: Spec; query: ast.Select } {
  if (!query.items.some((i) => i.value.kind === 'star')) return { spec, query }
  const meanings = new Map(spec.meanings)
  const refs = [...(query.from ? [query.from] : []), ...query.joins.map((j) => j.table)]
  const tables = refs.map((t) => {
    const source = sourceNamed(spec, t.ref.source.text)
    return { alias: t.alias?.text ?? source.name, schema: source.schema }
  })
  const items = query.items.flatMap((item): ast.SelectItem[] => {
    const { value, start, end } = item
    if (value.kind !== 'star') return [item]
    const wanted = tables.filter((t) => value.table === undefined || same(t.alias, value.table.text))
    return wanted.flatMap((t) =>
      t.schema.map((c) => {
        const expr: ast.ColumnRef = { kind: 'column', name: { text: c.name, quoted: false, start, end }, start, end }
        meanings.set(expr, { kind: 'column', table: t.alias, column: c })
        return { value: expr, start, end }
      }),
    )
  })
  return { spec: { ...spec, meanings }, query: { ...query, items } }
}

function sourcesRead(spec: Spec, query: ast.Select): string[] {
  const found = new Set<string>()
  const visit = (select: ast.Select) => {
    for (const t of [...(select.from ? [select.from] : []), ...select.joins.map((j) => j.table)])
      found.add(sourceNamed(spec, t.ref.source.text).name)
    for (const e of [...select.items.map((i) => i.value), ...select.joins.map((j) => j.on), select.where, select.having]) if (e) inside(e)
  }
  const inside = (e: ast.Expr) => {
    if (e.kind === 'exists' || (e.kind === 'in' && e.query)) visit(e.query!)
    for (const child of childrenOf(e)) inside(child)
  }
  visit(query)
  return [...found]
}

function gradientBy({ table, asked }: Variable | ValueAtom): Omit<GradientPlan, 'sql'> {
  const by: GradientPlan['by'] =
    asked.kind === 'class'
      ? { kind: 'class' }
      : asked.kind === 'compared'
        ? { kind: 'compared', chances: asked.chances }
        : { kind: 'value', label: asked.label }
  return { model: asked.model, source: table.source, by }
}

function printExpectation(e: ast.Expectation): string {
  const where = e.where ? ` where ${printWritten(e.where)}` : ''
  if (e.kind === 'direction') return `${e.direction} ${e.column.text}${where}`
  if (e.kind === 'condition') return printWritten(e.condition) + where
  return `${e.kind === 'row' ? 'row' : 'no row'}${where}`
}
