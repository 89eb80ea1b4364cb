import type { Columns } from '../data/tables.ts'
import type { ComplaintTask, ExpectationPlan, OutputTree } from '../plan/plan.ts'
import type { ExpectationResult, Json } from '../protocol/results.ts'
import { ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt, numbersOf } from './columns.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'
import { type Predictions, registerClasses, registerPredictions } from './predictions.ts'

/**
 * A complaint's query, hard and relaxed (METHODS §4; R §5). The lineage gives, for each row i and class c that can reach the result, the
 * values v_ic that enter each sum; a sum is Σ_i Σ_c p_ic·v_ic, an output a small tree over sums. Cost: O(lineage rows × sums), one pass.
 */
export interface Evaluated {
  readonly expectations: readonly ExpectationResult[]
  /** ∂q/∂p, rows × classes (for regression ∂q/∂ŷ, rows × 1), q = Σ ± relaxed values of what is not as expected, signed so that more is better. */
  readonly weights: Float32Array
  /** Sum of |weights|: zero where nothing stands, or no row can change the answer. */
  readonly weight: number
}

export async function evaluateComplaint(
  ctx: RunContext,
  task: ComplaintTask,
  model: FittedModel,
  predictions: Predictions,
): Promise<Evaluated> {
  await registerPredictions(ctx, model, predictions, task.predictions[0]?.scores ?? [])
  if (model.labels) await registerClasses(ctx, model)
  const hard = await ctx.tables.query(task.hardSql)
  const lineage = new Lineage(await ctx.tables.query(task.lineageSql), task, model, predictions)
  await ctx.breathe()
  const weights = new Float32Array(predictions.rows * predictions.width)
  const expectations: ExpectationResult[] = []
  for (const [i, expectation] of task.expectations.entries()) {
    const actuals = namedColumn(hard, `assay actual ${i}`)
    const wanted = namedColumn(hard, `assay expect ${i}`)
    for (let row = 0; row < hard.rows; row++) {
      if (wanted.kind !== 'boolean' || wanted.values[row] !== 1) continue
      const group = groupOf(hard, row, task)
      const actual = numberAt(actuals, row)
      const place = lineage.group(groupKey(hard, row, task))
      const sums = place === undefined ? new Float64Array(task.slots) : lineage.sums(place)
      const relaxed = finite(treeValue(expectation.tree, sums))
      const push = direction(expectation, actual ?? undefined)
      expectations.push({
        expect: expectation.text,
        group,
        actual,
        relaxed,
        expected: expectedOf(expectation),
        satisfied: push === 0,
      })
      if (push === 0 || place === undefined) continue
      const slopes = new Float64Array(task.slots)
      addSlopes(expectation.tree, sums, push, slopes)
      if (slopes.every(Number.isFinite)) lineage.addWeights(place, slopes, weights)
    }
  }
  let weight = 0
  for (const w of weights) weight += Math.abs(w)
  return { expectations, weights, weight }
}

/** Sums of the lineage by output group; the rows of one group are chained, so that weights are written in one pass. */
class Lineage {
  private readonly groups = new Map<string, number>()
  private readonly groupOfRow: Int32Array
  private readonly totals: Float64Array[] = []
  private readonly slots: Float64Array[]
  private readonly cell: Int32Array
  private readonly regression: boolean
  private readonly task: ComplaintTask
  private readonly rowsOfGroup: Int32Array[] = []

  constructor(columns: Columns, task: ComplaintTask, model: FittedModel, predictions: Predictions) {
    this.task = task
    this.regression = model.labels === undefined
    const rows = numbersOf(columns, ROW)
    const classes = numbersOf(columns, 'assay class')
    const width = predictions.width
    const total = this.regression ? task.slots * 2 : task.slots
    this.slots = Array.from({ length: total }, (_, s) => numbersOf(columns, `assay slot ${s}`))
    this.cell = new Int32Array(columns.rows)
    this.groupOfRow = new Int32Array(columns.rows)
    const counts: number[] = []
    for (let r = 0; r < columns.rows; r++) {
      const cell = rows[r]! * width + (this.regression ? 0 : classes[r]!)
      this.cell[r] = cell
      const key = groupKey(columns, r, task)
      let g = this.groups.get(key)
      if (g === undefined) {
        g = this.totals.length
        this.groups.set(key, g)
        this.totals.push(new Float64Array(task.slots))
        counts.push(0)
      }
      this.groupOfRow[r] = g
      counts[g]!++
      const p = this.regression ? 1 : predictions.values[cell]!
      const sums = this.totals[g]!
      for (let s = 0; s < task.slots; s++) sums[s]! += p * this.slots[s]![r]!
    }
    const next = counts.map(() => 0)
    for (const n of counts) this.rowsOfGroup.push(new Int32Array(n))
    for (let r = 0; r < columns.rows; r++) {
      const g = this.groupOfRow[r]!
      this.rowsOfGroup[g]![next[g]!++] = r
    }
  }

  group(key: string): number | undefined {
    return this.groups.get(key)
  }

  sums(group: number): Float64Array {
    return this.totals[group]!
  }

  addWeights(group: number, slopes: Float64Array, weights: Float32Array): void {
    for (const r of this.rowsOfGroup[group]!) {
      let w = 0
      for (let s = 0; s < this.task.slots; s++) {
        const value = this.slots[s]![r]!
        w += slopes[s]! * (this.regression ? this.slots[s + this.task.slots]![r]! - value : value)
      }
      weights[this.cell[r]!]! += w
    }
  }
}

function groupKey(columns: Columns, row: number, task: ComplaintTask): string {
  return task.groupColumns.length === 0
    ? ''
    : JSON.stringify(task.groupColumns.map((_, i) => jsonAt(namedColumn(columns, `assay group ${i}`), row)))
}

function groupOf(columns: Columns, row: number, task: ComplaintTask): Record<string, Json> | undefined {
  if (task.groupColumns.length === 0) return undefined
  return Object.fromEntries(task.groupColumns.map((name, i) => [name, jsonAt(namedColumn(columns, `assay group ${i}`), row)]))
}

export function treeValue(tree: OutputTree, sums: Float64Array): number {
  switch (tree.kind) {
    case 'slot':
      return sums[tree.slot]!
    case 'number':
      return tree.value
    case 'unary':
      return -treeValue(tree.operand, sums)
    case 'binary': {
      const left = treeValue(tree.left, sums)
      const right = treeValue(tree.right, sums)
      return tree.op === '+' ? left + right : tree.op === '-' ? left - right : tree.op === '*' ? left * right : left / right
    }
  }
}

/** Reverse accumulation over the tree: adds `seed`·∂value/∂sum to `slopes`. */
export function addSlopes(tree: OutputTree, sums: Float64Array, seed: number, slopes: Float64Array): void {
  switch (tree.kind) {
    case 'slot':
      slopes[tree.slot]! += seed
      return
    case 'number':
      return
    case 'unary':
      addSlopes(tree.operand, sums, -seed, slopes)
      return
    case 'binary': {
      if (tree.op === '+' || tree.op === '-') {
        addSlopes(tree.left, sums, seed, slopes)
        addSlopes(tree.right, sums, tree.op === '+' ? seed : -seed, slopes)
        return
      }
      const left = treeValue(tree.left, sums)
      const right = treeValue(tree.right, sums)
      addSlopes(tree.left, sums, tree.op === '*' ? seed * right : seed / right, slopes)
      addSlopes(tree.right, sums, tree.op === '*' ? seed * left : (-seed * left) / (right * right), slopes)
    }
  }
}

/** +1: it should rise, −1: it should fall, 0: as expected. The hard value decides (METHODS §4). NULL has no direction and is not as expected only for `lower`/`higher`. */
function direction(e: ExpectationPlan, actual: number | undefined): -1 | 0 | 1 {
  if (e.relation === 'lower') return -1
  if (e.relation === 'higher') return 1
  if (actual === undefined) return 0
  const value = e.value!
  switch (e.relation) {
    case '=':
      return Math.abs(actual - value) <= 1e-9 * Math.max(1, Math.abs(value)) ? 0 : actual > value ? -1 : 1
    case '<=':
      return actual <= value ? 0 : -1
    case '<':
      return actual < value ? 0 : -1
    case '>=':
      return actual >= value ? 0 : 1
    case '>':
      return actual > value ? 0 : 1
    case 'between':
      return actual < value ? 1 : actual > e.high! ? -1 : 0
  }
}

const expectedOf = (e: ExpectationPlan): string | number => (e.relation === 'between' ? `${e.value} to ${e.high}` : (e.value ?? e.relation))

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
