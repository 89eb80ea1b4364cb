import { encodeLabels } from '../data/labels.ts'
import { lossTable } from '../plan/tables.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { namedColumn, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { crossEntropies, isAnswered } from './metrics.ts'
import type { FittedModel } from './models.ts'
import type { Predictions } from './predictions.ts'

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** Makes a table of a model's loss on each row of a source: cross-entropy, or squared error; NULL where the target or the answer is not known. O(n). */
export async function registerLosses(ctx: RunContext, model: FittedModel, predictions: Predictions): Promise<void> {
  const { rows, width, values, source } = predictions
  const target = model.plan.target.name
  const columns = await ctx.tables.query(`select ${quoted(target)} from ${quoted(source)} order by ${quoted(ROW)}`)
  const losses = model.labels
    ? crossEntropies(values, width, Int32Array.from(encodeLabels(model.labels, namedColumn(columns, target)).values)).map((loss, i) =>
        isAnswered(values, i, width) ? loss : Number.NaN,
      )
    : numbersOf(columns, target).map((value, i) => (values[i]! - value) ** 2)
  const valid = Uint8Array.from(losses, (loss) => (Number.isNaN(loss) ? 0 : 1))
  await ctx.tables.create(lossTable({ model: model.plan.name, source }), {
    rows,
    columns: [
      { name: ROW, data: { kind: 'number', values: Float64Array.from({ length: rows }, (_, i) => i), integer: true } },
      { name: 'loss', data: { kind: 'number', values: losses, valid, integer: false } },
    ],
  })
}
