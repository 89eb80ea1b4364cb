import { hashReading } from '../data/data-hash.ts'
import { contentKey, declaredKey, keyText, unsoundKeyQuery } from '../data/keys.ts'
import { duplicateKey, nullKey, overlappingSplits } from '../data/problems.ts'
import { conditionNames, needsKey, overlapQuery, splitName } from '../data/splits.ts'
import type { SourcePlan } from '../plan/plan.ts'
import { printSelect } from '../sql/print.ts'
import { createAs, drop } from '../sql/statements.ts'
import { KEY, type Reading, ROW, SPLIT, type SqlExpr, type SqlFrom } from '../sql/tree.ts'
import { absentReading, emptyTable, filesOf } from './absent-rows.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import { digest, type RunContext } from './context.ts'
import { type Grown, grownSince } from './grown-source.ts'

/**
 * Sources as tables of the run's database: the user's columns, the hidden position and split, and the hidden key where none is declared.
 * What comes from files is read once, Parquet where it is; a declared key and its split are computed when they are read, a content key once and only
 * where something names rows by it.
 */
export interface Prepared {
  readonly plan: SourcePlan
  /** Of the files' contents and of everything that was done to them. */
  readonly hash: string
  readonly rows: number
  /** Whether its rows have a key: the declared one, or one made of their content. */
  readonly keyed: boolean
  /** The name of the file that is missing, where an imported index stands for it (`absent-rows.ts`): then there are no rows. */
  readonly absent?: string
  /** Its files have only grown since an earlier run: the rows that were there then come first. */
  readonly grown?: Grown
}

export async function prepareSource(ctx: RunContext, plan: SourcePlan): Promise<Prepared> {
  const known = ctx.prepared.get(plan.name)
  // A later plan may need keys that an earlier one did not pay for: the source is prepared again, under the same name.
  if (known && (known.keyed || !plan.keyed)) return known
  ctx.step(`reading ${plan.name}`, 0, 0)
  const hash = await contentOf(ctx, plan)
  const raw = `assay raw ${plan.name}`
  const elsewhere = plan.reading && absentReading(ctx.cache.folder, plan.reading)
  if (elsewhere && !known) await ctx.tables.execute(createAs('table', raw, emptyTable(elsewhere.schema)))
  if (plan.reading && !elsewhere && !known) await ctx.tables.read(raw, plan.reading)
  await ctx.breathe()
  const declared = plan.key.length > 0
  const key = declared ? declaredKey(plan.key) : contentKey(plan.columns)
  const from: SqlFrom = { kind: 'table', name: raw }
  const numbered = plan.select === undefined ? undefined : `select *, row_number() over () - 1 as ${quote(ROW)} from (${plan.select})`
  if (numbered !== undefined && !known) await ctx.tables.execute(createAs('table', raw, numbered))
  const keyed = !declared && (plan.keyed || (plan.split !== undefined && needsKey(plan.split)))
  const renamed = `assay named ${plan.name}`
  await ctx.tables.execute(createAs('view', renamed, { items: ownItems(plan), from }))
  const base = `assay base ${plan.name}`
  const items = [{ value: { kind: 'star' } as SqlExpr }, ...(keyed ? [{ value: key, alias: KEY }] : [])]
  if (known) await ctx.tables.execute(drop('view', base))
  await ctx.tables.execute(createAs(keyed ? 'table' : 'view', base, { items, from: { kind: 'table', name: renamed } }))
  if (keyed) await ctx.tables.execute(drop('view', renamed))
  const identity = declared ? key : column(KEY)
  await ctx.tables.execute(
    createAs('view', plan.name, { items: [{ value: { kind: 'star' } }, ...hiddenItems(plan)], from: { kind: 'table', name: base } }),
  )
  const counted = await ctx.tables.query(`select count(*) as n from ${quote(base)}`)
  const absent = elsewhere ? filesOf(plan) : plan.over.map((name) => ctx.prepared.get(name)?.absent).find((file) => file !== undefined)
  const rows = numberAt(namedColumn(counted, 'n'), 0) ?? 0
  const grown = plan.reading && !elsewhere ? await grownSince(ctx, plan.reading, whatWasDone(plan), { hash, rows }) : undefined
  const prepared: Prepared = { plan, hash, rows, keyed: keyed || declared, absent, grown }
  await checkKeys(ctx, plan, base, identity, declared)
  ctx.prepared.set(plan.name, prepared)
  return prepared
}

/** Of a row as it was read: its position and the user's columns. */
export const ownItems = (plan: SourcePlan) => [
  { value: column(ROW) },
  ...plan.columns.map((c) => ({ value: column(c.from ?? c.name), alias: c.name })),
]

/** What is computed of a row beside its own columns: its split, and the key that is declared. */
export function hiddenItems(plan: SourcePlan): { readonly value: SqlExpr; readonly alias: string }[] {
  const declared = plan.key.length > 0
  const key = declared ? declaredKey(plan.key) : column(KEY)
  const split = plan.split ? splitName(plan.split, keyText(key)) : undefined
  return [...(split ? [{ value: split, alias: SPLIT }] : []), ...(declared ? [{ value: keyText(key), alias: KEY }] : [])]
}

const column = (name: string): SqlExpr => ({ kind: 'column', name })
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

async function contentOf(ctx: RunContext, plan: SourcePlan): Promise<string> {
  const what = whatWasDone(plan)
  if (plan.reading) return digest(await filesHash(ctx, plan.reading), what)
  return digest(...plan.over.map((name) => ctx.prepared.get(name)!.hash), what)
}

/** What a source makes of what it reads, as text: all that its rows depend on but the files. */
export const whatWasDone = (plan: SourcePlan): string =>
  JSON.stringify({
    select: plan.select,
    columns: plan.columns,
    key: plan.key,
    split: plan.split,
    options: readingOptions(plan),
  })

/** Of the contents of a reading's files; of files that are not here, as it was where an imported index was made. */
export async function filesHash(ctx: RunContext, reading: Reading): Promise<string> {
  const elsewhere = absentReading(ctx.cache.folder, reading)
  return elsewhere?.hash ?? (await hashReading(reading, `${ctx.cache.folder}/file-hashes.json`)).hash
}

const readingOptions = ({ reading }: SourcePlan) =>
  reading?.kind === 'file' ? { format: reading.format, options: reading.options } : reading?.kind

/** Throws `DataProblem` where a key of a table is NULL or not its row's own, or a row is in two splits. */
export async function checkKeys(ctx: RunContext, plan: SourcePlan, base: string, identity: SqlExpr, declared: boolean): Promise<void> {
  if (declared) {
    const unsound = await ctx.tables.query(printSelect(unsoundKeyQuery(base, identity)))
    if (unsound.rows > 0) {
      const key = jsonAt(namedColumn(unsound, 'key'), 0)
      const rows = numberAt(namedColumn(unsound, 'rows'), 0) ?? 0
      throw key === null ? nullKey(plan.name, rows) : duplicateKey(plan.name, String(key), rows)
    }
  }
  const overlap = plan.split && overlapQuery(base, plan.split, declared || plan.keyed ? identity : column(ROW))
  if (!overlap || !plan.split) return
  const found = await ctx.tables.query(printSelect(overlap))
  if (found.rows === 0) return
  const names = conditionNames(plan.split).filter((_, i) => jsonAt(namedColumn(found, `part ${i}`), 0) === true)
  throw overlappingSplits(plan.name, String(jsonAt(namedColumn(found, 'key'), 0)), names, numberAt(namedColumn(found, 'rows'), 0) ?? 1)
}
