import type * as ast from '../../../grammar/src/ast.ts'
import { readerOptions } from '../../../grammar/src/setting-table.ts'
import type { FileFormat, Reading, ReadingOption } from '../sql/tree.ts'
import { clauseOf } from './clauses.ts'
import { directoryOf, joinPath } from './paths.ts'

/** What a source's `from` reads, before anything is checked: `problem` is left to `check`, which says it at its place. */
export type SourceReading =
  | { readonly kind: 'reading'; readonly reading: Reading }
  | { readonly kind: 'view' }
  /** Checked, and refused when it is run. */
  | { readonly kind: 'unsupported'; readonly what: string }
  | { readonly kind: 'unreadable' }

/**
 * The readings of a file's own sources, so that their schemas can be asked for before `check`: pure, and generous with what is wrong.
 * `directory` is the folder of the spec, to which paths are relative.
 */
export function readings(file: ast.File, directory: string): { readonly name: string; readonly reading: Reading }[] {
  const found: { name: string; reading: Reading }[] = []
  for (const decl of file.declarations) {
    if (decl.kind !== 'source' || decl.name === undefined) continue
    const read = readingOf(decl, directory)
    if (read.kind === 'reading') found.push({ name: decl.name.text, reading: read.reading })
  }
  return found
}

/** The same for a file and all that it imports, each path relative to the file that names it. */
export function allReadings(
  files: ReadonlyMap<string, { readonly ast: ast.File }>,
  path: string,
): { readonly name: string; readonly reading: Reading }[] {
  const found: { name: string; reading: Reading }[] = []
  const seen = new Set<string>()
  const queue = [path]
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    const file = files.get(at)
    if (seen.has(at) || file === undefined) continue
    seen.add(at)
    found.push(...readings(file.ast, directoryOf(at)))
    queue.push(...importPaths(file.ast, directoryOf(at)))
  }
  return found
}

/** The files that a file imports, as absolute paths: what the caller reads and parses before `check`. */
export function importPaths(file: ast.File, directory: string): string[] {
  const paths = new Set<string>()
  for (const { path } of file.imports) if (path) paths.add(joinPath(directory, path.value))
  return [...paths]
}

export function readingOf(decl: ast.SourceDecl, directory: string): SourceReading {
  const from = clauseOf(decl, 'from')?.from
  if (from === undefined) return { kind: 'unreadable' }
  if (from.kind === 'view') return { kind: 'view' }
  if (from.kind === 'reader') return readerOf(from.setting, directory)
  const format = formatOf(from)
  if (format === undefined) return { kind: 'unreadable' }
  if (format === 'arrow') return { kind: 'unsupported', what: 'arrow files' }
  const path = joinPath(directory, from.path.value)
  return { kind: 'reading', reading: { kind: 'file', format, path, options: optionsOf(from.options) } }
}

function readerOf(setting: ast.Setting, directory: string): SourceReading {
  const name = setting.name.text.toLowerCase()
  if (name === 'images') return { kind: 'unsupported', what: 'folders of images' }
  if (name === 'database') return { kind: 'unsupported', what: 'tables of a database' }
  if (name !== 'idx') return { kind: 'unreadable' }
  const text = (label: string): string | undefined => {
    const value = setting.args.find((arg) => arg.label?.text.toLowerCase() === label)?.value
    return value?.kind === 'string' && value.value !== '' ? joinPath(directory, value.value) : undefined
  }
  const images = text('images')
  if (images === undefined) return { kind: 'unreadable' }
  const labels = text('labels')
  return { kind: 'reading', reading: labels === undefined ? { kind: 'idx', images } : { kind: 'idx', images, labels } }
}

const FORMATS: ReadonlyMap<string, FileFormat | 'arrow'> = new Map(
  Object.entries({
    csv: 'csv',
    tsv: 'tsv',
    tab: 'tsv',
    parquet: 'parquet',
    pq: 'parquet',
    json: 'json',
    jsonl: 'jsonl',
    ndjson: 'jsonl',
    arrow: 'arrow',
    feather: 'arrow',
    ipc: 'arrow',
  } as const),
)

/** `format:` where it is given, else the path's ending (before `.gz` or `.zst`). */
export function formatOf(from: ast.FileFrom): FileFormat | 'arrow' | undefined {
  const given = from.options?.args.find((arg) => arg.label?.text.toLowerCase() === 'format')?.value
  if (given) {
    const word = given.kind === 'setting' ? given.name.text : given.kind === 'string' ? given.value : ''
    return FORMATS.get(word.toLowerCase())
  }
  const ending = /\.([a-z]+)(\.(gz|zst))?$/i.exec(from.path.value)?.[1]
  return ending === undefined ? undefined : FORMATS.get(ending.toLowerCase())
}

function optionsOf(options: ast.Options | undefined): Record<string, ReadingOption> {
  const read: Record<string, ReadingOption> = {}
  for (const { label, value } of options?.args ?? []) {
    const name = label?.text.toLowerCase()
    if (name === undefined || name === 'format' || !readerOptions.some((one) => one.name === name)) continue
    const option = readOption(value)
    if (option !== undefined) read[name] = option
  }
  return read
}

function readOption(value: ast.Value): ReadingOption | undefined {
  if (value.kind === 'string' || value.kind === 'number' || value.kind === 'boolean') return value.value
  if (value.kind !== 'values') return undefined
  if (value.items.every((item) => item.value.kind === 'string' && item.label === undefined)) {
    return value.items.map((item) => (item.value as ast.StringLiteral).value)
  }
  const types: [string, string][] = []
  for (const item of value.items) {
    const type = typeText(item.value)
    if (item.label && type !== undefined) types.push([item.label.text, type])
  }
  return Object.fromEntries(types)
}

/** A type as it is written in `types: [price: DECIMAL(10, 2)]`, or in quotes. */
export function typeText(value: ast.Value): string | undefined {
  if (value.kind === 'string') return value.value
  if (value.kind !== 'setting') return undefined
  const numbers = value.args.map((arg) => (arg.value.kind === 'number' ? arg.value.text : undefined))
  if (numbers.includes(undefined)) return undefined
  return numbers.length === 0 ? value.name.text : `${value.name.text}(${numbers.join(', ')})`
}
