import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { Column } from '../sql/tree.ts'
import { tableNamed } from './columns.ts'
import type { ExprScope, TableScope } from './expression-scope.ts'
import { fold } from './names.ts'
import { find, type ModelInfo, report, type SourceInfo, spoil } from './scope.ts'
import { comparable, DOUBLE, literalAs, literalOf, type Typed, UNKNOWN } from './types.ts'

/** `predict(c [, model])`, `predict(l.c)`, `score(c, k [, model])`, `ask(oracle, c)`. The column `c` names a target; only the model's inputs must be there. */
export function typeOfPredict(expr: ast.Call, scope: ExprScope): Typed {
  const found = modelOf(expr, scope, 'predict', 1)
  if (found === undefined) return UNKNOWN
  const { model, table } = found
  if (table) scope.site.meanings.set(expr, { kind: 'predict', model: model.name, table: table.mark })
  return model.target ?? UNKNOWN
}

export function typeOfScore(expr: ast.Call, scope: ExprScope, typeOf: (expr: ast.Expr, scope: ExprScope) => Typed): Typed {
  const found = modelOf(expr, scope, 'score', 2)
  const label = expr.args[1]?.value
  if (label === undefined) return DOUBLE
  const typed = typeOf(label, scope)
  if (literalOf(label) === undefined || label.kind === 'percent' || (label.kind === 'unary' && label.op === '+'))
    report(scope.site, 'score-class', label, {})
  else if (found?.model.target && !comparable(found.model.target, label, typed, label)) {
    report(scope.site, 'not-comparable', label, {
      left: found.model.target.type,
      right: typed.type,
      remedy: 'name a class as the column holds it',
    })
  }
  if (found === undefined) return DOUBLE
  const { model, table } = found
  if (model.task === 'regression') report(scope.site, 'score-regression', expr, { model: model.name })
  else if (table) scope.site.meanings.set(expr, { kind: 'score', model: model.name, label: classNamed(label, model), table: table.mark })
  return DOUBLE
}

/** The class as the target's type writes it: `'yes'` of a boolean target is true. */
function classNamed(label: ast.Expr, model: ModelInfo): ast.Expr {
  const value = literalOf(label)
  const meant = value === undefined || model.target === undefined ? value : literalAs(model.target.type, value)
  return typeof meant === 'boolean' ? { kind: 'boolean', value: meant, start: label.start, end: label.end } : label
}

/** The model that predicts the first argument, or that the last argument names, and the table whose rows it is asked about. */
function modelOf(
  expr: ast.Call,
  scope: ExprScope,
  name: 'predict' | 'score',
  fixed: number,
): { readonly model: ModelInfo; readonly table?: TableScope } | undefined {
  const { site } = scope
  const wanted =
    name === 'predict'
      ? 'the column that a model predicts, and where there are several, the model'
      : 'the column, the class, and where there are several, the model'
  const target = expr.args[0]?.value
  if (
    target?.kind !== 'column' ||
    expr.args.length < fixed ||
    expr.args.length > fixed + 1 ||
    expr.distinct ||
    expr.args.some((a) => a.label)
  ) {
    report(site, 'predict-argument', expr, { name, wanted })
    return undefined
  }
  const { models } = scope
  if (models.kind === 'refused') {
    report(site, 'misplaced-predict', expr, { name, where: models.where })
    return undefined
  }
  if (models.kind === 'unknown') {
    spoil(site)
    return undefined
  }
  if (models.kind === 'none') {
    report(site, 'no-models', expr, { name, kind: models.declaration })
    return undefined
  }
  const model = pickModel(expr, target, expr.args[fixed]?.value, models.models, scope, name, wanted)
  if (model === undefined) return undefined
  return { model, table: tableFor(target, model, scope) }
}

function pickModel(
  expr: ast.Call,
  target: ast.ColumnRef,
  named: ast.Expr | undefined,
  models: readonly ModelInfo[],
  scope: ExprScope,
  name: string,
  wanted: string,
): ModelInfo | undefined {
  const { site } = scope
  const column = fold(target.name.text)
  if (named) {
    if (named.kind !== 'column' || named.table) {
      report(site, 'predict-argument', named, { name, wanted })
      return undefined
    }
    const model = models.find((one) => fold(one.name) === fold(named.name.text))
    if (model === undefined) {
      const known = models.map((one) => one.name)
      report(site, 'unknown-name', named, {
        name: named.name.text,
        wanted: ['model in `using`'],
        known,
        nearest: nearest(named.name.text, known),
      })
      return undefined
    }
    if (fold(model.targetName) === column) return model
    report(site, 'predict-target', target, { column: target.name.text, known: [model.targetName], nearest: model.targetName })
    return undefined
  }
  const fitting = models.filter((one) => fold(one.targetName) === column)
  if (fitting.length === 1) return fitting[0]
  if (fitting.length > 1) {
    report(site, 'predict-ambiguous', expr, { column: target.name.text, models: fitting.map((one) => one.name) })
    return undefined
  }
  const known = [...new Set(models.map((one) => one.targetName))].filter((one) => one !== '')
  if (known.length === 0) spoil(site)
  else report(site, 'predict-target', target, { column: target.name.text, known, nearest: nearest(target.name.text, known) })
  return undefined
}

function tableFor(target: ast.ColumnRef, model: ModelInfo, scope: ExprScope): TableScope | undefined {
  const { site } = scope
  if (target.table) {
    const table = tableNamed(target.table, scope)
    if (table && !lacks(table.source, model)) return table
    if (table) reportMissing(target, model, table.source, scope)
    return undefined
  }
  const [only] = scope.tables
  if (only === undefined) {
    spoil(site)
    return undefined
  }
  if (scope.tables.length === 1) {
    if (!lacks(only.source, model)) return only
    reportMissing(target, model, only.source, scope)
    return undefined
  }
  const fitting = scope.tables.filter((table) => !lacks(table.source, model))
  if (fitting.length === 1) return fitting[0]
  report(site, 'predict-table', target, { column: target.name.text, tables: fitting.map((table) => table.name) })
  return undefined
}

/** The first input that a source does not have, or has in another type. */
export function lacks(source: SourceInfo, model: ModelInfo): { readonly input: Column; readonly is?: Column } | undefined {
  if (source.open || source === model.source) return undefined
  for (const input of [...model.inputs, ...model.brought]) {
    const is = source.columns.get(fold(input.name))
    if (is === undefined) return { input }
    if (is.type !== input.type && is.type !== 'unknown' && input.type !== 'unknown') return { input, is }
  }
  return undefined
}

export function reportMissing(at: ast.Span, model: ModelInfo, source: SourceInfo, scope: Pick<ExprScope, 'site'>): void {
  const lack = lacks(source, model)
  if (lack === undefined) return
  const { input, is } = lack
  if (is)
    report(scope.site, 'input-type', at, { model: model.name, input: input.name, source: source.name, is: is.type, wanted: input.type })
  else report(scope.site, 'missing-input', at, { model: model.name, input: input.name, source: source.name })
}

export function typeOfAsk(expr: ast.Call, scope: ExprScope): Typed {
  const { site } = scope
  if (!scope.ask) {
    report(site, 'misplaced-ask', expr, { name: 'ask' })
    return UNKNOWN
  }
  const [first, second] = expr.args.map((argument) => argument.value)
  if (first?.kind !== 'column' || second?.kind !== 'column' || expr.args.length !== 2 || first.table) {
    report(site, 'predict-argument', expr, { name: 'ask', wanted: 'an oracle and the column that it is asked for' })
    return UNKNOWN
  }
  const oracle = find(site, first.name, 'oracle')
  if (oracle === undefined) return UNKNOWN
  const column = oracle.columns.find((name) => fold(name) === fold(second.name.text))
  if (column === undefined) {
    const known = oracle.columns
    report(site, 'oracle-column', second, {
      oracle: oracle.name,
      column: second.name.text,
      known,
      nearest: nearest(second.name.text, known),
    })
    return UNKNOWN
  }
  site.meanings.set(expr, { kind: 'ask', oracle: oracle.name, column, table: scope.tables[0]?.mark })
  return oracle.source?.columns.get(fold(column)) ?? UNKNOWN
}
