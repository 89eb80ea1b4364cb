import type * as ast from '../../../grammar/src/ast.ts'
import type { Spec } from '../check/spec.ts'
import type { SqlExpr, SqlSelect } from '../sql/tree.ts'
import { ROW } from '../sql/tree.ts'
import { type Place, sourceNamed } from './expression.ts'
import type { PredictionPlan } from './plan.ts'
import { modelNamed, predictionTable, scoreColumn } from './tables.ts'

/**
 * A place over the rows of one source where models may speak: `predict(c)` and `score(c, k)` become columns of the models' prediction tables,
 * joined by position. Collects which predictions are asked for while expressions are compiled.
 */
export interface PredictedPlace extends Place {
  readonly predictions: () => readonly PredictionPlan[]
  readonly joins: () => NonNullable<SqlSelect['joins']>
}

export function predictedPlace(spec: Spec, source: string, alias: string): PredictedPlace {
  const name = sourceNamed(spec, source).name
  const asked = new Map<string, Set<string | number | boolean>>()
  const ask = (model: string) => {
    const canonical = modelNamed(spec, model).name
    const scores = asked.get(canonical) ?? new Set()
    asked.set(canonical, scores)
    return { canonical, scores }
  }
  const joined = (model: string, column: string): SqlExpr => ({ kind: 'column', table: predictionAlias(model), name: column })
  return {
    spec,
    table: () => alias,
    predict: (model) => joined(ask(model).canonical, 'prediction'),
    score: (model, label) => {
      const { canonical, scores } = ask(model)
      const value = literalLabel(label)
      scores.add(value)
      return joined(canonical, scoreColumn(value))
    },
    predictions: () => [...asked].map(([model, scores]) => ({ model, source: name, scores: [...scores] })),
    joins: () =>
      [...asked.keys()].map((model) => ({
        side: 'left' as const,
        from: { kind: 'table' as const, name: predictionTable({ model, source: name }), alias: predictionAlias(model) },
        on: {
          kind: 'binary' as const,
          op: '=' as const,
          left: { kind: 'column' as const, table: predictionAlias(model), name: ROW },
          right: { kind: 'column' as const, table: alias, name: ROW },
        },
      })),
  }
}

const predictionAlias = (model: string) => `assay p ${model}`

export function literalLabel(label: ast.Expr): string | number | boolean {
  if (label.kind === 'string' || label.kind === 'number' || label.kind === 'boolean') return label.value
  if (label.kind === 'unary' && label.op === '-' && label.operand.kind === 'number') return -label.operand.value
  throw new Error('the class in score() must be a literal: check should have refused it')
}
