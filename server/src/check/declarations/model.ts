import type * as ast from '../../../../grammar/src/ast.ts'
import { trainOptions } from '../../../../grammar/src/setting-table.ts'
import type { Column } from '../../sql/tree.ts'
import { clauseOf } from '../clauses.ts'
import { sameName } from '../names.ts'
import { usableColumns } from '../rules/columns.ts'
import { checkLeaks } from '../rules/leaks.ts'
import { checkTarget } from '../rules/targets.ts'
import { find, findColumn, findSplit, type ModelInfo, report, type Site, type SourceInfo } from '../scope.ts'
import { type CheckedSetting, checkOptions, checkSetting } from '../settings.ts'
import type { ModelSpec } from '../spec.ts'
import { comparable, isWhole, literalAs } from '../types.ts'

export interface CheckedModel {
  readonly info: ModelInfo
  /** Absent where a part of it is not known. */
  readonly spec?: Omit<ModelSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>
}

/** Models that learn here: they need `train on`. */
const LEARNING = new Set(['logistic', 'linear', 'mlp', 'head', 'cnn', 'wrn', 'lstm'])
const LATER = new Set(['head', 'cnn', 'wrn', 'lstm', 'saved', 'onnx'])
const NO_INPUTS = new Set(['column', 'head'])

export function checkModel(decl: ast.ModelDecl, site: Site): CheckedModel {
  const source = find(site, decl.on, 'source')
  const predict = clauseOf(decl, 'predict')
  const found = predict && findColumn(site, source, predict.column)
  const kindClause = clauseOf(decl, 'kind')
  const setting = kindClause && checkSetting(kindClause.setting, 'model kind', site)
  const kind = setting?.name
  const target = found && predict ? usableColumns([{ column: found, at: predict.column }], 'label', site)[0] : undefined
  if (predict && target && kind) checkTarget(kind, target, predict.column, site)

  const inputs = checkInputs(clauseOf(decl, 'from'), kind, source, site)
  if (source && target) checkLeaks(inputs, target, source, site)
  const usable = usableColumns(inputs, 'input', site)

  const train = checkTrain(clauseOf(decl, 'train'), source, site)
  const validateClause = clauseOf(decl, 'validate')
  const validate = validateClause && source && findSplit(site, source, validateClause.split)
  if (kind && LEARNING.has(kind) && !clauseOf(decl, 'train') && !site.entry.hasSyntaxError) {
    report(site, 'train-missing', kindClause?.keyword ?? decl, { kind })
  }
  if (train && validate && sameName(train.split, validate)) report(site, 'validates-on-training', validateClause.split, { split: validate })
  const patience = clauseOf(decl, 'train')?.options?.args.find((arg) => arg.label?.text.toLowerCase() === 'patience')
  if (patience && !validateClause && !site.entry.hasSyntaxError) report(site, 'patience-without-validate', patience, {})

  const model = setting && kindClause ? modelKind(setting, kindClause, source, target, site) : undefined
  const task = taskOf(kind, target)
  const brought = model?.kind === 'column' && source ? columnsNamed([model.column, ...model.scores], source) : []
  const info: ModelInfo = {
    kind: 'model',
    name: site.entry.name,
    source,
    target,
    targetName: predict?.column.text ?? '',
    inputs: usable,
    task,
    trainSplit: train?.split,
    brought,
  }
  if (source === undefined || target === undefined || model === undefined) return { info }
  return { info, spec: { source: source.name, target, inputs: usable, model, train, validate, task } }
}

/** A number is predicted as a number by a linear model, by a network unless it is whole, and by predictions that are fractions. */
function taskOf(kind: string | undefined, target: Column | undefined): ModelSpec['task'] {
  if (kind === 'linear') return 'regression'
  if (kind === 'logistic' || target?.type !== 'number') return 'classification'
  return isWhole(target) ? 'classification' : 'regression'
}

function checkInputs(
  clause: ast.ModelFromClause | undefined,
  kind: string | undefined,
  source: SourceInfo | undefined,
  site: Site,
): { readonly column: Column; readonly at: ast.Name }[] {
  if (clause && kind && NO_INPUTS.has(kind)) report(site, 'needs-no-inputs', clause.keyword, { kind })
  const inputs: { column: Column; at: ast.Name }[] = []
  for (const at of clause?.columns ?? []) {
    const column = findColumn(site, source, at)
    if (column === undefined) continue
    if (source?.key.some((key) => sameName(key, column.name))) report(site, 'key-as-input', at, { column: column.name })
    inputs.push({ column, at })
  }
  return inputs
}

function checkTrain(clause: ast.TrainClause | undefined, source: SourceInfo | undefined, site: Site): ModelSpec['train'] {
  if (clause === undefined) return undefined
  const options = checkOptions(clause.options?.args ?? [], clause, trainOptions, 'train', site)
  const split = source && findSplit(site, source, clause.split)
  if (split === undefined) return undefined
  return {
    split,
    epochs: options.number('epochs') ?? 50,
    batch: options.number('batch') ?? 512,
    seed: options.number('seed') ?? 7,
    patience: options.values.has('patience') ? options.number('patience') : undefined,
    folds: options.number('folds'),
  }
}

function modelKind(
  setting: CheckedSetting,
  clause: ast.KindClause,
  source: SourceInfo | undefined,
  target: Column | undefined,
  site: Site,
): ModelSpec['model'] | undefined {
  const { name } = setting
  if (LATER.has(name)) {
    const embedding = setting.values.get('embedding')
    if (embedding?.kind === 'setting') findColumn(site, source, embedding.name)
    return { kind: 'later', name }
  }
  if (name === 'logistic' || name === 'linear') return { kind: name, l2: setting.number('l2') ?? 0.001 }
  if (name === 'mlp') return { kind: 'mlp', hidden: hiddenOf(setting.values.get('hidden')), l2: setting.number('l2') ?? 0.0001 }
  return columnKind(setting, clause, source, target, site)
}

function hiddenOf(value: ast.Value | undefined): number[] {
  if (value?.kind === 'number') return [value.value]
  if (value?.kind !== 'values') return [64]
  return value.items.flatMap((item) => (item.value.kind === 'number' ? [item.value.value] : []))
}

function columnKind(
  setting: CheckedSetting,
  clause: ast.KindClause,
  source: SourceInfo | undefined,
  target: Column | undefined,
  site: Site,
): ModelSpec['model'] | undefined {
  const given = setting.values.get('prediction')
  const column = given?.kind === 'setting' ? findColumn(site, source, given.name) : undefined
  const list = setting.values.get('scores')
  const items = list?.kind === 'values' ? list.items : []
  const scores: string[] = []
  const labels: (string | number | boolean)[] = []
  for (const item of items) {
    if (item.value.kind !== 'setting') continue
    const score = findColumn(site, source, item.value.name)
    if (score === undefined) continue
    if (score.type !== 'number' && score.type !== 'unknown') report(site, 'not-number', item, { what: 'A score', type: score.type })
    scores.push(score.name)
    if (item.label) labels.push(labelFor(item.label.text, target))
  }
  if (labels.length > 0 && labels.length < items.length) report(site, 'scores-and-labels', list ?? clause, {})
  if (column === undefined) return undefined
  if (target && given && !comparable(target, PLAIN, column, PLAIN)) {
    report(site, 'not-comparable', given, {
      left: target.type,
      right: column.type,
      remedy: 'predictions are of the type of what they predict',
    })
  }
  return { kind: 'column', column: column.name, scores, labels: labels.length > 0 ? labels : undefined }
}

const PLAIN: ast.NullLiteral = { kind: 'null', start: 0, end: 0 }

/** A class's name in a list is a word: a number or a boolean where the target is one. */
function labelFor(text: string, target: Column | undefined): string | number | boolean {
  if (target?.type === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  return target ? literalAs(target.type, text) : text
}

const columnsNamed = (names: readonly string[], source: SourceInfo): Column[] =>
  names.flatMap((name) => {
    const column = source.schema.find((one) => sameName(one.name, name))
    return column ? [column] : []
  })
