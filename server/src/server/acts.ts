import { placeAt } from '../../../grammar/src/positions.ts'
import { fold, sameName } from '../check/names.ts'
import type { SourceSpec } from '../check/spec.ts'
import { placeRows } from '../data/place-rows.ts'
import { declared, freeName, interventionText, keptSourceText, literalOf, named, rowsWithKeys, sliceText } from '../features/written.ts'
import type { ActAnswer } from '../protocol/messages.ts'
import type { ActionId, Page, PageRow } from '../protocol/pages.ts'
import type { AssertResult, ComplaintResult, DiscoverResult, Key } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { inert } from '../report/inert.ts'
import { originOf } from '../workspace/row-origin.ts'
import { problemsOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { existing } from './commands.ts'
import { askAnother, expectFrom } from './expectations.ts'
import type { Workspace } from './workspace.ts'

/**
 * What a page offers, carried out: places to show, pages to open, declarations to insert. Nothing is written here; the editor inserts, shows and can
 * undo. Every declaration is tried in its file first: one that would have an error is not offered.
 */
export interface Act {
  readonly workspace: Workspace
  readonly page: Page
  readonly view: View
  readonly action: ActionId | string
  readonly section?: string
  /** Indices into the section's rows. */
  readonly rows: readonly number[]
  /** Index into the section's columns. */
  readonly column?: number
  /** What the user typed when asked to. */
  readonly input?: string
}

export async function act(given: Act): Promise<ActAnswer> {
  const { workspace, page, action } = given
  const snapshot = existing(workspace, page.address.uri)
  const { uri, name } = page.address
  switch (action) {
    case 'run':
      return { run: { uri, names: [name] } }
    case 'declaration':
      return declarationPlace(snapshot, name)
    case 'show-row':
      return showRow(given, snapshot)
    case 'intervene-remove':
    case 'intervene-relabel':
      return intervene(given, snapshot, action)
    case 'exclude':
      return exclude(given, snapshot)
    case 'keep-slice':
      return keepSlice(given, snapshot)
    case 'preview-slice':
      return previewSlice(given, snapshot)
    case 'expect-lower':
    case 'expect-higher':
    case 'expect-equal':
    case 'expect-none':
    case 'expect-row':
      return expectFrom(given, snapshot, action)
    case 'preview-query':
      return { open: { uri, name, what: 'preview' } }
    case 'ask-query':
      return askAnother(given, snapshot)
    case 'train':
      return { run: { uri, names: (given.view.result as ComplaintResult).preview?.untrained ?? [], then: page.address } }
    default:
      return { say: 'This version cannot do that yet: write it by hand in the spec.' }
  }
}

function declarationPlace(snapshot: Snapshot, name: string): ActAnswer {
  const found =
    snapshot.checked.reached.get(fold(name)) ?? snapshot.checked.reached.get(fold(name.slice(0, Math.max(0, name.lastIndexOf('.')))))
  const file = found && snapshot.files.get(found.path)
  if (!found || !file) return { say: `\`${inert(name, 80)}\` is not declared any more.` }
  const { start, end } = rangeOf(file, found.decl.name ?? found.decl.keyword)
  return {
    show: { uri: snapshot.uri(found.path), line: start.line, character: start.character, endLine: end.line, endCharacter: end.character },
  }
}

const chosen = ({ page, section, rows }: Act): PageRow[] => {
  const found = page.sections.find((one) => one.type === 'table' && (section === undefined || one.id === section))
  return found?.type === 'table' ? rows.flatMap((row) => found.rows[row] ?? []) : []
}
const keysOf = (rows: readonly PageRow[]): Key[] => rows.flatMap(({ key }) => (key === undefined ? [] : [key]))
const nothing: ActAnswer = { say: 'No row is selected.' }

/** Whose rows a page shows. */
function sourceOf({ view, page }: Act, { checked: { spec } }: Snapshot): SourceSpec | undefined {
  const { result } = view
  const own = spec.declarations.find((one) => sameName(one.name, result.name))
  if (own?.kind === 'assert' || own?.kind === 'discover') return declared(spec, 'source', own.on.source)
  if (own?.kind === 'complaint') return declared(spec, 'source', declared(spec, 'model', own.using[0])?.source)
  if (own?.kind === 'slice' || own?.kind === 'partition' || own?.kind === 'model') return declared(spec, 'source', own.source)
  if (own?.kind === 'source') return own
  const { name } = page.address
  return declared(spec, 'source', name.slice(0, Math.max(0, name.lastIndexOf('.'))))
}

async function showRow(given: Act, snapshot: Snapshot): Promise<ActAnswer> {
  const [key] = keysOf(chosen(given))
  if (key === undefined) return nothing
  const source = sourceOf(given, snapshot)
  if (source === undefined) return { say: 'The source of this row is not declared any more.' }
  const { result } = given.view
  const flagged = result.kind === 'assert' ? result.flagged?.find((row) => JSON.stringify(row.key) === JSON.stringify(key)) : undefined
  const rows = flagged ? flagged.rows.slice(0, 1000) : [key]
  const placed = rows[0] === undefined ? undefined : await placeOf(given.workspace, snapshot, source, rows[0])
  if (placed) return { show: placed }
  const where = rowsWithKeys(source, rows)
  const shown =
    where === undefined
      ? declarationPlace(snapshot, source.name)
      : { open: { uri: snapshot.uri(source.path), name: source.name, what: 'preview' as const, where } }
  return { ...shown, say: `\`${inert(source.name, 80)}\` is not read from a text file in which the row could be shown.` }
}

/** Where a row stands in a text file that the source reads, or that it is a view over. */
async function placeOf(workspace: Workspace, snapshot: Snapshot, source: SourceSpec, key: Key): Promise<ActAnswer['show']> {
  const origin = originOf(snapshot.checked.spec, source.name)
  if (origin?.reading.kind !== 'file') return undefined
  const { reading, columns } = origin
  const asked = { reading, columns, key: origin.key, rows: [{ id: 'row', key, values: {} }], cells: [] }
  const placed = await placeRows(asked, (positions) => workspace.positions(snapshot.path, positions)).catch(() => undefined)
  const place = placed?.get('row')
  if (place === undefined) return undefined
  const { start, end } = place.range
  return {
    uri: workspace.files.uri(place.path),
    line: start.line,
    character: start.character,
    endLine: end.line,
    endCharacter: end.character,
  }
}

function intervene(given: Act, snapshot: Snapshot, how: 'intervene-remove' | 'intervene-relabel'): ActAnswer {
  const { spec } = snapshot.checked
  const keys = keysOf(chosen(given))
  if (keys.length === 0) return nothing
  const complaint = declared(spec, 'complaint', given.view.result.name)
  const model = declared(spec, 'model', complaint?.using[0])
  const source = declared(spec, 'source', model?.source)
  if (!complaint || !model || !source) return { say: 'The complaint, or what it needs, has an error now: mend that first.' }
  const fixes = how === 'intervene-remove' ? removal(source, keys) : relabelling(given, source, model.target.name, keys)
  if (typeof fixes === 'string') return { say: fixes }
  const name = freeName(snapshot, `${complaint.name}_${how === 'intervene-remove' ? 'without' : 'relabelled'}`)
  const text = interventionText(spec, { name, complaint, model, fixes })
  return inserted(given, snapshot, { behind: complaint.name, text, run: name })
}

function removal(source: SourceSpec, keys: readonly Key[]): string[] | string {
  const where = rowsWithKeys(source, keys)
  return where === undefined ? unnamed(source) : [`remove where ${where}`]
}

/** Each row gets the label that its treatment says, else the one that the model would give it; rows with the same one share a clause. */
function relabelling({ view }: Act, source: SourceSpec, target: string, keys: readonly Key[]): string[] | string {
  const ranking = new Map((view.result as ComplaintResult).ranking?.map((row) => [JSON.stringify(row.key), row]))
  const byLabel = new Map<string, Key[]>()
  for (const key of keys) {
    const row = ranking.get(JSON.stringify(key))
    const label = literalOf(treatedLabel(row?.treatment, row?.label) ?? row?.prediction)
    if (label === undefined) return 'The model has no opinion of one of these rows that could be written as a label.'
    byLabel.set(label, [...(byLabel.get(label) ?? []), key])
  }
  const fixes: string[] = []
  for (const [label, rows] of byLabel) {
    const where = rowsWithKeys(source, rows)
    if (where === undefined) return unnamed(source)
    fixes.push(`set ${named(target)} = ${label} where ${where}`)
  }
  return fixes
}

/** `relabel to 1`: of the type that labels have. */
function treatedLabel(treatment: string | undefined, label: unknown): string | number | boolean | undefined {
  const to = /^relabel to (.*)$/s.exec(treatment ?? '')?.[1]
  if (to === undefined) return undefined
  if (typeof label === 'number') return Number.isFinite(Number(to)) ? Number(to) : undefined
  return typeof label === 'boolean' ? to === 'true' : to
}

const unnamed = (source: SourceSpec) =>
  `The rows of \`${inert(source.name, 80)}\` cannot be named in a condition: declare a \`key\` of numbers or one-line texts.`

function exclude(given: Act, snapshot: Snapshot): ActAnswer {
  const keys = new Set(keysOf(chosen(given)).map((key) => JSON.stringify(key)))
  const source = sourceOf(given, snapshot)
  const flagged = (given.view.result as AssertResult).flagged ?? []
  const rows = flagged.filter((row) => keys.has(JSON.stringify(row.key))).flatMap((row) => row.rows)
  if (rows.length === 0) return nothing
  if (source === undefined) return { say: 'The source of these rows is not declared any more.' }
  const where = rowsWithKeys(source, rows)
  if (where === undefined) return { say: unnamed(source) }
  const text = keptSourceText(snapshot, source, `not (${where})`)
  return inserted(given, snapshot, { behind: given.view.result.name, text })
}

/** The slices that a result found, of whose rows. */
function slicesFound(
  given: Act,
  snapshot: Snapshot,
): { readonly source?: string; readonly slices: readonly { readonly where?: string }[] } {
  const { result } = given.view
  if (result.kind !== 'complaint') return { slices: [], ...(result as DiscoverResult) }
  const source = sourceOf(given, snapshot)
  return { source: source && named(source.name), slices: result.explanation ?? [] }
}

function keepSlice(given: Act, snapshot: Snapshot): ActAnswer {
  const { name } = given.view.result
  const { source, slices } = slicesFound(given, snapshot)
  const ranks = keysOf(chosen(given)).filter((key) => typeof key === 'number')
  if (ranks.length === 0) return nothing
  if (source === undefined) return { say: 'This result is of an older version: run it again.' }
  const taken: string[] = []
  for (const rank of ranks) {
    const where = slices[rank - 1]?.where
    if (where) taken.push(sliceText(freeName(snapshot, `${name}_${rank}`), source, where))
  }
  if (taken.length === 0) return { say: 'This slice cannot be written as a condition.' }
  return inserted(given, snapshot, { behind: name, text: taken.join('\n') })
}

function previewSlice(given: Act, snapshot: Snapshot): ActAnswer {
  const { view, page } = given
  const { result } = view
  const { uri } = page.address
  const what = 'preview' as const
  const [row] = chosen(given)
  if (given.section === undefined && given.rows.length === 0 && (result.kind === 'source' || result.kind === 'slice'))
    return { open: { uri, name: result.name, what } }
  if (row?.key === undefined) return nothing
  const source = sourceOf(given, snapshot)
  if (source === undefined) return { say: 'The source of these rows is not declared any more.' }
  const of = (where: string): ActAnswer => ({ open: { uri: snapshot.uri(source.path), name: source.name, what, where } })
  const key = String(row.key)
  if (result.kind === 'source') return { open: { uri, name: `${source.name}.${key}`, what } }
  if (result.kind === 'discover' || result.kind === 'complaint') {
    const where = slicesFound(given, snapshot).slices[Number(row.key) - 1]?.where
    return where === undefined ? { say: 'This slice cannot be written as a condition.' } : of(where)
  }
  if (result.kind === 'partition') return namedPart(of, result.name, key)
  // Of a model: `thin`, or `colours = E`, among the rows that it was measured on.
  const model = declared(snapshot.checked.spec, 'model', result.name)
  const measured = result.kind === 'model' && result.measuredOn !== 'training' ? result.measuredOn : model?.train?.split
  const split = measured === undefined ? undefined : literalOf(measured)
  const among = split === undefined ? '' : `split = ${split}`
  if (declared(snapshot.checked.spec, 'slice', key)) return { open: { uri, name: key, what, ...(among ? { where: among } : {}) } }
  const parts = snapshot.checked.spec.declarations.filter((one) => one.kind === 'partition' && key.startsWith(`${one.name} = `))
  const part = parts[0]
  const within = (where: string) => of(among ? `${where} and ${among}` : where)
  return part ? namedPart(within, part.name, key.slice(part.name.length + 3)) : { say: `\`${inert(key, 80)}\` is not declared any more.` }
}

function namedPart(of: (where: string) => ActAnswer, partition: string, slice: string): ActAnswer {
  const text = literalOf(slice)
  return text === undefined ? { say: 'The name of this slice cannot be written in a condition.' } : of(`${named(partition)} = ${text}`)
}

interface Insertion {
  readonly behind: string
  readonly text: string
  readonly run?: string
}

/** Puts a text below a declaration, in its file, if it makes sense there. */
function inserted({ workspace, page }: Act, snapshot: Snapshot, { behind, text, run }: Insertion): ActAnswer {
  const found = snapshot.checked.reached.get(fold(behind))
  const file = found && snapshot.files.get(found.path)
  if (!found || !file) return { say: `\`${inert(behind, 80)}\` is not declared any more.` }
  const lineEnd = file.text.indexOf('\n', found.decl.end)
  const at = lineEnd < 0 ? file.text.length : lineEnd + 1
  const lead = lineEnd < 0 ? '\n\n' : '\n'
  const newText = `${lead}${text}`
  const variant = workspace.variant(found.path, `${file.text.slice(0, at)}${newText}${file.text.slice(at)}`)
  const wrong =
    variant && problemsOf(variant).find((one) => one.severity === 'error' && one.start >= at && one.start <= at + newText.length)
  if (variant === undefined || wrong)
    return { say: `What would be written does not make sense here: ${wrong?.message ?? 'the file is gone.'}` }
  const uri = snapshot.uri(found.path)
  const line = placeAt(file.starts, found.decl.end).line
  return {
    insert: { uri, line, text: newText },
    ...(run === undefined ? {} : { run: { uri: found.path === snapshot.path ? page.address.uri : uri, names: [run] } }),
  }
}
