import type { Columns } from '../data/tables.ts'
import type { ComplaintTask } from '../plan/plan.ts'
import { GROUP, GROUPS, SEEDS, seedOf, slotColumn } from '../plan/provenance/lineage.ts'
import { literal, star } from '../sql/build.ts'
import { printExpr } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { ROW } from '../sql/tree.ts'
import { numbersOf } from './columns.ts'
import { classOf, type Intervals, registerChances } from './complaint-chances.ts'
import type { RunContext } from './context.ts'
import { type Asked, answersOf, keysOf, type Pull, type Relaxed } from './relaxed.ts'

/** The relaxation of any query, computed by the database from its lineage; tables of predictions must be there. */
export async function relaxedByDatabase(ctx: RunContext, task: ComplaintTask, asked: readonly Asked[]): Promise<Relaxed> {
  const intervals = new Map<string, Intervals>()
  for (const plan of task.chances) {
    const found = await registerChances(ctx, { plan, ...answersOf(asked, plan.model, plan.source) })
    if (found) intervals.set(plan.name, found)
  }
  await ctx.tables.execute(createAs('table', GROUPS, task.relaxedSql))
  const groups = new Groups(await ctx.tables.query(`select * from ${quoted(GROUPS)}`), task)
  return {
    by: 'database',
    size: groups.size,
    slots: (group) => groups.slots(group),
    find: (hard, row) => groups.find(hard, row),
    derivatives: (blamed, pull) => derivatives(ctx, task, blamed, intervals, pull),
  }
}

const quoted = (name: string) => printExpr({ kind: 'column', name })

/** The groups that the result may have, found by their columns. */
class Groups {
  readonly size: number
  readonly #columns: Columns
  readonly #slots: readonly Float64Array[]
  readonly #task: ComplaintTask
  #places: Map<string, number> | undefined

  constructor(columns: Columns, task: ComplaintTask) {
    this.size = columns.rows
    this.#columns = columns
    this.#task = task
    this.#slots = Array.from({ length: task.slots }, (_, s) => numbersOf(columns, slotColumn(s)))
    const numbered = numbersOf(columns, GROUP)
    if (numbered.some((g, i) => g !== i)) {
      for (const slot of this.#slots) {
        const moved = slot.slice()
        for (const [i, g] of numbered.entries()) slot[g] = moved[i]!
      }
    }
  }

  slots(group: number): Float64Array {
    return Float64Array.from(this.#slots, (slot) => slot[group]!)
  }

  find(hard: Columns, row: number): number | undefined {
    if (this.#task.groups === 0) return 0
    if (!this.#places) {
      const numbered = numbersOf(this.#columns, GROUP)
      const keys = keysOf(this.#columns, this.#task)
      this.#places = new Map(Array.from({ length: this.size }, (_, i) => [keys(i), numbered[i]!]))
    }
    return this.#places.get(keysOf(hard, this.#task)(row))
  }
}

/** Written into a statement rather than handed over. */
const FEW_GROUPS = 64

/** ∂(Σ seed·slot)/∂p for each of the blamed model's tables. */
async function derivatives(
  ctx: RunContext,
  task: ComplaintTask,
  blamed: readonly Asked[],
  intervals: ReadonlyMap<string, Intervals>,
  pull: Pull,
): Promise<Float64Array[]> {
  const places = [...pull.keys()]
  const columns = [
    Float64Array.from(places),
    ...Array.from({ length: task.slots }, (_, s) => Float64Array.from(places, (g) => pull.get(g)![s]!)),
  ]
  const names = [GROUP, ...Array.from({ length: task.slots }, (_, s) => seedOf(s))]
  if (places.length <= FEW_GROUPS) {
    const rows = places.map((_, i) => columns.map((values) => literal(values[i]!)))
    await ctx.tables.execute(
      createAs('table', SEEDS, { items: [{ value: star }], from: { kind: 'values', rows, alias: 'v', columns: names } }),
    )
  } else {
    await ctx.tables.create(SEEDS, {
      rows: places.length,
      columns: columns.map((values, i) => ({ name: names[i]!, data: { kind: 'number', values, integer: i === 0 } })),
    })
  }
  const found = blamed.map(({ predictions }) => new Float64Array(predictions.rows * predictions.width))
  for (const gradient of task.gradients) {
    const part = blamed.findIndex((a) => a.model.plan.name === gradient.model && a.predictions.source === gradient.source)
    if (part < 0) continue
    const { model, predictions } = blamed[part]!
    const given = await ctx.tables.query(gradient.sql)
    await ctx.breathe()
    const rows = numbersOf(given, ROW)
    const classes = numbersOf(given, 'assay class')
    const weights = numbersOf(given, 'assay weight')
    const out = found[part]!
    const { by } = gradient
    const { width } = predictions
    const among = by.kind === 'compared' ? intervals.get(by.chances)! : undefined
    const label = by.kind === 'value' && by.label !== undefined ? classOf(model, by.label) : 0
    const nChoices = among ? Number.POSITIVE_INFINITY : width
    for (let i = 0; i < given.rows; i++) {
      const [row, choice, weight] = [rows[i]!, classes[i]!, weights[i]!]
      if (!Number.isFinite(weight) || choice >= nChoices) continue
      if (among) out[among.cell(row)]! += weight * among.slope(row, choice)
      else out[row * width + (by.kind === 'value' ? label : choice)]! += weight
    }
  }
  return found
}
