import { encode } from '../data/encode.ts'
import { encodeLabels, UNKNOWN_CLASS } from '../data/labels.ts'
import { type Columns, DataProblem, type NamedColumn } from '../data/tables.ts'
import { type ImageShape, medianFilter } from '../methods/influence/median-filter.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import { imageShape } from './image-shape.ts'
import { inputItems, readInputs, vectorsOf, withoutInput } from './inputs.ts'
import type { FittedModel, TrainingSet } from './models.ts'
import { onnxOf } from './onnx-model.ts'
import { unknownClass } from './unknown-class.ts'

/**
 * Training rows with other inputs: what filtering their images, or taking rows of the same key from another source, makes of them, encoded as the model's own
 * rows were when it was fitted. Rows that come out as they were are not among them. One query and one encoding of the rows concerned; of a filter its own cost beside.
 */
export type InputChange = { readonly kind: 'denoise'; readonly size: number } | { readonly kind: 'replace'; readonly source: string }

export interface ChangedRows {
  /** Indices into the training order, ascending. */
  readonly rows: Int32Array
  /** Their new inputs, rows × width, and new targets. */
  readonly x: Float32Array
  readonly y: Int32Array | Float32Array
  /** Rows that the change leaves without a target or an embedding: they leave the training rows. */
  readonly leaving: Int32Array
  /** The columns read, one row for each of `places`, which index the rows asked for. Images are filtered. */
  readonly read: Columns
  readonly places: Float64Array
  readonly notes: readonly string[]
}

export interface ChangeRequest {
  readonly change: InputChange
  /** The rows concerned, as indices into the training order. */
  readonly rows: Int32Array
  /** What they are called in a note. */
  readonly what: string
  readonly set: TrainingSet
  /** The table that holds the rows as they are: the model's source, or a view over it. */
  readonly from: string
}

const PLACE = 'assay place'
const quoted = (name: string, table?: string) => printExpr({ kind: 'column', name, table })

/** Throws `DataProblem` where the other source cannot stand for the rows, or an image has no known shape. */
export async function changedRows(ctx: RunContext, model: FittedModel, request: ChangeRequest): Promise<ChangedRows> {
  const { change, rows, set } = request
  const columns = await tableOfRows(ctx, rows, set, (touched) =>
    change.kind === 'denoise' ? filtered(ctx, model, change.size, request.from, touched) : replaced(ctx, model, change.source, touched),
  )
  const { plan } = model
  const encoding = model.trained!.encoding
  const source = change.kind === 'replace' ? change.source : plan.source
  const inputs = await readInputs(ctx, plan, columns, { source, encoding })
  await ctx.breathe()
  const { values, width } = encode(encoding, inputs.columns)
  const present = withoutInput(plan, inputs)
  const targets = change.kind === 'replace' && hasTarget(ctx, model, change.source) ? targetsOf(model, inputs) : undefined
  const places = numbersOf(columns, PLACE)
  const slack = onnxOf(plan) ? EMBEDDING_SLACK : 0
  const chosen: number[] = []
  const at: number[] = []
  const leaving: number[] = []
  for (let i = 0; i < columns.rows; i++) {
    const row = rows[places[i]!]!
    const target = targets ? targets[i]! : set.y[row]!
    if (present?.[i] === 0 || Number.isNaN(target) || (model.labels && target < 0)) leaving.push(row)
    else if (target !== set.y[row] || differs(values, i * width, set.x, row * width, width, slack)) {
      chosen.push(row)
      at.push(i)
    }
  }
  // Moved together in place: of images nearly all differ, and a copy would be as large as the training rows.
  for (const [j, i] of at.entries()) if (i !== j) values.copyWithin(j * width, i * width, (i + 1) * width)
  const x = values.subarray(0, chosen.length * width)
  const y = set.y.slice(0, chosen.length)
  for (const [j, i] of at.entries()) y[j] = targets ? targets[i]! : set.y[chosen[j]!]!
  const notes =
    change.kind === 'replace'
      ? replacementNotes(ctx, model, change.source, { ...request, found: columns.rows, leaving: leaving.length })
      : []
  return { rows: Int32Array.from(chosen), x, y, leaving: Int32Array.from(leaving), read: columns, places, notes }
}

/** A model in ONNX form may sum in another order where rows come in other batches: that is no change. */
const EMBEDDING_SLACK = 1e-5

function differs(a: Float32Array, from: number, b: Float32Array, to: number, width: number, slack: number): boolean {
  for (let j = 0; j < width; j++) {
    const gap = Math.abs(a[from + j]! - b[to + j]!)
    if (gap > slack * Math.max(1, Math.abs(b[to + j]!)) || Number.isNaN(gap)) return true
  }
  return false
}

/** The rows as a table of the run's database, dropped again: position in the source, and place among the rows asked for. */
async function tableOfRows<T>(ctx: RunContext, rows: Int32Array, set: TrainingSet, use: (table: string) => Promise<T>): Promise<T> {
  const table = 'assay changed rows'
  await ctx.tables.create(table, {
    rows: rows.length,
    columns: [
      { name: ROW, data: { kind: 'number', values: Float64Array.from(rows, (row) => set.positions[row]!), integer: true } },
      { name: PLACE, data: { kind: 'number', values: Float64Array.from(rows.keys()), integer: true } },
    ],
  })
  try {
    return await use(quoted(table))
  } finally {
    await ctx.tables.execute(`drop table if exists ${quoted(table)}`)
  }
}

/** The rows with their images filtered, in the order asked for. O(pixels) beside the query, see `medianFilter`. */
async function filtered(ctx: RunContext, model: FittedModel, size: number, from: string, touched: string): Promise<Columns> {
  const { plan } = model
  const own = [quoted(PLACE, 'f'), quoted(ROW, 's'), ...inputItems(plan, 's')]
  const sql = `select ${[...new Set(own)].join(', ')} from ${quoted(from)} s join ${touched} f on s.${quoted(ROW)} = f.${quoted(ROW)} order by f.${quoted(PLACE)}`
  const columns = await ctx.tables.query(sql, vectorsOf(plan))
  const images = new Set(plan.inputs.filter((input) => input.type === 'image').map((input) => input.name))
  if (images.size === 0) {
    throw new DataProblem(
      'no-image',
      `\`${plan.name}\` reads no image, so there is nothing to filter. Name a model whose \`from\` has an image.`,
    )
  }
  const shapes = new Map<number, ImageShape>()
  const changed: NamedColumn[] = []
  for (const column of columns.columns) {
    if (!images.has(column.name) || column.data.kind !== 'blob') {
      changed.push(column)
      continue
    }
    const { values, valid } = column.data
    const smooth = new Array<Uint8Array>(values.length)
    for (const [i, pixels] of values.entries()) {
      if (i % 1000 === 0) {
        ctx.step('filtering images', i, values.length)
        await ctx.breathe()
      }
      if (valid?.[i] === 0 || pixels.length === 0) {
        smooth[i] = pixels
        continue
      }
      let shape = shapes.get(pixels.length)
      if (shape === undefined) {
        shape = await imageShape(ctx, model, pixels.length)
        shapes.set(pixels.length, shape)
      }
      smooth[i] = medianFilter(pixels, shape, size)
    }
    changed.push({ ...column, data: { ...column.data, values: smooth } })
  }
  return { rows: columns.rows, columns: changed }
}

/** Rows of the other source with the keys of the rows asked for, in that order; those without one are not there. */
async function replaced(ctx: RunContext, model: FittedModel, source: string, touched: string): Promise<Columns> {
  const { plan } = model
  const keys = keysOf(ctx, model)
  await checkUnique(ctx, source, keys)
  const target = hasTarget(ctx, model, source) ? [`${quoted(plan.target.name, 'r')} as ${quoted(plan.target.name)}`] : []
  const items = [quoted(PLACE, 'f'), quoted(ROW, 'r'), ...inputItems(plan, 'r').map(named), ...target]
  const same = keys.map((key) => `s.${quoted(key)} = r.${quoted(key)}`).join(' and ')
  const sql = `select ${[...new Set(items)].join(', ')} from ${quoted(plan.source)} s join ${touched} f on s.${quoted(ROW)} = f.${quoted(ROW)} join ${quoted(source)} r on ${same} order by f.${quoted(PLACE)}`
  return ctx.tables.query(sql, vectorsOf(plan))
}

/** A column of the other source under the name that the model knows: spelling may differ in case. */
const named = (item: string): string =>
  /^(r\.|"r"\.)/.test(item) && !/ as /.test(item) ? `${item} as ${item.replace(/^(r|"r")\./, '')}` : item

export function keysOf(ctx: RunContext, { plan }: FittedModel): readonly string[] {
  const { key } = ctx.prepared.get(plan.source)!.plan
  if (key.length > 0) return key
  throw new DataProblem('replace-keyless', `Rows are replaced by their key, and \`${plan.source}\` declares none. Give it a \`key\`.`)
}

/** Whether the other source says what the rows' labels are; if not, they stay. */
export function hasTarget(ctx: RunContext, { plan }: FittedModel, source: string): boolean {
  return ctx.prepared.get(source)!.plan.columns.some((column) => column.name.toLowerCase() === plan.target.name.toLowerCase())
}

async function checkUnique(ctx: RunContext, source: string, keys: readonly string[]): Promise<void> {
  const list = keys.map((key) => quoted(key)).join(', ')
  const some = keys.map((key) => `${quoted(key)} is not null`).join(' and ')
  const twice = await ctx.tables.query(
    `select ${list}, count(*) as "assay n" from ${quoted(source)} where ${some} group by ${list} having count(*) > 1 order by ${list} limit 1`,
  )
  if (twice.rows === 0) return
  const key = twice.columns.slice(0, keys.length).map((column) => jsonAt(column.data, 0))
  const times = numberAt(namedColumn(twice, 'assay n'), 0) ?? 2
  throw new DataProblem(
    'replace-twice',
    `The key ${JSON.stringify(key.length === 1 ? key[0] : key)} stands ${times === 2 ? 'twice' : `${times} times`} in \`${source}\`, so it cannot be told which row replaces. Keep one of them.`,
  )
}

function targetsOf(model: FittedModel, columns: Columns): Int32Array | Float32Array {
  const { target } = model.plan
  const data = namedColumn(columns, target.name)
  const { values } = encodeLabels(model.labels ?? { kind: 'number', name: target.name }, data)
  if (values instanceof Int32Array) {
    const wrong = values.indexOf(UNKNOWN_CLASS)
    if (wrong >= 0) throw unknownClass(model, jsonAt(data, wrong) as string | number | boolean)
  }
  return values
}

function replacementNotes(
  ctx: RunContext,
  model: FittedModel,
  source: string,
  { rows, what, found, leaving }: Pick<ChangeRequest, 'rows' | 'what'> & { readonly found: number; readonly leaving: number },
): string[] {
  const { plan } = model
  const asked = rows.length
  const notes: string[] = []
  const stay = asked - found
  if (stay > 0) {
    notes.push(
      `${stay} of ${asked} ${what} ${stay === 1 ? 'has' : 'have'} no row with the same key in \`${source}\`: ${stay === 1 ? 'it stays' : 'they stay'} as ${stay === 1 ? 'it is' : 'they are'}.`,
    )
  }
  if (leaving > 0)
    notes.push(
      `${leaving} of them ${leaving === 1 ? 'has' : 'have'} nothing to learn from in \`${source}\` (no \`${plan.target.name}\`, or no embedding): ${leaving === 1 ? 'it counts' : 'they count'} as removed.`,
    )
  if (!hasTarget(ctx, model, source)) notes.push(`\`${source}\` has no \`${plan.target.name}\`: labels stay.`)
  return notes
}
