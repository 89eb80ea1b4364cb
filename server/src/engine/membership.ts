import type { RefSpec } from '../check/spec.ts'
import { DataProblem } from '../data/tables.ts'
import { printExpr } from '../sql/print.ts'
import { ROW, SPLIT } from '../sql/tree.ts'
import { numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** Which training rows (in training order) belong to the rows that a declaration names; `undefined` when all do. */
export async function membership(ctx: RunContext, model: FittedModel, of: RefSpec): Promise<Uint8Array | undefined> {
  const { plan, trained } = model
  if (of.source.toLowerCase() !== plan.source.toLowerCase()) {
    throw new DataProblem(
      'not-training-rows',
      `\`${plan.name}\` learned from \`${plan.source}\`, so only rows of it can be blamed, not rows of \`${of.source}\`.`,
    )
  }
  if (of.split === undefined || of.split.toLowerCase() === plan.train?.split.toLowerCase()) return undefined
  const condition = `${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: of.split })}`
  const chosen = await positionsWhere(ctx, plan.source, condition)
  const members = Uint8Array.from(trained!.rows, (position) => (chosen.has(position) ? 1 : 0))
  if (!members.includes(1)) {
    throw new DataProblem(
      'not-training-rows',
      `No row of \`${of.source}.${of.split}\` was trained on: \`${plan.name}\` learned from \`${plan.train?.split}\`. Blame rows of that split.`,
    )
  }
  return members
}

/** Positions of a source's rows for which a printed condition is true. */
export async function positionsWhere(ctx: RunContext, source: string, condition: string): Promise<Set<number>> {
  const columns = await ctx.tables.query(`select ${quoted(ROW)} from ${quoted(source)} where ${condition}`)
  return new Set(numbersOf(columns, ROW))
}
