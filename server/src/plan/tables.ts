import type { ModelSpec, SourceSpec, Spec } from '../check/spec.ts'
import { printExpr, printSelect } from '../sql/print.ts'
import type { SqlExpr } from '../sql/tree.ts'
import { dataPlace, same, selectToSql, sourceNamed, toSql } from './expression.ts'
import { sourcesBehind } from './partition.ts'
import type { LossPlan, ModelPlan, PredictionPlan, SourcePlan } from './plan.ts'
import { canonicalSlice, partitionExpression } from './predicates.ts'

/**
 * Sources and models as a plan carries them: everything a declaration needs, in the order of making.
 */
export function sourcePlans(spec: Spec, names: readonly string[], keyed: (source: string) => boolean = () => true): SourcePlan[] {
  const made = new Map<string, SourcePlan>()
  const begun = new Set<string>()
  const visit = (name: string) => {
    const source = sourceNamed(spec, name)
    if (begun.has(source.name)) return
    begun.add(source.name)
    const over = sourcesBehind(spec, source.needs)
    for (const below of over) visit(below)
    made.set(source.name, sourcePlan(spec, source, { over, keyed: keyed(source.name) }))
  }
  for (const name of names) visit(name)
  return [...made.values()]
}

interface Needed {
  readonly over: readonly string[]
  readonly keyed: boolean
}

function sourcePlan(spec: Spec, source: SourceSpec, { over, keyed }: Needed): SourcePlan {
  const place = dataPlace(spec)
  return {
    name: source.name,
    reading: source.reading,
    select:
      source.view &&
      printSelect(
        selectToSql(
          source.view,
          place,
          source.schema.map((c) => c.name),
        ),
      ),
    over,
    columns: source.schema,
    key: source.key ?? [],
    keyed,
    split: source.split && {
      parts: source.split.parts.map((p) => ({ name: p.name, where: p.where && toSql(p.where, place), share: p.share })),
      hash: source.split.hash,
      seed: source.split.seed,
    },
    label: source.label,
  }
}

export function modelNamed(spec: Spec, name: string): ModelSpec {
  const found = spec.declarations.find((d) => d.kind === 'model' && same(d.name, name))
  if (found?.kind !== 'model') throw new Error(`no model ${name}: check should have refused it`)
  return found
}

export interface ModelPlanOptions {
  readonly seed?: number
  readonly slices: 'named' | 'left out'
}

export function modelPlan(spec: Spec, name: string, { seed, slices: which }: ModelPlanOptions): ModelPlan {
  const model = modelNamed(spec, name)
  if (model.model.kind === 'later') throw new Error(`${model.name} cannot run in this version`)
  const declarations = which === 'named' ? spec.declarations : []
  const slices = declarations.flatMap((d): { name: string; kind: 'slice' | 'partition'; sql: string }[] => {
    if (d.kind === 'slice' && same(d.source, model.source)) {
      return [{ name: d.name, kind: 'slice', sql: printExpr(toSql(canonicalSlice(spec, d.name).where, dataPlace(spec))) }]
    }
    if (d.kind === 'partition' && same(d.source, model.source)) {
      return [
        {
          name: d.name,
          kind: 'partition',
          sql: printExpr(partitionExpression(spec, d.name, (c): SqlExpr => ({ kind: 'column', name: c }))),
        },
      ]
    }
    return []
  })
  return {
    name: model.name,
    source: sourceNamed(spec, model.source).name,
    target: model.target,
    inputs: model.inputs,
    task: model.task,
    model: model.model,
    train: model.train && { ...model.train, seed: seed ?? model.train.seed },
    validate: model.validate,
    slices,
  }
}

/** Names of the prepared tables that hold a model's predictions for a source. */
export const predictionTable = (p: Pick<PredictionPlan, 'model' | 'source'>) => `assay predict ${p.model} ${p.source}`
export const lossTable = (l: LossPlan) => `assay loss ${l.model} ${l.source}`
export const scoreColumn = (label: string | number | boolean) => `score ${label}`
