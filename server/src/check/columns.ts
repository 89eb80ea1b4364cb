import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { ExprScope, TableScope } from './expression-scope.ts'
import { refusal } from './function-signatures.ts'
import { fold } from './names.ts'
import { lookup, type Needed, type PartitionInfo, report, type SliceInfo, type SourceInfo, spoil, use } from './scope.ts'
import { BIGINT, BOOLEAN, TEXT, type Typed, UNKNOWN } from './types.ts'

/** What a bare or qualified name stands for: a column, a pseudo-column, a slice, a partition; a column of a result where only those are known. */
export function typeOfColumn(expr: ast.ColumnRef, scope: ExprScope): Typed {
  const { site } = scope
  const folded = fold(expr.name.text)
  if (scope.outputs) return typeOfOutput(expr, folded, scope)
  if (expr.table) {
    const table = tableNamed(expr.table, scope)
    if (table === undefined) return UNKNOWN
    return inTables(expr, folded, [table], scope) ?? sliceIn(expr, scope, [table]) ?? unknownColumn(expr, scope, [table])
  }
  const word = scope.words?.get(folded)
  if (word) return word
  const levels: TableScope[] = []
  for (let level: ExprScope | undefined = scope; level; level = level.parent) {
    const found = inTables(expr, folded, level.tables, scope)
    if (found) return found
    const alias = level.aliases?.get(folded)
    if (alias) {
      site.meanings.set(expr, { kind: 'output', column: alias.name })
      return alias.typed
    }
    levels.push(...level.tables)
  }
  return sliceIn(expr, scope, levels) ?? unknownColumn(expr, scope, levels)
}

function typeOfOutput(expr: ast.ColumnRef, folded: string, scope: ExprScope): Typed {
  const found = expr.table === undefined ? scope.outputs?.get(folded) : undefined
  if (found) {
    scope.site.meanings.set(expr, { kind: 'output', column: found.name })
    return found.typed
  }
  const known = [...(scope.outputs?.values() ?? [])].map((output) => output.name)
  if (known.length === 0) spoil(scope.site)
  else report(scope.site, 'expect-output', expr, { column: expr.name.text, known, nearest: nearest(expr.name.text, known) })
  return UNKNOWN
}

export function tableNamed(name: ast.Name, scope: ExprScope): TableScope | undefined {
  const folded = fold(name.text)
  const known: string[] = []
  for (let level: ExprScope | undefined = scope; level; level = level.parent) {
    for (const table of level.tables) {
      if (fold(table.name) === folded) return table
      known.push(table.name)
    }
  }
  if (known.length === 0) spoil(scope.site)
  else report(scope.site, 'unknown-table', name, { table: name.text, nearest: nearest(name.text, known), known })
  return undefined
}

function inTables(expr: ast.ColumnRef, folded: string, tables: readonly TableScope[], scope: ExprScope): Typed | undefined {
  const { site } = scope
  let found: TableScope | undefined
  let ambiguous: string[] | undefined
  for (const table of tables) {
    if (!table.source.columns.has(folded)) continue
    if (found === undefined) found = table
    else (ambiguous ??= [found.name]).push(table.name)
  }
  const column = found?.source.columns.get(folded)
  if (found && column) {
    if (ambiguous) {
      report(site, 'ambiguous-column', expr, { column: expr.name.text, tables: ambiguous })
      return column
    }
    site.meanings.set(expr, { kind: 'column', table: found.mark, column })
    return column
  }
  const pseudo = tables.filter((table) => hasPseudo(table.source, folded))
  const [first] = pseudo
  if (first === undefined) return undefined
  if (pseudo.length > 1) {
    report(site, 'ambiguous-column', expr, { column: expr.name.text, tables: pseudo.map((table) => table.name) })
    return UNKNOWN
  }
  site.meanings.set(expr, { kind: 'pseudo', table: first.mark, column: folded as 'split' | 'rowid' | 'key' })
  return folded === 'rowid' ? BIGINT : TEXT
}

export const hasPseudo = (source: SourceInfo, folded: string): boolean =>
  !source.columns.has(folded) && (folded === 'split' || folded === 'key' || (folded === 'rowid' && source.hasRowid))

function sliceIn(expr: ast.ColumnRef, scope: ExprScope, tables: readonly TableScope[]): Typed | undefined {
  const { site } = scope
  const entry = lookup(site, expr.name)
  if (entry === undefined) {
    if (!site.entry.module.missing.has(fold(expr.name.text))) return undefined
    spoil(site)
    return UNKNOWN
  }
  const { kind } = entry.decl
  if (kind !== 'slice' && kind !== 'partition') {
    if (tables.some((table) => table.source.open)) return undefined
    report(site, 'not-for-columns', expr, { name: entry.name, kind })
    return UNKNOWN
  }
  const typed = kind === 'slice' ? BOOLEAN : TEXT
  const info = use(site, entry, expr) as SliceInfo | PartitionInfo | undefined
  if (info === undefined) {
    spoil(site)
    return typed
  }
  const table = tableOfSlice(expr, info, scope, tables)
  if (table === undefined) return typed
  site.meanings.set(
    expr,
    kind === 'slice' ? { kind, slice: entry.name, table: table.mark } : { kind, partition: entry.name, table: table.mark },
  )
  return typed
}

/** A predicate speaks of its own source, its splits, and every table that has its columns. */
function tableOfSlice(
  expr: ast.ColumnRef,
  info: SliceInfo | PartitionInfo,
  scope: ExprScope,
  tables: readonly TableScope[],
): TableScope | undefined {
  const own = tables.filter((table) => table.source === info.source)
  const fitting = own.length > 0 ? own : tables.filter((table) => missingColumn(table.source, info.columns) === undefined)
  if (fitting.length === 1) return fitting[0]
  if (fitting.length > 1) {
    report(scope.site, 'ambiguous-column', expr, { column: expr.name.text, tables: fitting.map((table) => table.name) })
    return undefined
  }
  const [first] = tables
  if (first === undefined || info.source === undefined) {
    spoil(scope.site)
    return undefined
  }
  const column = missingColumn(first.source, info.columns) ?? ''
  const { name, kind } = info
  report(scope.site, 'slice-elsewhere', expr, { name, kind, of: info.source.name, source: first.source.name, column })
  return undefined
}

export function missingColumn(source: SourceInfo, columns: readonly Needed[]): string | undefined {
  if (source.open) return undefined
  return columns.find((needed) => {
    if (needed.pseudo) return !hasPseudo(source, needed.name)
    const column = source.columns.get(fold(needed.name))
    return column === undefined || (column.type !== needed.type && column.type !== 'unknown' && needed.type !== 'unknown')
  })?.name
}

function unknownColumn(expr: ast.ColumnRef, scope: ExprScope, tables: readonly TableScope[]): Typed {
  const { site } = scope
  if ((tables.length === 0 && !scope.words) || tables.some((table) => table.source.open)) {
    spoil(site)
    return UNKNOWN
  }
  const name = expr.name.text
  const why = expr.table === undefined && !expr.name.quoted ? refusal(name.toLowerCase()) : undefined
  if (why === 'outside' || why === 'changing') {
    report(site, 'refused-function', expr, { name, why })
    return UNKNOWN
  }
  const candidates = tables.flatMap((table) => table.source.schema.map((column) => column.name))
  if (!expr.table) for (const entry of site.entry.module.scope.values()) if (isPredicate(entry.decl)) candidates.push(entry.name)
  candidates.push(...(scope.words?.keys() ?? []))
  for (const alias of scope.aliases?.values() ?? []) candidates.push(alias.name)
  report(site, 'unknown-column', expr.name, {
    column: name,
    tables: [...new Set(tables.map((table) => table.name))],
    nearest: nearest(name, [...candidates, 'split']),
  })
  return UNKNOWN
}

const isPredicate = (decl: ast.Declaration): boolean => decl.kind === 'slice' || decl.kind === 'partition'
