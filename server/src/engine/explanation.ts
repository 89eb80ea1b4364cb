import { describeRows } from '../methods/slices/describe-rows.ts'
import { SUSPECTS } from '../plan/explanation.ts'
import type { ExplanationPlan } from '../plan/plan.ts'
import type { ExplainedSlice } from '../protocol/results.ts'
import { createAs } from '../sql/statements.ts'
import { ROW } from '../sql/tree.ts'
import type { RunContext } from './context.ts'
import { saidOf } from './discovery.ts'
import { discoveryRows } from './discovery-rows.ts'
import { argmax } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { labelColumn } from './predictions.ts'
import { type Ranking, trainingPredictions } from './ranking.ts'
import { codingColumns } from './slice-columns.ts'

/**
 * What the suspects of a complaint have in common (`explain by slices`): short conditions that tell them from the other rows that could be blamed. The
 * columns are binned and coded by the database as for `discover`; the search is `methods/slices/describe-rows.ts`, where the score is defined.
 */
export interface Explanation {
  readonly explanation: readonly ExplainedSlice[]
  readonly notes: readonly string[]
}

export interface ExplanationAsked {
  readonly plan: ExplanationPlan
  readonly model: FittedModel
  readonly ranking: Ranking
  /** Which training rows could have been blamed; all of them where absent. */
  readonly members: Uint8Array | undefined
}

const MOST_SLICES = 5
const FALSE_DISCOVERIES = 0.05
/** A condition names at least two suspects, and one in twenty of them. */
const supportOf = (suspects: number) => Math.max(2, Math.ceil(suspects / 20))
/** Visits of rows that a search may take at most, before any pruning: some seconds. */
const MOST_VISITS = 2e9

/** Cost: two or three aggregate queries a column, and searches of up to three conditions; fewer conditions where the columns are too many. */
export async function explainSuspects(ctx: RunContext, { plan, model, ranking, members }: ExplanationAsked): Promise<Explanation> {
  const suspects = ranking.rows.length
  const { trained } = model
  if (!trained || suspects === 0) return { explanation: [], notes: [] }
  const candidates = Int32Array.from(trained.rows, (_, i) => i).filter((i) => members === undefined || members[i] === 1)
  const n = candidates.length
  const unexplained = (why: string): Explanation => ({ explanation: [], notes: [...plan.notes, `The suspects are not described: ${why}`] })
  if (suspects < 2) return unexplained('there is one only. Blame more rows.')
  if (suspects >= n) return unexplained('every row that could be blamed is one of them. Blame fewer rows.')
  ctx.step('describing suspects', 0, 0)
  await registerSuspects(ctx, { plan, model, ranking }, candidates)
  const view = `assay explained ${plan.source}`
  await ctx.tables.execute(createAs('view', view, plan.rowsSql))
  const support = supportOf(suspects)
  const coded = await codingColumns(ctx, plan.columns, { view, alias: 'r', rows: n, support })
  const skipped = coded.flatMap((c) => c.skipped ?? [])
  const columns = coded.filter((c) => c.skipped === undefined && c.values.length > 0)
  if (columns.length === 0)
    return unexplained([...skipped, 'There is no column to describe them by: name some, `explain by slices over …`.'].join(' '))
  const { codes, errors } = await discoveryRows(ctx, { columns, rowsView: view })
  const depth = depthFor(n, columns.length, plan.depth)
  const options = { top: MOST_SLICES, support, depth, falseDiscoveryRate: FALSE_DISCOVERIES }
  const { descriptions, hypotheses } = await describeRows(codes, Uint8Array.from(errors), options, ctx.token)
  const notes = [...plan.notes, ...skipped]
  if (depth < plan.depth)
    notes.push(
      `With ${columns.length} columns over ${n} rows, suspects were described by at most ${conditions(depth)}: name fewer in \`over\`.`,
    )
  if (descriptions.length === 0) notes.push(nothingFound(hypotheses, support, depth))
  return {
    explanation: descriptions.map(({ marked, ...figures }): ExplainedSlice => {
      const { predicates, where } = saidOf(figures, columns)
      return { ...figures, predicates, where, suspects: marked }
    }),
    notes,
  }
}

/** The rows that could be blamed, by position: whether they are suspects, and what the model says of them. */
async function registerSuspects(
  ctx: RunContext,
  { plan, model, ranking }: Pick<ExplanationAsked, 'plan' | 'model' | 'ranking'>,
  candidates: Int32Array,
): Promise<void> {
  const blamed = new Set(ranking.rows)
  const number = (values: Float64Array, integer: boolean) => ({ kind: 'number' as const, values, integer })
  const isPredicted = plan.columns.some((c) => c.predicted)
  await ctx.tables.create(SUSPECTS, {
    rows: candidates.length,
    columns: [
      {
        name: ROW,
        data: number(
          Float64Array.from(candidates, (i) => model.trained!.rows[i]!),
          true,
        ),
      },
      {
        name: 'assay error',
        data: number(
          Float64Array.from(candidates, (i) => (blamed.has(i) ? 1 : 0)),
          true,
        ),
      },
      ...(isPredicted ? [{ name: 'prediction', data: await said(ctx, model, candidates) }] : []),
    ],
  })
}

async function said(ctx: RunContext, model: FittedModel, rows: Int32Array) {
  const { probabilities, width } = await trainingPredictions(ctx, model)
  if (!model.labels) return { kind: 'number' as const, values: Float64Array.from(rows, (i) => probabilities[i]!), integer: false }
  return labelColumn(
    rows.map((i) => argmax(probabilities, i, width)),
    model.labels.values,
  )
}

function depthFor(rows: number, columns: number, most: number): number {
  let sets = columns
  let visits = rows * sets
  for (let depth = 2; depth <= most; depth++) {
    sets *= (columns - depth + 1) / depth
    visits += rows * Math.max(0, sets)
    if (visits > MOST_VISITS) return depth - 1
  }
  return most
}

const conditions = (depth: number) => (depth === 1 ? 'one condition' : `${depth} conditions`)

function nothingFound(looked: number, support: number, depth: number): string {
  if (looked === 0) return `The suspects are not described: no condition is met by ${support} rows or more.`
  return `Nothing tells the suspects from the other rows: of ${looked} conditions and combinations of up to ${conditions(depth)}, none is met by them more often than chance would have it (q-value of at most ${FALSE_DISCOVERIES}).`
}
