import type * as ast from '../../../../grammar/src/ast.ts'
import { nearest } from '../../../../grammar/src/nearest.ts'
import { fold, sameName } from '../names.ts'
import { find, type ModelInfo, report, type Site, type SourceInfo, spoil, use } from '../scope.ts'
import { checkSetting, literalValue } from '../settings.ts'
import type { RefSpec, SuspectsSpec, TreatmentSpec } from '../spec.ts'
import { articled, literalAs } from '../types.ts'
import { checkImages, checkReplacement } from './changed-inputs.ts'
import { checkCount } from './quantities.ts'

/** Suspects are rows that the model may have learned from: a split of its source, the source itself, or a view of it. */
export function checkSuspects(suspects: ast.Suspects, model: ModelInfo | undefined, site: Site): SuspectsSpec | undefined {
  checkCount(suspects.top, 'The number of suspects', site)
  const of = blamedRows(suspects.of, model, site)
  const train = model?.trainSplit
  const needsTraining = suspects.by === 'influence' || suspects.by === 'self_influence'
  if (of?.split !== undefined && train !== undefined && !sameName(of.split, train) && needsTraining) {
    report(site, 'blame-untrained', suspects.of, { of: of.split, train })
  }
  const treatment = treatmentOf(suspects, model, site)
  return of && { top: suspects.top.value, of, by: suspects.by, treatment }
}

function blamedRows(name: ast.Name, model: ModelInfo | undefined, site: Site): RefSpec | undefined {
  const source = model?.source
  if (model === undefined || source === undefined) {
    spoil(site)
    return undefined
  }
  const split = source.splits.find((one) => sameName(one, name.text))
  if (split !== undefined) return { source: source.name, split }
  const entry = site.entry.module.scope.get(fold(name.text))
  if (entry?.decl.kind !== 'source') {
    if (entry === undefined && site.entry.module.missing.has(fold(name.text))) spoil(site)
    else {
      const known = [...source.splits, source.name]
      report(site, 'blame-unknown', name, { of: name.text, source: source.name, nearest: nearest(name.text, known), known: source.splits })
    }
    return undefined
  }
  const blamed = use(site, entry, name) as SourceInfo | undefined
  if (blamed === undefined) {
    spoil(site)
    return undefined
  }
  if (blamed.over.has(fold(source.name))) return { source: blamed.name }
  report(site, 'blame-elsewhere', name, { of: blamed.name, source: source.name, model: model.name })
  return undefined
}

function treatmentOf(suspects: ast.Suspects, model: ModelInfo | undefined, site: Site): TreatmentSpec {
  const setting = suspects.influenceOf && checkSetting(suspects.influenceOf, 'treatment', site)
  switch (setting?.name) {
    case 'remove':
      return { kind: 'remove' }
    case 'relabel': {
      const value = setting.values.get('to')
      return { kind: 'relabel', to: value && labelValue(value, model, site) }
    }
    case 'denoise':
      checkImages(suspects.influenceOf!, model, site)
      return { kind: 'denoise', size: setting.number('size') ?? 3 }
    case 'replace': {
      const value = setting.values.get('with')
      const source = value?.kind === 'setting' ? find(site, value.name, 'source') : undefined
      checkReplacement(suspects.influenceOf!, model, source, site)
      return { kind: 'replace', source: source?.name ?? '' }
    }
    default:
      return { kind: 'auto' }
  }
}

/** A label to give rows: a literal of the target's type. */
export function labelValue(value: ast.Value, model: ModelInfo | undefined, site: Site): string | number | boolean | undefined {
  const target = model?.target
  const literal = literalValue(value)
  if (target === undefined || target.type === 'unknown') return literal
  const given = literal === undefined ? undefined : literalAs(target.type, literal)
  const type = typeof given === 'number' ? 'number' : typeof given === 'boolean' ? 'boolean' : 'text'
  if (given === undefined) report(site, 'wrong-option', value, { option: 'to', wanted: `a literal that is ${articled(target.type)}` })
  else if (type !== target.type) report(site, 'relabel-value', value, { type, target: target.name, wanted: target.type })
  return given
}
