import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { Column, ColumnType } from '../sql/tree.ts'
import { type ProblemCode, type ProblemData, problem } from './messages.ts'
import { fold } from './names.ts'
import type { DeclarationSpec, Meaning, ModelSpec } from './spec.ts'

/**
 * What is known while a file is checked. An `Entry` is a declaration under its name; a `Site` is the place from which names are looked up and
 * problems reported. Entries are checked when they are first needed, so declarations may stand in any order.
 */
export interface Module {
  readonly path: string
  readonly file: ast.File
  readonly syntaxProblems: readonly ast.Problem[]
  /** Own declarations in file order, and by folded name together with imported ones. */
  readonly entries: readonly Entry[]
  readonly scope: Map<string, Entry>
  readonly problems: ast.Problem[]
  /** Names that an import that could not be read would have brought: quiet wherever they are used. */
  readonly missing: Set<string>
}

export interface Entry {
  readonly decl: ast.Declaration
  readonly name: string
  readonly module: Module
  state: 'new' | 'checking' | 'done'
  /** Left out of the spec: it has an error, or needs what has one. */
  broken: boolean
  /** The first error, for those who import it. */
  reason?: string
  readonly hasSyntaxError: boolean
  info?: Info
  spec?: DeclarationSpec
  readonly needs: Map<string, Entry>
}

export type Info = SourceInfo | ModelInfo | SliceInfo | PartitionInfo | ComplaintInfo | DiscoverInfo | OracleInfo | AcquireInfo | OtherInfo

export interface SourceInfo {
  readonly kind: 'source'
  readonly name: string
  readonly columns: ReadonlyMap<string, Column>
  readonly schema: readonly Column[]
  /** The schema is not known (an unreadable file, a reader of later versions): any column may be there. */
  readonly open: boolean
  readonly splits: readonly string[]
  /** Files without a declared key count their rows. */
  readonly hasRowid: boolean
  readonly key: readonly string[]
  readonly label?: string
  readonly ordered: boolean
  /** By a column's folded name; worked out when it is asked for. */
  lineage(column: string): Lineage | undefined
  /** Sources that a view reads, directly or through others; itself included. */
  readonly over: ReadonlySet<string>
}

/** Columns, as `source.column` folded, that a column is computed from; `copied`: those that can arrive in it unchanged. Itself included. */
export interface Lineage {
  readonly from: ReadonlySet<string>
  readonly copied: ReadonlySet<string>
}

export interface ModelInfo {
  readonly kind: 'model'
  readonly name: string
  readonly source?: SourceInfo
  readonly target?: Column
  readonly targetName: string
  readonly inputs: readonly Column[]
  readonly task: ModelSpec['task']
  readonly trainSplit?: string
  /** Predictions brought along: the columns that must be there. */
  readonly brought: readonly Column[]
}
export interface SliceInfo {
  readonly kind: 'slice'
  readonly name: string
  readonly source?: SourceInfo
  readonly columns: readonly Needed[]
}
/** A column that a predicate needs of a source. */
export interface Needed {
  readonly name: string
  readonly type: ColumnType
  readonly pseudo: boolean
}
export interface PartitionInfo {
  readonly kind: 'partition'
  readonly name: string
  readonly source?: SourceInfo
  readonly columns: readonly Needed[]
}
export interface ComplaintInfo {
  readonly kind: 'complaint'
  readonly name: string
  readonly models: readonly ModelInfo[]
}
export interface DiscoverInfo {
  readonly kind: 'discover'
  readonly name: string
  readonly source?: SourceInfo
}
export interface OracleInfo {
  readonly kind: 'oracle'
  readonly name: string
  readonly source?: SourceInfo
  readonly columns: readonly string[]
  readonly cost?: number
}
export interface AcquireInfo {
  readonly kind: 'acquire'
  readonly name: string
}
export interface OtherInfo {
  readonly kind: 'assert' | 'review' | 'intervene' | 'cycle' | 'find' | 'estimate'
  readonly name: string
  readonly source?: SourceInfo
}
type InfoOf<K extends Info['kind']> = Extract<Info, { readonly kind: K }>

/** Where a declaration is being checked. */
export interface Site {
  readonly entry: Entry
  readonly meanings: Map<ast.Expr, Meaning>
  readonly types: Map<ast.Expr, ColumnType>
  resolve(entry: Entry): void
}

export function report<C extends ProblemCode>(site: Site, code: C, span: ast.Span, data: ProblemData[C]): void {
  add(site, problem(code, span, data))
}
export function add(site: Site, found: ast.Problem): void {
  const { entry } = site
  entry.module.problems.push(found)
  if (found.severity !== 'error') return
  entry.broken = true
  entry.reason ??= found.message
}
/** Left out quietly: the error that it suffers from is reported elsewhere. */
export function spoil(site: Site, reason?: string): void {
  site.entry.broken = true
  site.entry.reason ??= reason
}

/** A declaration of one of these kinds by its name; reports what is wrong with the name, and is quiet about what is wrong with the thing. */
export function find<K extends Info['kind']>(site: Site, name: ast.Name | undefined, ...kinds: readonly K[]): InfoOf<K> | undefined {
  if (name === undefined) return undefined
  const found = lookup(site, name)
  if (found === undefined) {
    unknownName(site, name, kinds)
    return undefined
  }
  if (!(kinds as readonly string[]).includes(found.decl.kind)) {
    report(site, 'wrong-kind', name, { name: name.text, is: found.decl.kind, wanted: kinds })
    return undefined
  }
  return use(site, found, name) as InfoOf<K> | undefined
}

export const lookup = (site: Site, name: ast.Name): Entry | undefined => site.entry.module.scope.get(fold(name.text))

/** Checks an entry if need be and records the need of it. Undefined where nothing is known of it, quietly unless it needs itself. */
export function use(site: Site, found: Entry, at: ast.Span): Info | undefined {
  if (found.state === 'checking') {
    report(site, found === site.entry ? 'needs-itself' : 'circular', at, { name: found.name, through: site.entry.name })
    return undefined
  }
  site.resolve(found)
  site.entry.needs.set(fold(found.name), found)
  if (found.broken) spoil(site, found.reason)
  return found.info
}

export function unknownName(site: Site, name: ast.Name, kinds: readonly Info['kind'][]): void {
  const { module } = site.entry
  if (module.missing.has(fold(name.text))) {
    spoil(site)
    return
  }
  const ofKind: string[] = []
  for (const entry of module.scope.values()) if ((kinds as readonly string[]).includes(entry.decl.kind)) ofKind.push(entry.name)
  report(site, 'unknown-name', name, { name: name.text, wanted: kinds, nearest: nearest(name.text, ofKind), known: ofKind })
}

/** A source or one of its splits. */
export function findRef(site: Site, ref: ast.Ref | undefined): { readonly source: SourceInfo; readonly split?: string } | undefined {
  const source = find(site, ref?.source, 'source')
  if (ref === undefined || source === undefined) return undefined
  if (ref.split === undefined) return { source }
  const split = findSplit(site, source, ref.split)
  return split === undefined ? undefined : { source, split }
}

/** The split as declared. */
export function findSplit(site: Site, source: SourceInfo, name: ast.Name): string | undefined {
  const found = source.splits.find((split) => fold(split) === fold(name.text))
  if (found !== undefined) return found
  if (source.open && source.splits.length === 0) {
    spoil(site)
    return undefined
  }
  report(site, 'unknown-split', name, {
    split: name.text,
    source: source.name,
    nearest: nearest(name.text, source.splits),
    known: source.splits,
  })
  return undefined
}

/** The column as the schema spells it; undefined where it is unknown (reported) or the schema is (quiet). */
export function findColumn(site: Site, source: SourceInfo | undefined, name: ast.Name): Column | undefined {
  if (source === undefined) return undefined
  const found = source.columns.get(fold(name.text))
  if (found !== undefined) return found
  if (source.open) {
    spoil(site)
    return undefined
  }
  const near = nearest(
    name.text,
    source.schema.map((column) => column.name),
  )
  report(site, 'unknown-column', name, { column: name.text, tables: [source.name], nearest: near })
  return undefined
}
