import type * as ast from '../../../../grammar/src/ast.ts'
import { clauseOf } from '../clauses.ts'
import { checkCondition, typeOf } from '../expressions.ts'
import { sameName } from '../names.ts'
import { checkImages, checkReplacement } from '../rules/changed-inputs.ts'
import { checkMeasure } from '../rules/measures.ts'
import { checkSuspects, labelValue } from '../rules/suspects.ts'
import { type ComplaintInfo, find, findColumn, type ModelInfo, report, type Site } from '../scope.ts'
import { rowScope } from '../select.ts'
import { checkSetting } from '../settings.ts'
import type { FixSpec, FixTargetSpec, InterveneSpec, MeasureSpec } from '../spec.ts'
import { comparable } from '../types.ts'

export type InterveneBody = Omit<InterveneSpec, 'kind' | 'name' | 'doc' | 'path' | 'span' | 'needs'>

export function checkIntervene(decl: ast.InterveneDecl, site: Site): InterveneBody | undefined {
  const complaint = find(site, clauseOf(decl, 'for')?.complaint, 'complaint')
  const model = complaint?.models[0]
  const fixes: FixSpec[] = []
  for (const clause of decl.clauses) {
    const fix = checkFix(clause, model, site)
    if (fix) fixes.push(fix)
  }
  const retrain = checkRetrain(clauseOf(decl, 'retrain'), complaint, site)
  const measures = clauseOf(decl, 'compare')?.measures.flatMap((measure) => checkMeasure(measure, model, site) ?? [])
  if (complaint === undefined) return undefined
  const compare: readonly MeasureSpec[] = measures ?? [{ kind: 'complaint', complaint: complaint.name, text: complaint.name }]
  return { complaint: complaint.name, fixes, retrain, compare }
}

function checkFix(clause: ast.InterveneClause, model: ModelInfo | undefined, site: Site): FixSpec | undefined {
  switch (clause.word) {
    case 'remove': {
      const target = targetOf(clause.target, model, site)
      return target && { kind: 'remove', target }
    }
    case 'relabel': {
      const to = clause.to && labelValue(clause.to, model, site)
      if (clause.to === undefined && model?.task === 'regression') report(site, 'missing-option', clause, { option: 'to', of: 'relabel' })
      const target = targetOf(clause.target, model, site)
      return target && { kind: 'relabel', target, to }
    }
    case 'denoise': {
      const filter = clause.filter && checkSetting(clause.filter, 'denoise', site)
      const target = targetOf(clause.target, model, site)
      checkImages(clause.keyword, model, site)
      return target && { kind: 'denoise', target, size: filter?.number('size') ?? 3 }
    }
    case 'replace': {
      const source = find(site, clause.source, 'source')
      const target = targetOf(clause.target, model, site)
      checkReplacement(clause.source, model, source, site)
      return source && target && { kind: 'replace', target, source: source.name }
    }
    case 'set':
      return checkSet(clause, model, site)
    default:
      return undefined
  }
}

const NO_MODEL = { kind: 'refused', where: 'an intervention' } as const

function checkSet(clause: Extract<ast.FixClause, { readonly word: 'set' }>, model: ModelInfo | undefined, site: Site): FixSpec | undefined {
  const source = model?.source
  const target = targetOf(clause.target, model, site)
  const column = findColumn(site, source, clause.column)
  if (source === undefined) return undefined
  const typed = typeOf(clause.value, rowScope(site, source, NO_MODEL, '`set`'))
  if (column && !comparable(column, clause.value, typed, clause.value)) {
    report(site, 'set-type', clause.value, { column: column.name, is: typed.type, wanted: column.type })
  }
  return column && target && { kind: 'set', column, value: clause.value, target }
}

function targetOf(target: ast.FixTarget, model: ModelInfo | undefined, site: Site): FixTargetSpec | undefined {
  if (target.kind === 'where') {
    if (model?.source) checkCondition(target.where, rowScope(site, model.source, NO_MODEL, '`where`'), '`where`')
    return target
  }
  const suspects = checkSuspects(target.suspects, model, site)
  return suspects && { kind: 'suspects', suspects }
}

function checkRetrain(clause: ast.RetrainClause | undefined, complaint: ComplaintInfo | undefined, site: Site): string[] {
  const models: string[] = []
  for (const name of clause?.models ?? []) {
    const model = find(site, name, 'model')
    if (model === undefined || complaint === undefined) continue
    if (models.includes(model.name)) report(site, 'repeated-column', name, { column: model.name })
    if (complaint.models.some((one) => sameName(one.name, model.name))) models.push(model.name)
    else
      report(site, 'retrain-other', name, { model: model.name, complaint: complaint.name, known: complaint.models.map((one) => one.name) })
  }
  return models
}
