import { expect } from 'vitest'
import { parse } from '../../grammar/src/parser.ts'
import { check } from '../../server/src/check/check.ts'
import { allReadings } from '../../server/src/check/readings.ts'
import { openTables } from '../../server/src/data/duckdb.ts'
import type { ColumnData, Columns, Tables } from '../../server/src/data/tables.ts'
import { type Evaluated, evaluateComplaint } from '../../server/src/engine/complaint.ts'
import type { RunContext } from '../../server/src/engine/context.ts'
import type { FittedModel } from '../../server/src/engine/models.ts'
import type { Asked } from '../../server/src/engine/relaxed.ts'
import { createResident } from '../../server/src/engine/resident.ts'
import type { ComplaintTask, ModelPlan } from '../../server/src/plan/plan.ts'
import { planFor } from '../../server/src/plan/plan-for.ts'
import { literal, star } from '../../server/src/sql/build.ts'
import { createAs } from '../../server/src/sql/statements.ts'
import type { Column, Schema, SqlSelect } from '../../server/src/sql/tree.ts'

/**
 * Complaints over small tables whose predictions a test makes up, and may change a little: text to evaluation, without files and without training.
 * Models are declared `column`, over columns that the tables hold.
 */
export interface Lab {
  /** The complaint of a query, as planned. */
  task(query: string, expectations: readonly string[], using: readonly string[]): ComplaintTask
  evaluate(task: ComplaintTask, answers: Answers): Promise<Evaluated>
  /** The task with its hard answer, and so the rows that are spoken of, as it stands now, and without derivatives: for what changes only a little. */
  settled(task: ComplaintTask): Promise<ComplaintTask>
  close(): Promise<void>
}
/** Probabilities or values, rows × classes, by model and table. */
export type Answers = (model: string, table: string) => Float32Array

export interface LabModel {
  readonly text: string
  readonly classes?: readonly string[]
}
export interface LabTable {
  readonly columns: Readonly<Record<string, readonly (number | string | null)[]>>
}

const FOLDER = '/lab'

export async function openLab(tables: Readonly<Record<string, LabTable>>, models: Readonly<Record<string, LabModel>>): Promise<Lab> {
  const db: Tables = await openTables({ threads: 1 })
  // Over tables of a few rows, planning is all that a statement costs.
  await db.execute('pragma disable_optimizer')
  const sources = Object.keys(tables).map((name) => `source ${name} { from '${name}.csv'; key id }`)
  const declared = Object.values(models).map((m) => m.text)
  const schemas = new Map<string, Schema>()
  for (const [name, { columns }] of Object.entries(tables)) {
    schemas.set(name, schemaOf(columns))
    const rows = Object.values(columns)[0]!.length
    await db.create(name, {
      rows,
      columns: [
        ...Object.entries(columns).map(([column, values]) => ({ name: column, data: dataOf(values) })),
        { name: 'assay row', data: dataOf(Array.from({ length: rows }, (_, i) => i)) },
        { name: 'assay split', data: dataOf(Array.from({ length: rows }, () => 'train')) },
      ],
    })
  }
  const prepared = new Map([...schemas].map(([name, columns]) => [name, { plan: { columns }, hash: name }]))
  const nothing = { breathe: async () => {}, step: () => {}, partitions: new Map() }
  const ctx = { ...nothing, tables: writing(db), resident: createResident(), prepared } as unknown as RunContext
  const fitted = new Map<string, FittedModel>()
  const rowsOf = (table: string) => Object.values(tables[table]!.columns)[0]!.length
  return {
    task: (query, expectations, using) => {
      const expects = expectations.map((e) => `  expect ${e}\n`).join('')
      const text = `${[...sources, ...declared].join('\n')}\ncomplaint c using ${using.join(', ')} {\n  query ${query}\n${expects}  blame top 5 rows of ${sourceOf(models[using[0]!]!)}\n}\n`
      const path = `${FOLDER}/lab.assay`
      const files = new Map([[path, parse(text)]])
      const named = new Map(allReadings(files, path).map(({ name }) => [name, schemas.get(name)!]))
      const { spec, problems } = check(files, named, { path })
      expect(
        [...files.get(path)!.problems, ...problems].filter((p) => p.severity === 'error').map((p) => `${query}: ${p.message}`),
      ).toEqual([])
      const { plans, refused } = planFor(spec, ['c'], {})
      expect(refused.map((r) => r.message)).toEqual([])
      const plan = plans.find((p) => p.name === 'c')!
      for (const model of plan.models) fitted.set(model.name, fittedModel(model, models[model.name]!))
      if (plan.task.kind !== 'complaint') throw new Error('not a complaint')
      return plan.task
    },
    evaluate: (task, answers) => {
      const first = { model: task.model, source: task.source }
      const rest = task.predictions.filter((p) => p.model !== first.model || p.source !== first.source)
      const asked = [first, ...rest].map(({ model: name, source }): Asked => {
        const model = fitted.get(name)!
        const width = model.labels?.values.length ?? 1
        return { model, predictions: { source, rows: rowsOf(source), width, values: answers(name, source) } }
      })
      return evaluateComplaint(ctx, task, asked)
    },
    settled: async (task) => {
      await db.execute(createAs('table', 'hard answer', task.hardSql))
      return { ...task, hardSql: 'select * from "hard answer"', gradients: [] }
    },
    close: () => db.close(),
  }
}

const sourceOf = (model: LabModel) => /\bon (\w+)/.exec(model.text)![1]!

const fittedModel = (plan: ModelPlan, { classes }: LabModel): FittedModel =>
  ({
    plan,
    hash: plan.name,
    labels: classes && { kind: 'classes', name: plan.target.name, values: classes },
    notes: [],
  }) as unknown as FittedModel

/** Tables of a few rows are written into their statement: that is several times as fast as handing them over. */
function writing(db: Tables): Tables {
  const create = (name: string, { rows, columns }: Columns): Promise<void> => {
    const cells = Array.from({ length: rows }, (_, i) => columns.map((c) => literal(cellOf(c.data, i))))
    const values: SqlSelect = {
      items: [{ value: star }],
      from: { kind: 'values', rows: cells, alias: 'v', columns: columns.map((c) => c.name) },
    }
    return db.execute(createAs('table', name, values))
  }
  return {
    create,
    execute: (sql) => db.execute(sql),
    query: (sql) => db.query(sql),
  } as Tables
}

function cellOf(data: ColumnData, i: number): number | string | boolean | null {
  if (data.valid?.[i] === 0) return null
  if (data.kind === 'text') return data.dictionary[data.codes[i]!] ?? null
  if (data.kind === 'number') return data.values[i]!
  return data.kind === 'boolean' ? data.values[i] === 1 : null
}

function schemaOf(columns: LabTable['columns']): Schema {
  return Object.entries(columns).map(([name, values]): Column => {
    if (values.some((v) => typeof v === 'string')) return { name, type: 'text', sqlType: 'VARCHAR' }
    return { name, type: 'number', sqlType: values.every((v) => v === null || Number.isInteger(v)) ? 'BIGINT' : 'DOUBLE' }
  })
}

function dataOf(values: readonly (number | string | null)[]): ColumnData {
  const valid = Uint8Array.from(values, (v) => (v === null ? 0 : 1))
  if (values.some((v) => typeof v === 'string')) {
    const dictionary = [...new Set(values.filter((v) => v !== null))].map(String)
    return { kind: 'text', codes: Int32Array.from(values, (v) => (v === null ? -1 : dictionary.indexOf(String(v)))), dictionary, valid }
  }
  const integer = values.every((v) => v === null || Number.isInteger(v))
  return { kind: 'number', values: Float64Array.from(values, (v) => Number(v ?? 0)), integer, valid }
}
