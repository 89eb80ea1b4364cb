import type { Columns } from '../data/tables.ts'
import type { ComplaintTask } from '../plan/plan.ts'
import { groupColumn } from '../plan/provenance/lineage.ts'
import { jsonAt, namedColumn } from './columns.ts'
import type { Slopes } from './complaint-weights.ts'
import type { FittedModel } from './models.ts'
import type { Predictions } from './predictions.ts'

/** A model's answers about a table. */
export interface Asked {
  readonly model: FittedModel
  readonly predictions: Predictions
}

export const answersOf = (asked: readonly Asked[], model: string, source: string): Asked =>
  asked.find((a) => a.model.plan.name === model && a.predictions.source === source)!

/** Seeds by group: ∂q/∂slot. */
export type Pull = Map<number, Float64Array>

/** A complaint's relaxed query, evaluated: the groups that its result may have, and what moves them. */
export interface Relaxed {
  readonly by: 'typed arrays' | 'database'
  readonly size: number
  slots(group: number): Float64Array
  /** The group of a row of the hard answer. */
  find(hard: Columns, row: number): number | undefined
  /** ∂(Σ seed·slot)/∂p for each of the blamed model's tables. */
  derivatives(blamed: readonly Asked[], pull: Pull): Promise<readonly Slopes[]>
}

/** Of a row of an answer, the columns that identify its group. */
export function keysOf(columns: Columns, task: ComplaintTask): (row: number) => string {
  const data = Array.from({ length: task.groups }, (_, i) => namedColumn(columns, groupColumn(i)))
  return (row) => JSON.stringify(data.map((d) => jsonAt(d, row)))
}
