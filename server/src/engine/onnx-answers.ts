import { type ClassValue, fitLabels, type LabelEncoding } from '../data/labels.ts'
import { DataProblem } from '../data/tables.ts'
import { listed, type Port, type UserModel } from '../learn/backends/onnx/user-model.ts'
import type { ModelPlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { ROW } from '../sql/tree.ts'
import { namedColumn } from './columns.ts'
import type { RunContext } from './context.ts'
import { inputItems, queryInputs } from './inputs.ts'
import { type Outputs, onnxOf, openedModel, outputsFor } from './onnx-model.ts'

/**
 * What the numbers of a model in ONNX form mean. Of several outputs the one is read that is named, else probabilities before scores before the first
 * one with numbers, else labels. Numbers whose rows sum to 1 are probabilities, others are put through a softmax (one column: a sigmoid, the probability
 * of the second class); decided once, on the rows of the model's own source. Classes go by the names given, else by the file's own, else they are the label's distinct
 * values, ascending.
 */
export interface OnnxReading {
  readonly output: string
  readonly link: 'probabilities' | 'softmax' | 'second' | 'sigmoid' | 'labels' | 'value'
  /** The class of each column, or of each integer label; none: labels are the classes’ own names. */
  readonly classes: readonly number[]
}

export interface OnnxFacts {
  readonly labels?: LabelEncoding & { readonly kind: 'classes' }
  readonly reading: OnnxReading
  readonly notes: readonly string[]
}

/** Runs the model over its own source: what comes out decides how it is read. */
export async function onnxFacts(ctx: RunContext, plan: ModelPlan): Promise<OnnxFacts> {
  const onnx = onnxOf(plan)!
  const user = await openedModel(ctx, onnx, 'answers')
  const output = outputOf(plan, user, onnx.output)
  const outputs = await outputsOver(ctx, plan, plan.source, output)
  if (plan.task === 'regression') {
    if (outputs.labels || outputs.width !== 1) throw shape(plan, output, outputs, 'one number a row predicts a number')
    return { reading: { output, link: 'value', classes: [] }, notes: [] }
  }
  if (outputs.labels) return labelFacts(ctx, plan, output, outputs)
  const link = linkOf(outputs)
  const columns = outputs.width === 1 ? 2 : outputs.width
  const given = onnx.classes ?? ownClasses(plan, user)
  const names = given?.map((name) => asTarget(plan, name))
  if (names && (names.length !== columns || new Set(names).size !== columns)) {
    throw shape(plan, output, outputs, `${names.length} classes are named: ${words(names)}. Each of its columns needs a name of its own`)
  }
  const labels = await classesOf(ctx, plan, names ?? [])
  if (!names && labels.values.length !== columns) {
    throw shape(
      plan,
      output,
      outputs,
      `\`${plan.target.name}\` has ${labels.values.length} distinct values: ${words(labels.values)}. Name what the columns stand for, as \`onnx('file', classes: ['cat', 'dog'])\``,
    )
  }
  const classes = (names ?? labels.values).map((name) => labels.values.indexOf(name))
  return { labels, reading: { output, link, classes }, notes: notesFor(plan, output, link) }
}

/** Probabilities (rows × classes) or values (rows × 1) for every row of a source; zeros, or NaN, where there is no answer. */
export async function onnxPredictions(
  ctx: RunContext,
  plan: ModelPlan,
  { labels, reading }: Pick<OnnxFacts, 'labels' | 'reading'>,
  source: string,
): Promise<{ readonly rows: number; readonly width: number; readonly values: Float32Array }> {
  const outputs = await outputsOver(ctx, plan, source, reading.output)
  const { rows, valid } = outputs
  if (!labels) {
    const values = outputs.values.slice()
    for (let i = 0; i < rows; i++) if (valid?.[i] === 0) values[i] = Number.NaN
    return { rows, width: 1, values }
  }
  const width = labels.values.length
  const values = new Float32Array(rows * width)
  if (outputs.labels) {
    const index = new Map(labels.values.map((value, c) => [value, c]))
    for (let i = 0; i < rows; i++) {
      const label = outputs.labels[i]!
      const place = reading.classes.length > 0 ? reading.classes[Number(label)] : index.get(asTarget(plan, label))
      const c = valid?.[i] === 0 ? undefined : place
      if (c !== undefined) values[i * width + c] = 1
    }
    return { rows, width, values }
  }
  const own = new Float64Array(Math.max(2, outputs.width))
  for (let i = 0; i < rows; i++) {
    if (valid?.[i] === 0) continue
    linked(reading.link, outputs, i, own)
    for (const [column, c] of reading.classes.entries()) values[i * width + c] = own[column]!
  }
  return { rows, width, values }
}

async function outputsOver(ctx: RunContext, plan: ModelPlan, source: string, output: string): Promise<Outputs> {
  const onnx = onnxOf(plan)!
  const quoted = (name: string) => printExpr({ kind: 'column', name })
  const sql = `select ${inputItems(plan).join(', ')} from ${quoted(source)} order by ${quoted(ROW)}`
  const columns = await queryInputs(ctx, plan, { sql, source })
  const user = await openedModel(ctx, onnx, 'answers')
  return outputsFor(ctx, plan, { onnx, user, output }, columns)
}

function outputOf(plan: ModelPlan, user: UserModel & { readonly revealed?: string }, named: string | undefined): string {
  if (named !== undefined) return user.revealed!
  const fractions = user.outputs.filter((port) => port.type === 'float32' || port.type === 'float64')
  if (plan.task === 'regression' && fractions[0]) return fractions[0].name
  const like = (pattern: RegExp) => fractions.find((port) => pattern.test(port.name))
  const flat = (port: Port) => port.shape.length === 2
  const best = like(/prob/i) ?? like(/logit|score/i) ?? fractions.find(flat) ?? fractions[0]
  if (best) return best.name
  if (user.outputs.some((port) => port.type === undefined)) {
    throw wrong(
      plan,
      "gives its probabilities as a list of maps (ZipMap): convert it again with a plain table, `options={'zipmap': False}` in skl2onnx",
    )
  }
  const label = plan.task === 'classification' ? user.outputs.find((port) => /^(int32|int64|string)$/.test(port.type ?? '')) : undefined
  if (label) return label.name
  throw wrong(
    plan,
    `has no output that can be read as ${plan.task === 'regression' ? 'a number' : 'classes'}: ${listed(user.outputs.map((port) => port.name))}`,
  )
}

async function labelFacts(ctx: RunContext, plan: ModelPlan, output: string, outputs: Outputs): Promise<OnnxFacts> {
  if (outputs.width !== 1) throw shape(plan, output, outputs, 'labels come one a row')
  const found = [...new Set(outputs.labels)]
  const places = onnxOf(plan)!.classes ?? (plan.target.type === 'text' && found.every((name) => typeof name === 'number') ? [] : undefined)
  const labels = await classesOf(
    ctx,
    plan,
    (places ?? found).map((name) => asTarget(plan, name)),
  )
  if (places) {
    // Integers where names are wanted are places in the list of classes.
    const names = places.length > 0 ? places.map((name) => asTarget(plan, name)) : labels.values
    const outside = found.find((place) => names[Number(place)] === undefined)
    if (outside !== undefined)
      throw shape(
        plan,
        output,
        outputs,
        `label ${outside} has no place among ${words(names)}. Name all classes, as \`onnx('file', classes: ['cat', 'dog'])\``,
      )
    return {
      labels,
      reading: { output, link: 'labels', classes: names.map((name) => labels.values.indexOf(name)) },
      notes: [labelNote(output)],
    }
  }
  return { labels, reading: { output, link: 'labels', classes: [] }, notes: [labelNote(output)] }
}

const labelNote = (output: string) => `\`${output}\` gives labels without probabilities: relaxed values are the counted ones.`

/** The label's distinct values, and classes that the model knows beside them, ascending. */
async function classesOf(
  ctx: RunContext,
  plan: ModelPlan,
  names: readonly ClassValue[],
): Promise<LabelEncoding & { readonly kind: 'classes' }> {
  const target = printExpr({ kind: 'column', name: plan.target.name })
  const source = printExpr({ kind: 'column', name: plan.source })
  const literals = names.map((value) => printExpr({ kind: 'literal', value })).join(', ')
  const more = names.length > 0 ? ` union select unnest([${literals}])` : ''
  const values = await ctx.tables.query(`select distinct ${target} from ${source} where ${target} is not null${more}`)
  const labels = fitLabels(plan.target.name, namedColumn(values, plan.target.name), 'classification')
  if (labels.kind !== 'classes') throw new Error('classification has classes')
  return labels
}

/** The file's names, where they are of the target's kind: numbers for a text are places in a list that is not in the file. */
function ownClasses(plan: ModelPlan, user: UserModel): readonly ClassValue[] | undefined {
  const names = user.outline.classes
  if (names === undefined || (plan.target.type === 'text' && names.every((name) => typeof name === 'number'))) return undefined
  return names
}

function asTarget({ target }: ModelPlan, name: ClassValue): ClassValue {
  if (target.type === 'number') return Number.isFinite(Number(name)) ? Number(name) : String(name)
  if (target.type === 'boolean') return typeof name === 'boolean' ? name : /^(true|t|yes|y|1)$/i.test(String(name))
  return String(name)
}

const SLACK = 1e-3

function linkOf({ rows, width, values, valid }: Outputs): OnnxReading['link'] {
  for (let i = 0; i < rows; i++) {
    if (valid?.[i] === 0) continue
    let sum = 0
    let inside = true
    for (let c = 0; c < width; c++) {
      const value = values[i * width + c]!
      sum += value
      if (value < -SLACK || value > 1 + SLACK) inside = false
    }
    if (!inside || (width > 1 && Math.abs(sum - 1) > SLACK)) return width === 1 ? 'sigmoid' : 'softmax'
  }
  return width === 1 ? 'second' : 'probabilities'
}

function linked(link: OnnxReading['link'], { width, values }: Outputs, row: number, out: Float64Array): void {
  const at = row * width
  if (width === 1) {
    const value = values[at]!
    out[1] = link === 'sigmoid' ? 1 / (1 + Math.exp(-value)) : Math.min(1, Math.max(0, value))
    out[0] = 1 - out[1]!
    return
  }
  if (link !== 'softmax') {
    for (let c = 0; c < width; c++) out[c] = Math.max(0, values[at + c]!)
    return
  }
  let most = Number.NEGATIVE_INFINITY
  for (let c = 0; c < width; c++) most = Math.max(most, values[at + c]!)
  let sum = 0
  for (let c = 0; c < width; c++) sum += out[c] = Math.exp(values[at + c]! - most)
  for (let c = 0; c < width; c++) out[c]! /= sum
}

function notesFor(plan: ModelPlan, output: string, link: OnnxReading['link']): string[] {
  if (link === 'softmax') return [`\`${output}\` of \`${plan.name}\` holds scores, no probabilities: they are put through a softmax.`]
  return link === 'sigmoid'
    ? [`\`${output}\` of \`${plan.name}\` holds one score a row: the second class’s probability is its sigmoid.`]
    : []
}

const words = (names: readonly ClassValue[]) => `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`
const wrong = (plan: ModelPlan, why: string) => new DataProblem('onnx', `\`${onnxOf(plan)!.path}\` ${why}.`)
const shape = (plan: ModelPlan, output: string, { width }: Outputs, why: string) =>
  wrong(plan, `gives ${width} ${width === 1 ? 'number' : 'numbers'} a row as \`${output}\`, and ${why}`)
