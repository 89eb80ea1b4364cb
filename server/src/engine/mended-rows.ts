import type { Columns } from '../data/tables.ts'
import type { FixPlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { createAs } from '../sql/statements.ts'
import { ROW } from '../sql/tree.ts'
import { type ChangedRows, changedRows, type InputChange, keysOf } from './changed-rows.ts'
import type { RunContext } from './context.ts'
import { inputItems, queryInputs } from './inputs.ts'
import type { FittedModel, TrainingSet } from './models.ts'

const quoted = (name: string, table?: string) => printExpr({ kind: 'column', name, table })

/**
 * The model's source with what fixes have written so far, so that a later fix sees what an earlier one did. Each fix is a view over the one before.
 */
export class MendedRows {
  readonly model: FittedModel
  private readonly ctx: RunContext
  private current: string
  private serial = 0

  constructor(ctx: RunContext, model: FittedModel) {
    this.ctx = ctx
    this.model = model
    this.current = model.plan.source
  }

  /** Writes a column in the rows at these places of the training order, and reads the target and inputs of these rows, in the order of `rows`. */
  async set(fix: Extract<FixPlan, { kind: 'set' }>, rows: Int32Array, positions: Float64Array): Promise<Columns> {
    const { tables } = this.ctx
    const [touched, view] = [`assay fix ${this.serial}`, `assay mended ${this.serial++}`]
    await tables.create(touched, {
      rows: rows.length,
      columns: [
        { name: ROW, data: { kind: 'number', values: Float64Array.from(rows, (row) => positions[row]!), integer: true } },
        { name: 'assay place', data: { kind: 'number', values: Float64Array.from(rows.keys()), integer: true } },
      ],
    })
    const [row, place, column] = [quoted(ROW), quoted('assay place'), quoted(fix.column)]
    const chosen = `${row} in (select ${row} from ${quoted(touched)})`
    const written = `case when ${chosen} then (${fix.sql}) else ${column} end as ${column}`
    await tables.execute(createAs('view', view, `select * replace (${written}) from ${quoted(this.current)}`))
    this.current = view
    const { plan } = this.model
    const own = [ROW, plan.target.name].map((name) => printExpr({ kind: 'column', name, table: 's' }))
    const items = [...new Set([...own, ...inputItems(plan, 's')])].join(', ')
    const sql = `select ${items} from ${quoted(view)} s join ${quoted(touched)} f on s.${row} = f.${row} order by f.${place}`
    return queryInputs(this.ctx, plan, { sql, source: plan.source, encoding: this.model.trained!.encoding })
  }

  /** Filters the images of rows, or takes rows of the same key from another source; rows as indices into the training order. */
  async change(fix: Extract<FixPlan, { kind: 'denoise' | 'replace' }>, rows: Int32Array, set: TrainingSet): Promise<ChangedRows> {
    const { ctx, model } = this
    const change: InputChange = fix.kind === 'denoise' ? { kind: 'denoise', size: fix.size } : { kind: 'replace', source: fix.source }
    const sorted = rows.slice().sort()
    const changed = await changedRows(ctx, model, { change, rows: sorted, what: 'rows to be replaced', set, from: this.current })
    const [written, view] = [`assay fix ${this.serial}`, `assay mended ${this.serial++}`]
    const columns = await this.write(written, change, sorted, { set, changed })
    if (columns.length === 0) return changed
    const cases = columns.map(
      (name) => `case when f.${quoted(ROW)} is null then s.${quoted(name)} else f.${quoted(name)} end as ${quoted(name)}`,
    )
    await ctx.tables.execute(
      createAs(
        'view',
        view,
        `select s.* replace (${cases.join(', ')}) from ${quoted(this.current)} s left join ${quoted(written)} f on s.${quoted(ROW)} = f.${quoted(ROW)}`,
      ),
    )
    this.current = view
    return changed
  }

  /** The changed columns of the rows as a table, by their positions; the names of these columns. */
  private async write(
    table: string,
    change: InputChange,
    rows: Int32Array,
    { set, changed }: { readonly set: TrainingSet; readonly changed: ChangedRows },
  ): Promise<readonly string[]> {
    const { ctx, model } = this
    const { plan } = model
    const at = Float64Array.from(rows, (row) => set.positions[row]!)
    const position = { name: ROW, data: { kind: 'number', values: at, integer: true } } as const
    if (change.kind === 'denoise') {
      const images = changed.read.columns.filter(({ name }) => plan.inputs.some((input) => input.name === name && input.type === 'image'))
      await ctx.tables.create(table, { rows: rows.length, columns: [position, ...images] })
      return images.map(({ name }) => name)
    }
    const theirs = new Map(ctx.prepared.get(change.source)!.plan.columns.map((c) => [c.name.toLowerCase(), c.type]))
    const keys = keysOf(ctx, model)
    const own = ctx.prepared.get(plan.source)!.plan.columns
    const columns = own.filter((c) => theirs.get(c.name.toLowerCase()) === c.type && !keys.includes(c.name)).map((c) => c.name)
    const chosen = `${table} rows`
    await ctx.tables.create(chosen, { rows: rows.length, columns: [position] })
    const items = [`s.${quoted(ROW)}`, ...columns.map((name) => `${quoted(name, 'r')} as ${quoted(name)}`)]
    const same = keys.map((key) => `${quoted(key, 's')} = ${quoted(key, 'r')}`).join(' and ')
    const sql = `select ${items.join(', ')} from ${quoted(plan.source)} s join ${quoted(chosen)} f on s.${quoted(ROW)} = f.${quoted(ROW)} join ${quoted(change.source)} r on ${same}`
    await ctx.tables.execute(createAs('table', table, sql))
    return columns
  }
}
