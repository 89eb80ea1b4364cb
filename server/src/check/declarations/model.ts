import type * as ast from '../../../../grammar/src/ast.ts'
import { trainOptions } from '../../../../grammar/src/setting-table.ts'
import type { Column } from '../../sql/tree.ts'
import { clauseOf } from '../clauses.ts'
import { sameName } from '../names.ts'
import { directoryOf, joinPath } from '../paths.ts'
import { usableColumns } from '../rules/columns.ts'
import { checkLeaks } from '../rules/leaks.ts'
import { checkTarget } from '../rules/targets.ts'
import { find, findColumn, findSplit, type ModelInfo, report, type Site, type SourceInfo } from '../scope.ts'
import { type CheckedSetting, checkOptions, checkSetting, isName, literalValue } from '../settings.ts'
import type { ModelSpec, OnnxSpec } from '../spec.ts'
import { comparable, isWhole, literalAs } from '../types.ts'

export interface CheckedModel {
  readonly info: ModelInfo
  /** Absent where a part of it is not known. */
  readonly spec?: Omit<ModelSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>
}

/** Models that learn here: they need `train on`. */
const LEARNING = new Set(['logistic', 'linear', 'mlp', 'head', 'cnn', 'wrn', 'lstm'])
const LATER = new Set(['cnn', 'wrn', 'lstm', 'saved'])

export function checkModel(decl: ast.ModelDecl, site: Site): CheckedModel {
  const source = find(site, decl.on, 'source')
  const predict = clauseOf(decl, 'predict')
  const found = predict && findColumn(site, source, predict.column)
  const kindClause = clauseOf(decl, 'kind')
  const setting = kindClause && checkSetting(kindClause.setting, 'model kind', site)
  const kind = setting?.name
  const target = found && predict ? usableColumns([{ column: found, at: predict.column }], 'label', site)[0] : undefined
  if (predict && target && kind) checkTarget(kind, target, predict.column, site)

  const embedded = setting?.values.get('embedding')
  const computed = kind === 'onnx' || embedded?.kind !== 'setting' || embedded.called
  const takesNone = kind === 'column' || (kind === 'head' && !computed)
  const listed = checkInputs(clauseOf(decl, 'from'), takesNone ? kind : undefined, source, site)
  const embedding = embedded && isName(embedded) ? findColumn(site, source, embedded.name) : undefined
  const inputs = embedding && embedded && isName(embedded) ? [{ column: embedding, at: embedded.name }] : takesNone ? [] : listed
  if (source && target) checkLeaks(inputs, target, source, site)
  const usable = usableColumns(inputs, embedding ? 'embedding' : kind === 'onnx' || kind === 'head' ? 'feeding' : 'input', site)

  const train = checkTrain(clauseOf(decl, 'train'), source, site)
  const validateClause = clauseOf(decl, 'validate')
  const validate = validateClause && source && findSplit(site, source, validateClause.split)
  if (kind && LEARNING.has(kind) && !clauseOf(decl, 'train') && !site.entry.hasSyntaxError) {
    report(site, 'train-missing', kindClause?.keyword ?? decl, { kind })
  }
  if (train && validate && sameName(train.split, validate)) report(site, 'validates-on-training', validateClause.split, { split: validate })
  const patience = clauseOf(decl, 'train')?.options?.args.find((arg) => arg.label?.text.toLowerCase() === 'patience')
  if (patience && !validateClause && !site.entry.hasSyntaxError) report(site, 'patience-without-validate', patience, {})

  const model = setting && kindClause ? modelKind(setting, { clause: kindClause, source, target, embedding }, site) : undefined
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
  if (kind === 'logistic' || kind === 'head' || target?.type !== 'number') return 'classification'
  return isWhole(target) ? 'classification' : 'regression'
}

function checkInputs(
  clause: ast.ModelFromClause | undefined,
  needless: string | undefined,
  source: SourceInfo | undefined,
  site: Site,
): { readonly column: Column; readonly at: ast.Name }[] {
  if (clause && needless) report(site, 'needs-no-inputs', clause.keyword, { kind: needless })
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

interface KindParts {
  readonly clause: ast.KindClause
  readonly source: SourceInfo | undefined
  readonly target: Column | undefined
  /** The column that a head reads. */
  readonly embedding: Column | undefined
}

function modelKind(setting: CheckedSetting, { clause, source, target, embedding }: KindParts, site: Site): ModelSpec['model'] | undefined {
  const { name } = setting
  if (LATER.has(name)) return { kind: 'later', name }
  if (name === 'onnx') return onnxKind(setting, target, site)
  if (name === 'head') return headKind(setting, embedding, site)
  if (name === 'logistic' || name === 'linear') return { kind: name, l2: setting.number('l2') ?? 0.001 }
  if (name === 'mlp') return { kind: 'mlp', hidden: hiddenOf(setting.values.get('hidden')), l2: setting.number('l2') ?? 0.0001 }
  return columnKind(setting, clause, source, target, site)
}

function hiddenOf(value: ast.Value | undefined): number[] {
  if (value?.kind === 'number') return [value.value]
  if (value?.kind !== 'values') return [64]
  return value.items.flatMap((item) => (item.value.kind === 'number' ? [item.value.value] : []))
}

/** A head over a column, or over a layer of a model in ONNX form, which has classes of its own that are not asked for. */
function headKind(setting: CheckedSetting, column: Column | undefined, site: Site): ModelSpec['model'] | undefined {
  const given = setting.values.get('embedding')
  const l2 = setting.number('l2') ?? 0.001
  if (given?.kind !== 'setting') return undefined
  if (isName(given)) return column && { kind: 'head', embedding: { kind: 'column', column: column.name }, l2 }
  const onnx = checkSetting(given, 'model kind', site)
  const embedding = onnx && onnxKind(onnx, undefined, site)
  if (embedding === undefined) return undefined
  return { kind: 'head', embedding: { ...embedding, classes: undefined }, l2 }
}

function onnxKind(setting: CheckedSetting, target: Column | undefined, site: Site): OnnxSpec | undefined {
  const file = setting.text('file')
  if (file === undefined || file === '') return undefined
  const list = setting.values.get('classes')
  const classes = list?.kind === 'values' ? list.items.flatMap(({ value }) => classOf(value, target)) : undefined
  return { kind: 'onnx', path: joinPath(directoryOf(site.entry.module.path), file), output: setting.text('output'), classes }
}

function classOf(value: ast.Value, target: Column | undefined): (string | number | boolean)[] {
  if (isName(value)) return [labelFor(value.name.text, target)]
  const literal = literalValue(value)
  if (literal === undefined) return []
  return [target ? literalAs(target.type, literal) : literal]
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
