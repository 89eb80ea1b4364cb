import type { RefSpec } from '../check/spec.ts'
import { DataProblem } from '../data/tables.ts'
import { printExpr } from '../sql/print.ts'
import { ROW, SPLIT } from '../sql/tree.ts'
import { numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { requireRows } from './handed-model.ts'
import type { FittedModel } from './models.ts'

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** Which training rows (in training order) belong to the rows that a declaration names; `undefined` when all do. */
export async function membership(ctx: RunContext, model: FittedModel, of: RefSpec): Promise<Uint8Array | undefined> {
  const { plan } = model
  const whole =
    of.source.toLowerCase() === plan.source.toLowerCase() &&
    (of.split === undefined || of.split.toLowerCase() === plan.train?.split.toLowerCase())
  if (!whole) requireRows(model, `Blaming rows of \`${of.source}${of.split === undefined ? '' : `.${of.split}`}\` alone`)
  if (of.source.toLowerCase() !== plan.source.toLowerCase()) return trainedAmong(ctx, model, of)
  if (of.split === undefined || of.split.toLowerCase() === plan.train?.split.toLowerCase()) return undefined
  const members = await trainedWhere(ctx, model, splitIs(of.split))
  if (!members.includes(1)) {
    throw new DataProblem(
      'not-training-rows',
      `No row of \`${of.source}.${of.split}\` was trained on: \`${plan.name}\` learned from \`${plan.train?.split}\`. Blame rows of that split.`,
    )
  }
  return members
}

/** Rows of a view over the model's source are known again by their key. */
async function trainedAmong(ctx: RunContext, model: FittedModel, of: RefSpec): Promise<Uint8Array> {
  const { plan } = model
  const { key } = ctx.prepared.get(plan.source)!.plan
  const names = new Set(ctx.prepared.get(of.source)!.plan.columns.map((column) => column.name.toLowerCase()))
  if (key.length === 0 || key.some((name) => !names.has(name.toLowerCase()))) {
    const remedy =
      key.length === 0
        ? `Give \`${plan.source}\` a \`key\`, and select it in \`${of.source}\`.`
        : `Select ${key.map((name) => `\`${name}\``).join(', ')} in \`${of.source}\`.`
    throw new DataProblem(
      'not-training-rows',
      `Which rows of \`${plan.source}\` are meant by rows of \`${of.source}\` can be told by their key only. ${remedy}`,
    )
  }
  const columns = key.map(quoted).join(', ')
  const where = of.split === undefined ? '' : ` where ${splitIs(of.split)}`
  const members = await trainedWhere(ctx, model, `(${columns}) in (select (${columns}) from ${quoted(of.source)}${where})`)
  if (!members.includes(1)) {
    throw new DataProblem('not-training-rows', `\`${plan.name}\` was trained on no row of \`${of.source}\`, so none of them can be blamed.`)
  }
  return members
}

const splitIs = (split: string) => `${quoted(SPLIT)} = ${printExpr({ kind: 'literal', value: split })}`

async function trainedWhere(ctx: RunContext, { plan, trained }: FittedModel, condition: string): Promise<Uint8Array> {
  const chosen = await positionsWhere(ctx, plan.source, condition)
  return Uint8Array.from(trained!.rows, (position) => (chosen.has(position) ? 1 : 0))
}

/** Positions of a source's rows for which a printed condition is true. */
export async function positionsWhere(ctx: RunContext, source: string, condition: string): Promise<Set<number>> {
  const columns = await ctx.tables.query(`select ${quoted(ROW)} from ${quoted(source)} where ${condition}`)
  return new Set(numbersOf(columns, ROW))
}
