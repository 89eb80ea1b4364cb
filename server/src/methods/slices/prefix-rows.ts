import type { CodedColumn } from './coded-column.ts'

interface Step {
  /** Rows of the parent, sorted by their code in `column`; those with code c lie in offsets[c] … offsets[c + 1]. */
  rows: Int32Array
  offsets: Int32Array
  column: number
  atom: number
}

/** Lists the rows of one conjunction after another; cheap when they come sorted, since shared prefixes are kept. O(parent's rows) a step. */
export class PrefixRows {
  rows: Int32Array = new Int32Array(0)
  start = 0
  end = 0
  private readonly columns: readonly CodedColumn[]
  private readonly atomColumns: Int32Array
  private readonly locals: Int32Array
  private readonly everyRow: Int32Array
  private readonly steps: Step[] = []

  constructor(columns: readonly CodedColumn[], atomColumns: Int32Array, locals: Int32Array, nRows: number) {
    this.columns = columns
    this.atomColumns = atomColumns
    this.locals = locals
    this.everyRow = new Int32Array(nRows)
    for (let row = 0; row < nRows; row++) this.everyRow[row] = row
  }

  /** Makes `rows` from `start` to `end` those of the conjunction of the `length` atoms from `at`, ascending. */
  moveTo(atoms: Int32Array, at: number, length: number): void {
    let rows: Int32Array = this.everyRow
    let start = 0
    let end = rows.length
    let stale = false
    for (let j = 0; j < length; j++) {
      const atom = atoms[at + j]!
      const column = this.atomColumns[atom]!
      const step = (this.steps[j] ??= { rows: new Int32Array(0), offsets: new Int32Array(0), column: -1, atom: -1 })
      if (stale || step.column !== column) this.partition(step, rows, start, end, column)
      stale ||= step.atom !== atom
      step.atom = atom
      const local = this.locals[atom]!
      rows = step.rows
      start = step.offsets[local]!
      end = step.offsets[local + 1]!
    }
    for (let j = length; j < this.steps.length; j++) this.steps[j]!.column = -1
    this.rows = rows
    this.start = start
    this.end = end
  }

  /** A counting sort: stable, so that rows stay ascending and memory is read forwards. */
  private partition(step: Step, rows: Int32Array, start: number, end: number, column: number): void {
    const { local, domain } = this.columns[column]!
    if (step.rows.length < end - start) step.rows = new Int32Array(end - start)
    step.offsets = new Int32Array(domain + 2)
    step.column = column
    step.atom = -1
    const { rows: sorted, offsets } = step
    for (let i = start; i < end; i++) offsets[local[rows[i]!]! + 1]!++
    for (let code = 0; code <= domain; code++) offsets[code + 1]! += offsets[code]!
    const next = offsets.slice()
    for (let i = start; i < end; i++) {
      const row = rows[i]!
      const code = local[row]!
      sorted[next[code]!++] = row
    }
  }
}
