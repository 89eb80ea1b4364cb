import type * as ast from '../../../grammar/src/ast.ts'
import { format, printName, printText } from '../../../grammar/src/printer.ts'
import { fold, sameName } from '../check/names.ts'
import type { ComplaintSpec, DeclarationSpec, ModelSpec, SourceSpec, Spec } from '../check/spec.ts'
import type { Json, Key } from '../protocol/results.ts'
import type { Snapshot } from '../workspace/snapshot.ts'

/**
 * Declarations that are written for the user, as text in canonical form. Rows are named by their keys: the declared columns, or the pseudo-column `key`.
 * What cannot be written is undefined. Whether a text makes sense where it is put is tried before it is offered (`server/acts.ts`).
 */
export const named = (text: string): string => printName({ text })

export function declared<K extends DeclarationSpec['kind']>(
  spec: Spec,
  kind: K,
  name: string | undefined,
): Extract<DeclarationSpec, { kind: K }> | undefined {
  const found = spec.declarations.find((one) => one.kind === kind && name !== undefined && sameName(one.name, name))
  return found as Extract<DeclarationSpec, { kind: K }> | undefined
}

/** A condition that holds for these rows of the source and no others. */
export function rowsWithKeys(source: SourceSpec, keys: readonly Key[]): string | undefined {
  const columns = source.key ?? []
  if (columns.length === 0) {
    // A column of that name stands for itself.
    if (source.schema.some((one) => fold(one.name) === 'key')) return undefined
    return inList('key', keys)
  }
  if (columns.length === 1) return inList(columnFor(source, columns[0]!, keys), keys)
  const rows = keys.map((key) => {
    if (!Array.isArray(key) || key.length !== columns.length) return undefined
    const parts = columns.map((name, i) => {
      const value = literalOf(key[i] as Json)
      if (key[i] === null) return `${named(name)} is null`
      return value && `${columnFor(source, name, [key[i]])} = ${value}`
    })
    return parts.includes(undefined) ? undefined : `(${parts.join(' and ')})`
  })
  return rows.includes(undefined) ? undefined : rows.join(' or ')
}

/** The column, as text where its keys are given as text and it holds something else: dates, numbers beyond 2^53. */
function columnFor(source: SourceSpec, name: string, keys: readonly unknown[]): string {
  const type = source.schema.find((one) => sameName(one.name, name))?.type
  const asText = type !== 'text' && keys.some((key) => typeof key === 'string')
  return asText ? `cast(${named(name)} as varchar)` : named(name)
}

function inList(column: string, keys: readonly Key[]): string | undefined {
  const literals = keys.map((key) => literalOf(key as Json))
  return literals.includes(undefined) ? undefined : `${column} in (${literals.join(', ')})`
}

/** A text ends on its line, so one with a break cannot be written. */
export function literalOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return /[\r\n]/.test(value) ? undefined : printText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  return typeof value === 'boolean' ? String(value) : undefined
}

export interface InterventionParts {
  readonly name: string
  readonly complaint: ComplaintSpec
  readonly model: ModelSpec
  /** `remove where …`, `set label = 1 where …`. */
  readonly fixes: readonly string[]
}

export function interventionText(spec: Spec, { name, complaint, model, fixes }: InterventionParts): string {
  const measures = [named(complaint.name), ...(metricFor(spec, complaint, model) ?? [])]
  const clauses = [`for ${named(complaint.name)}`, ...fixes, `retrain ${named(model.name)}`, `compare ${measures.join(', ')}`]
  return laid(`intervene ${named(name)} {\n${clauses.map((one) => `  ${one}`).join('\n')}\n}\n`)
}

/** How well the model does where the complaint looks, if the truth is known there; else on its validation rows. */
function metricFor(spec: Spec, complaint: ComplaintSpec, model: ModelSpec): string[] | undefined {
  const metric = model.task === 'classification' ? 'accuracy' : 'rmse'
  const source = declared(spec, 'source', complaint.query.from?.ref.source.text)
  if (source?.schema.some((one) => sameName(one.name, model.target.name))) return [`${metric} on ${named(source.name)}`]
  return model.validate === undefined ? undefined : [metric]
}

/** A view of those rows of a source for which a condition holds. Everything that a model needs stays as the source has it: key, order, label, splits. */
export function keptSourceText(snapshot: Snapshot, source: SourceSpec, condition: string): string {
  const name = freeName(snapshot, `${source.name}_kept`)
  const decl = snapshot.checked.reached.get(fold(source.name))?.decl
  const text = snapshot.files.get(source.path)?.text ?? ''
  const again = new Set(['key', 'order', 'label', 'split'])
  const clauses = ((decl?.clauses ?? []) as readonly ast.AnyClause[])
    .filter((clause) => again.has(clause.word))
    .map((clause) => text.slice(clause.start, clause.end))
  const from = `from (select * from ${named(source.name)} where ${condition})`
  return laid(`source ${named(name)} {\n${[from, ...clauses].map((one) => `  ${one}`).join('\n')}\n}\n`)
}

export const sliceText = (name: string, source: string, where: string): string => laid(`slice ${named(name)} on ${source} where ${where}\n`)

const laid = (text: string): string => format(text).text

/** A name that nothing in reach has. */
export function freeName(snapshot: Snapshot, wanted: string): string {
  const { reached } = snapshot.checked
  let name = wanted
  for (let i = 2; reached.has(fold(name)); i++) name = `${wanted}_${i}`
  return name
}
