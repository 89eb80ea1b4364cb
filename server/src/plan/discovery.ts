import { printName, printExpr as printWritten } from '../../../grammar/src/printer.ts'
import type { BinnedSpec, DiscoverSpec, ModelSpec, RefSpec, SourceSpec, Spec } from '../check/spec.ts'
import { printSelect } from '../sql/print.ts'
import { type Column, ROW, type SqlExpr, type SqlSelect } from '../sql/tree.ts'
import { inSplit } from './assertion.ts'
import { same, sourceNamed, toSql } from './expression.ts'
import { Later } from './later.ts'
import type { DiscoverTask, LossPlan, SlicedColumn } from './plan.ts'
import { type PredictedPlace, predictedPlace } from './predicted.ts'
import { isInteger, isSliceable, presentValue, slicedColumn } from './sliced-columns.ts'
import { lossTable, modelNamed } from './tables.ts'

/**
 * Where is a model worst: the rows in scope, their columns, and their errors, as SQL. The error is the expression given, or the model's loss:
 * cross-entropy for classes, squared error for numbers, 0/1 for classes brought along without probabilities. Against another model it is by
 * how much a row became worse, 0 where it did not. Bins depend on the data: the engine finds them before it searches.
 */
const S = 's'

export function discoverTask(spec: Spec, discover: DiscoverSpec): DiscoverTask {
  const source = sourceNamed(spec, discover.on.source)
  const model = discover.using === undefined ? undefined : modelNamed(spec, discover.using)
  const against = discover.against === undefined ? undefined : modelNamed(spec, discover.against)
  const notes: string[] = []
  const on = scopeOf(discover.on, source, model, notes)
  const columns = columnsOf(discover, source, model, notes)
  const place = withColumns(spec, predictedPlace(spec, source.name, S))
  const { error, text, losses } = errorOf(discover, { model, against, place, source })
  const from = { kind: 'table' as const, name: source.name, alias: S }
  const where = on.split === undefined ? undefined : inSplit(on.split, S)
  const items = [
    ...columns.map(({ column }, i) => ({ value: presentValue(column, { kind: 'column', table: S, name: column.name }), alias: `c${i}` })),
    { value: { kind: 'column' as const, table: S, name: ROW }, alias: ROW },
  ]
  const rows: SqlSelect = {
    items: [...items, { value: { kind: 'cast', value: error, type: 'double' }, alias: 'assay error' }],
    from,
    joins: [...place.joins(), ...losses.map(lossJoin)],
    where,
  }
  return {
    kind: 'discover',
    on,
    columns,
    columnsSql: printSelect({ items, from, where }),
    rowsSql: printSelect(rows),
    error: text,
    writtenSource: printName({ text: source.name }),
    predictions: place.predictions(),
    losses,
    support: discover.support,
    depth: discover.depth,
    top: discover.top,
    alpha: discover.alpha,
    fdr: discover.fdr,
    notes,
  }
}

/** Where no split is named, the model's validation split. */
function scopeOf(on: RefSpec, source: SourceSpec, model: ModelSpec | undefined, notes: string[]): RefSpec {
  if (on.split !== undefined || model === undefined || !same(model.source, source.name)) return { ...on, source: source.name }
  if (model.validate !== undefined) return { source: source.name, split: model.validate }
  if (model.train !== undefined)
    notes.push(
      `The rows that \`${model.name}\` was trained on are among these, and on them its errors are too small: give it \`validate on\`, or name a split.`,
    )
  return { source: source.name }
}

function columnsOf(discover: DiscoverSpec, source: SourceSpec, model: ModelSpec | undefined, notes: string[]): SlicedColumn[] {
  if (discover.over) return discover.over.map(askedColumn)
  const inputs = model && model.inputs.length > 0 && !isEmbedded(model) ? model.inputs : besideModel(source, model)
  const sliceable = inputs.filter(isSliceable)
  if (sliceable.length === 0) throw new Later(`\`${discover.name}\`: slices over images alone; name columns in \`over\``)
  if (sliceable.length < inputs.length) {
    const left = inputs.filter((c) => !isSliceable(c)).map((c) => `\`${c.name}\``)
    notes.push(`Slices cannot be made of ${left.join(', ')}: ${left.length === 1 ? 'it is' : 'they are'} left out.`)
  }
  return sliceable.map((column) => slicedColumn({ column }))
}

export function askedColumn(binned: BinnedSpec): SlicedColumn {
  const plain = binned.bins === undefined && binned.edges === undefined
  return { ...slicedColumn(binned), mayIdentify: plain && isInteger(binned.column) }
}

export const isEmbedded = ({ model }: ModelSpec): boolean => model.kind === 'head' && model.embedding.kind === 'column'

/** For predictions brought along and heads on a column, which have no inputs to slice by: all columns but the key, the target and what they read. */
export function besideModel(source: SourceSpec, model: ModelSpec | undefined): readonly Column[] {
  const own = model?.model.kind === 'column' ? [model.target.name, model.model.column, ...model.model.scores] : []
  if (model && isEmbedded(model)) own.push(model.target.name, ...model.inputs.map((c) => c.name))
  const left = new Set([...(source.key ?? []), ...own].map((name) => name.toLowerCase()))
  return source.schema.filter((c) => !left.has(c.name.toLowerCase()))
}

interface ErrorParts {
  readonly model?: ModelSpec
  readonly against?: ModelSpec
  readonly place: PredictedPlace
  readonly source: SourceSpec
}

function errorOf(
  discover: DiscoverSpec,
  { model, against, place, source }: ErrorParts,
): { readonly error: SqlExpr; readonly text: string; readonly losses: LossPlan[] } {
  if (discover.error) return { error: toSql(discover.error, place), text: printWritten(discover.error), losses: [] }
  if (model === undefined) throw new Error('discover has neither an error nor a model: check should have refused it')
  const losses: LossPlan[] = []
  const lossOf = (one: ModelSpec): SqlExpr => {
    const direct = directLoss(one)
    if (direct) return direct
    const loss = { model: one.name, source: source.name }
    losses.push(loss)
    return { kind: 'column', table: lossAlias(loss), name: 'loss' }
  }
  if (against === undefined) return { error: lossOf(model), text: `${lossName(model)} of ${model.name}`, losses }
  const worse: SqlExpr = { kind: 'binary', op: '-', left: lossOf(model), right: lossOf(against) }
  // greatest() skips NULLs: a row without a loss must stay without.
  const error: SqlExpr = {
    kind: 'case',
    whens: [
      { when: { kind: 'is_null', negated: false, value: worse }, then: { kind: 'literal', value: null } },
      { when: { kind: 'binary', op: '>', left: worse, right: { kind: 'literal', value: 0 } }, then: worse },
    ],
    otherwise: { kind: 'literal', value: 0 },
  }
  return { error, text: `by how much ${lossName(model)} is higher with ${model.name} than with ${against.name}`, losses }
}

function lossName(model: ModelSpec): string {
  if (model.task === 'regression') return 'squared error'
  return isBareColumn(model) ? '0/1 error' : 'cross-entropy'
}

const isBareColumn = ({ model }: ModelSpec): boolean => model.kind === 'column' && model.scores.length === 0

/** Predictions brought along as a column need no pass of their own: their loss is an expression over the source. */
function directLoss({ model, target, task }: ModelSpec): SqlExpr | undefined {
  if (model.kind !== 'column' || (task === 'classification' && model.scores.length > 0)) return undefined
  const predicted: SqlExpr = { kind: 'column', table: S, name: model.column }
  const actual: SqlExpr = { kind: 'column', table: S, name: target.name }
  if (task === 'classification') {
    const differs: SqlExpr = { kind: 'binary', op: '<>', left: predicted, right: actual }
    const one: SqlExpr = { kind: 'literal', value: 1 }
    const zero: SqlExpr = { kind: 'literal', value: 0 }
    const known: SqlExpr = { kind: 'is_null', negated: true, value: differs }
    return { kind: 'case', whens: [{ when: known, then: { kind: 'case', whens: [{ when: differs, then: one }], otherwise: zero } }] }
  }
  const asDouble = (value: SqlExpr): SqlExpr => ({ kind: 'cast', value, type: 'double' })
  const difference: SqlExpr = { kind: 'binary', op: '-', left: asDouble(predicted), right: asDouble(actual) }
  return { kind: 'binary', op: '*', left: difference, right: difference }
}

const lossAlias = ({ model }: LossPlan) => `assay l ${model}`

function lossJoin(loss: LossPlan): NonNullable<SqlSelect['joins']>[number] {
  const alias = lossAlias(loss)
  return {
    side: 'left',
    from: { kind: 'table', name: lossTable(loss), alias },
    on: { kind: 'binary', op: '=', left: { kind: 'column', table: alias, name: ROW }, right: { kind: 'column', table: S, name: ROW } },
  }
}

/** `predict()` of predictions brought along is their column, without a table between. */
function withColumns(spec: Spec, place: PredictedPlace): PredictedPlace {
  return {
    ...place,
    predict: (name, table) => {
      const model = modelNamed(spec, name)
      if (!isBareColumn(model) || model.model.kind !== 'column') return place.predict(name, table)
      return { kind: 'column', table: S, name: model.model.column }
    },
  }
}
