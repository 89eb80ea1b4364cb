import type * as ast from '../../../grammar/src/ast.ts'
import type { ColumnType } from '../sql/tree.ts'
import { checkAcquire } from './declarations/acquire.ts'
import { checkAssert } from './declarations/assertion.ts'
import { checkComplaint } from './declarations/complaint.ts'
import { checkCycle } from './declarations/cycle.ts'
import { checkDiscover } from './declarations/discover.ts'
import { checkFind } from './declarations/find.ts'
import { checkIntervene } from './declarations/intervene.ts'
import { checkModel } from './declarations/model.ts'
import { checkOracle } from './declarations/oracle.ts'
import { checkReview } from './declarations/review.ts'
import { checkPartition, checkSlice } from './declarations/slice.ts'
import { checkSource, type Schemas } from './declarations/source.ts'
import { loadModules, type Parsed } from './imports.ts'
import { problem } from './messages.ts'
import { fold } from './names.ts'
import { checkClauses } from './rules/clauses.ts'
import type { Entry, Info, Module, Site } from './scope.ts'
import type { DeclarationSpec, Meaning, Spec } from './spec.ts'

/**
 * From syntax trees to a spec that makes sense: names, types, units, references and the rules of each kind of declaration. Pure, and it never
 * throws; it reads no data, only the schemas that are handed in. What has an error is left out of the spec, and what needs that is left out
 * quietly: one mistake, one problem. Not here: reading files (`readings.ts` says which), SQL (`plan`), sentences about syntax (`grammar`).
 */
export interface CheckOptions {
  /** The file to check, absolute; `files` holds it and what it imports. */
  readonly path: string
}
export interface Checked {
  readonly spec: Spec
  /** Of the file itself, in the order of its text; syntax problems are not repeated. An error in an imported file shows at its import. */
  readonly problems: readonly ast.Problem[]
  /** What the names in reach of the file stand for, by folded name; declarations with errors are among them, with what is known of them. */
  readonly reached: ReadonlyMap<string, Reached>
}
export interface Reached {
  readonly name: string
  readonly decl: ast.Declaration
  /** The file that declares it. */
  readonly path: string
  readonly info?: Info
}

/** O(size of the files) for files without views; views cost their columns. */
export function check(files: ReadonlyMap<string, Parsed>, schemas: Schemas, options: CheckOptions): Checked {
  const modules = loadModules(files, options.path)
  const main = modules.at(-1)
  const meanings = new Map<ast.Expr, Meaning>()
  const types = new Map<ast.Expr, ColumnType>()
  if (main === undefined) return { spec: { path: options.path, declarations: [], meanings, types }, problems: [], reached: new Map() }

  let depth = 0
  const resolve = (entry: Entry): void => {
    if (entry.state !== 'new') return
    entry.state = 'checking'
    const site: Site = { entry, meanings, types, resolve }
    depth++
    if (depth > DEEPEST) {
      entry.broken = true
      entry.module.problems.push(problem('too-long-chain', entry.decl.keyword, { limit: DEEPEST }))
    } else {
      checkClauses(entry.decl, site)
      checkDeclaration(entry, site, schemas)
    }
    depth--
    entry.state = 'done'
  }
  for (const entry of main.scope.values()) if (entry.module !== main) resolve(entry)
  for (const entry of main.entries) resolve(entry)
  const brought = reportImports(main)

  const specs: DeclarationSpec[] = []
  for (const module of modules) {
    for (const entry of module.entries) {
      if (entry.spec && !entry.broken && (module === main || brought.has(entry))) specs.push(entry.spec)
    }
  }
  const problems = [...main.problems].sort((a, b) => a.start - b.start || a.end - b.end)
  const reached = new Map<string, Reached>()
  for (const [folded, { name, decl, module, info }] of main.scope) reached.set(folded, { name, decl, path: module.path, info })
  return { spec: { path: options.path, declarations: specs, meanings, types }, problems, reached }
}

const DEEPEST = 100

function checkDeclaration(entry: Entry, site: Site, schemas: Schemas): void {
  const { decl } = entry
  const { info, spec } = checkKind(decl, site, schemas)
  entry.info = info
  if (spec === undefined || decl.name === undefined) return
  const needs = [...entry.needs.values()].map((needed) => needed.name)
  const { name } = entry
  const { doc, start, end } = decl
  // Each kind's function hands over the body of that kind, a fresh object: spreading it would cost several times as much.
  entry.spec = Object.assign(spec, { kind: decl.kind, name, doc, path: entry.module.path, span: { start, end }, needs }) as DeclarationSpec
}

function checkKind(decl: ast.Declaration, site: Site, schemas: Schemas): { readonly info?: Info; readonly spec?: object } {
  const { name } = site.entry
  switch (decl.kind) {
    case 'source':
      return checkSource(decl, site, schemas)
    case 'model':
      return checkModel(decl, site)
    case 'slice':
      return checkSlice(decl, site)
    case 'partition':
      return checkPartition(decl, site)
    case 'discover':
      return checkDiscover(decl, site)
    case 'assert':
      return { info: { kind: 'assert', name }, spec: checkAssert(decl, site) }
    case 'complaint':
      return checkComplaint(decl, site)
    case 'intervene':
      return { info: { kind: 'intervene', name }, spec: checkIntervene(decl, site) }
    case 'oracle':
      return { info: checkOracle(decl, site), spec: {} }
    case 'review':
      return { info: checkReview(decl, site), spec: {} }
    case 'acquire':
      return { info: checkAcquire(decl, site), spec: {} }
    case 'cycle':
      return { info: checkCycle(decl, site), spec: {} }
    case 'find':
    case 'estimate':
      return { info: checkFind(decl, site), spec: {} }
  }
}

/** What is imported, and all that it needs; at each imported name, what is wrong with it. */
function reportImports(main: Module): Set<Entry> {
  const brought = new Set<Entry>()
  const names = new Map<string, Entry>(main.entries.map((entry) => [fold(entry.name), entry]))
  for (const one of main.file.imports) {
    const path = one.path?.value ?? ''
    for (const name of one.names) {
      const imported = main.scope.get(fold(name.text))
      if (imported === undefined || imported.module === main) continue
      if (imported.broken) main.problems.push(problem('import-broken', name, { name: name.text, path, reason: imported.reason }))
      const visit = (entry: Entry): void => {
        if (brought.has(entry)) return
        brought.add(entry)
        const taken = names.get(fold(entry.name))
        if (taken === undefined) names.set(fold(entry.name), entry)
        else if (taken !== entry)
          main.problems.push(problem('import-clash', name, { name: entry.name, path: entry.module.path, through: name.text }))
        for (const needed of entry.needs.values()) visit(needed)
      }
      visit(imported)
    }
  }
  return brought
}
