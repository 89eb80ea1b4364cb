import { encode } from '../data/encode.ts'
import type { Columns } from '../data/tables.ts'
import type { Json, RankedRow } from '../protocol/results.ts'
import type { Picture } from '../protocol/views.ts'
import { jsonAt, namedColumn } from './columns.ts'
import type { RunContext } from './context.ts'
import { handedRows } from './handed-model.ts'
import { inputItems, readInputs, shownColumns, vectorsOf } from './inputs.ts'
import { keyAt, keyColumns, rowsAt } from './keys.ts'
import { argmax } from './metrics.ts'
import type { FittedModel } from './models.ts'
import { pictureOf } from './pictures.ts'
import type { Ranking } from './ranking.ts'
import { alternative, changesInputs } from './treatments.ts'

/**
 * Ranked rows as people see them: key, given label, the model's own opinion and how sure it is, what would be done, the values or the picture.
 * `ranking` holds all rows; values and pictures only the first of them, or a result of thousands of rows would be mostly decoration.
 */
const SHOWN = 100

export async function rankedRows(
  ctx: RunContext,
  model: FittedModel,
  ranking: Ranking,
): Promise<{ rows: RankedRow[]; pictures: Record<string, Picture> }> {
  const { plan, trained, labels } = model
  if (model.handed) return { rows: handedRows(model, ranking), pictures: {} }
  const source = ctx.prepared.get(plan.source)!.plan
  const positions = Array.from(ranking.rows, (row) => trained!.rows[row]!)
  const seen = shownColumns(plan, source)
  const names = [plan.target.name, ...seen.map((c) => c.name)]
  const found = await rowsAt(ctx, source, positions, names, { items: inputItems(plan, 's'), ...vectorsOf(plan) })
  const columns = positions.length === 0 ? found : await readInputs(ctx, plan, found, { source: plan.source, encoding: trained!.encoding })
  const width = trained!.architecture.outputs
  const predicted = await predictions(ctx, model, columns)
  const images = seen.filter((c) => c.type === 'image').map((c) => c.name)
  const plain = seen.filter((c) => c.type !== 'image' && c.type !== 'blob').map((c) => c.name)
  const pictures: Record<string, Picture> = {}
  const rows = positions.map((_, i): RankedRow => {
    const key = keyAt(columns, keyColumns(source), i)
    const shown = i < SHOWN
    if (shown && images[0] !== undefined) {
      const picture = pictureOf(columns, images[0], i, key)
      if (picture) pictures[JSON.stringify(key)] = picture
    }
    const given = trained!.y[ranking.rows[i]!]!
    const best = labels ? argmax(predicted, i, width) : 0
    return {
      key,
      influence: ranking.influence[i]!,
      rank: i + 1,
      treatment: treatmentWords(ranking, model, predicted, i, given),
      label: jsonAt(namedColumn(columns, plan.target.name), i),
      prediction: labels ? labels.values[best] : predicted[i],
      confidence: labels ? predicted[i * width + best] : undefined,
      values:
        shown && plain.length
          ? Object.fromEntries(plain.map((name): [string, Json] => [name, jsonAt(namedColumn(columns, name), i)]))
          : undefined,
    }
  })
  return { rows, pictures }
}

async function predictions(ctx: RunContext, model: FittedModel, columns: Columns): Promise<Float32Array> {
  const { encoding, architecture, theta } = model.trained!
  if (columns.rows === 0) return new Float32Array(0)
  const { values, rows } = encode(encoding, columns.columns)
  const session = await (await ctx.backend()).open(architecture, { rows, x: values })
  try {
    return await session.predict(theta, ctx.breathe)
  } finally {
    session.dispose()
  }
}

function treatmentWords(ranking: Ranking, model: FittedModel, p: Float32Array, i: number, given: number): string | undefined {
  const { treatment } = ranking
  if (treatment === undefined) return undefined
  // A row that the change leaves as it is has no influence, and 0 exactly.
  if (changesInputs(treatment)) return ranking.influence[i] === 0 ? 'none' : treatment.kind
  if (treatment === 'remove' || !model.labels) return 'remove'
  const { values } = model.labels
  const to = typeof treatment === 'object' ? treatment.to : alternative(p, i * values.length, values.length, given)
  return `relabel to ${String(values[to])}`
}
