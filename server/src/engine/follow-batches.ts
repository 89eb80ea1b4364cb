import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { declaredKey, keyText } from '../data/keys.ts'
import { type LineFormat, readLines } from '../data/later-lines.ts'
import { duplicateKey } from '../data/problems.ts'
import { DataProblem } from '../data/tables.ts'
import type { SourcePlan } from '../plan/plan.ts'
import { printExpr } from '../sql/print.ts'
import { createAs, drop } from '../sql/statements.ts'
import { KEY, type Reading, ROW } from '../sql/tree.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import { type Counted, count, nextPiece } from './growth.ts'
import { checkKeys, hiddenItems, ownItems } from './sources.ts'

/**
 * Rows that came, as tables of their own with everything that the source and the views over it make of a row: columns, splits, keys, positions behind the old
 * ones. O(rows that came), and for a declared key a look at the keys that are there.
 */
export class Batches {
  /** Of the table that the query reads. */
  rows: number
  /** Bytes of last lines that have no end yet. */
  unfinished = 0
  readonly #ctx: RunContext
  readonly #chain: readonly SourcePlan[]
  readonly #format: LineFormat | undefined
  readonly #counted: Counted[]
  readonly #folder: string
  readonly #head: Buffer
  readonly #next = new Map<string, number>()
  #hasLaterKeys = false

  /** `chain`: the source that reads, then the views, the query's table last. `head`: the lines that new files begin with; `counted` gains these files. */
  constructor(
    ctx: RunContext,
    {
      chain,
      format,
      head,
      counted,
      folder,
    }: { chain: readonly SourcePlan[]; format?: LineFormat; head: Buffer; counted: Counted[]; folder: string },
  ) {
    this.#ctx = ctx
    this.#chain = chain
    this.#format = format
    this.#counted = counted
    this.#folder = folder
    this.#head = head
    for (const { name } of chain) this.#next.set(name, ctx.prepared.get(name)!.rows)
    this.rows = this.#next.get(chain.at(-1)!.name)!
  }

  /** Hands over what came, piece by piece, and returns how many rows the query's table gained. Throws where a piece is not like the rows before it. */
  async add(files: readonly Counted[], insert: (relation: string) => Promise<void>): Promise<number> {
    const before = this.rows
    this.unfinished = 0
    for (const file of files) {
      if (!this.#format) await this.#file(file, insert)
      else await this.#lines(file, this.#format, insert)
    }
    return this.rows - before
  }

  async #lines(file: Counted, format: LineFormat, insert: (relation: string) => Promise<void>): Promise<void> {
    mkdirSync(this.#folder, { recursive: true })
    for (;;) {
      const piece = nextPiece(file, format, this.#head)
      if (piece === 'other head')
        throw new DataProblem('other-head', `\`${basename(file.path)}\` begins with another line than the first file.`)
      if (!piece) break
      if (!format.quotes && format.reading.format !== 'jsonl' && piece.bytes.includes(QUOTE))
        throw new DataProblem('other-quotes', 'they have quotes, which no line before them had.')
      const path = join(this.#folder, basename(file.path))
      writeFileSync(path, piece.bytes)
      await readLines(this.#ctx.tables, RAW, format, { path, first: this.#next.get(this.#chain[0]!.name)! })
      await this.#rows(insert)
      const isNew = file.bytes === 0
      count(piece, this.#head)
      if (isNew) this.#counted.push(file)
    }
    this.unfinished += file.seen.bytes - file.bytes
  }

  /** A file of a list that is whole, whatever its format. */
  async #file(file: Counted, insert: (relation: string) => Promise<void>): Promise<void> {
    const { tables } = this.#ctx
    const root = this.#chain[0]!
    const reading = { ...root.reading!, path: file.path } as Reading
    const columns = await tables.describe(reading)
    const expected = await tables.query(`describe select * from ${quoted(`assay raw ${root.name}`)}`)
    const [names, types] = [namedColumn(expected, 'column_name'), namedColumn(expected, 'column_type')]
    for (let i = 0; i < expected.rows; i++) {
      const name = String(jsonAt(names, i))
      const type = columns.find((c) => c.name === name)?.sqlType
      if (name !== ROW && type !== String(jsonAt(types, i)))
        throw new DataProblem('mixed-type', `\`${basename(file.path)}\` does not have the columns and types of the files before it.`)
    }
    const first = this.#next.get(root.name)!
    await tables.read('assay later file', reading)
    await tables.execute(createAs('table', RAW, `select * replace (${first} + ${quoted(ROW)} as ${quoted(ROW)}) from "assay later file"`))
    await this.#rows(insert)
    const isNew = !this.#counted.includes(file)
    file.bytes = file.seen.bytes
    if (isNew) this.#counted.push(file)
  }

  async #rows(insert: (relation: string) => Promise<void>): Promise<void> {
    const { tables } = this.#ctx
    const gained = new Map<string, number>()
    for (const [i, source] of this.#chain.entries()) {
      const below = this.#chain[i - 1]
      const raw = i === 0 ? RAW : `${RAW} of ${source.name}`
      if (below) {
        const first = this.#next.get(source.name)!
        const rows = `select *, ${first} + row_number() over () - 1 as ${quoted(ROW)} from (${source.select!})`
        await tables.execute(createAs('table', raw, `with ${quoted(below.name)} as (select * from ${quoted(later(below))}) ${rows}`))
      }
      const own = { items: ownItems(source), from: { kind: 'table', name: raw } as const }
      const hidden = {
        items: [{ value: { kind: 'star' } as const }, ...hiddenItems(source)],
        from: { kind: 'query', query: own, alias: 'own' } as const,
      }
      await tables.execute(createAs('table', later(source), hidden))
      await this.#checkKeys(source)
      const counted = await tables.query(`select count(*) as n from ${quoted(later(source))}`)
      gained.set(source.name, numberAt(namedColumn(counted, 'n'), 0) ?? 0)
    }
    const last = this.#chain.at(-1)!
    for (const part of parts(quoted(later(last)), this.#next.get(last.name)!, gained.get(last.name)!)) await insert(part)
    for (const source of this.#chain) {
      this.#next.set(source.name, this.#next.get(source.name)! + gained.get(source.name)!)
      if (source.key.length > 0) await this.#rememberKeys(source)
      await tables.execute(drop('table', later(source)))
    }
    this.rows = this.#next.get(last.name)!
  }

  /** Among the rows that came, and against those that were there. */
  async #checkKeys(source: SourcePlan): Promise<void> {
    const declared = source.key.length > 0
    const identity = declared ? declaredKey(source.key) : ({ kind: 'column', name: ROW } as const)
    await checkKeys(this.#ctx, source, later(source), identity, declared)
    if (!declared) return
    const mine = printExpr(keyText(identity))
    for (const table of [source.name, ...(this.#hasLaterKeys ? [keysOf(source)] : [])]) {
      // By value where it is one column: the database then skips what cannot hold it.
      const known = table === source.name ? printExpr(identity) : quoted(KEY)
      const wanted = table === source.name ? printExpr(identity) : mine
      const found = await this.#ctx.tables.query(
        `select old.k as key from (select ${known} as k from ${quoted(table)}) as old join (select ${wanted} as k from ${quoted(later(source))}) as new on old.k = new.k limit 1`,
      )
      if (found.rows > 0) throw duplicateKey(source.name, String(jsonAt(namedColumn(found, 'key'), 0)), 2)
    }
  }

  async #rememberKeys(source: SourcePlan): Promise<void> {
    const rows = `select ${quoted(KEY)} from ${quoted(later(source))}`
    const { tables } = this.#ctx
    await tables.execute(`create table if not exists ${quoted(keysOf(source))} (${quoted(KEY)} VARCHAR)`)
    await tables.execute(`insert into ${quoted(keysOf(source))} ${rows}`)
    this.#hasLaterKeys = true
  }
}

/** Rows that are inserted at once: their tangents are rows × classes × k numbers. */
const ROWS_AT_ONCE = 20_000

/** A relation, a number of rows at a time. */
export function parts(relation: string, first: number, rows: number): string[] {
  if (rows <= ROWS_AT_ONCE) return rows > 0 ? [relation] : []
  const row = quoted(ROW)
  return Array.from({ length: Math.ceil(rows / ROWS_AT_ONCE) }, (_, i) => {
    const from = first + i * ROWS_AT_ONCE
    return `(select * from ${relation} where ${row} >= ${from} and ${row} < ${from + ROWS_AT_ONCE})`
  })
}

const RAW = 'assay later rows'
const QUOTE = 34
const later = ({ name }: SourcePlan) => `assay later ${name}`
const keysOf = ({ name }: SourcePlan) => `assay later keys ${name}`
const quoted = (name: string) => printExpr({ kind: 'column', name })
