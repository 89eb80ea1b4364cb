import { dirname } from 'node:path'
import type * as ast from '../../../grammar/src/ast.ts'
import { type SettingGroup, settingOf } from '../../../grammar/src/setting-table.ts'
import { childrenOf } from '../../../grammar/src/walker.ts'
import type { Checked } from '../check/check.ts'
import { clauseOf } from '../check/clauses.ts'
import { fold } from '../check/names.ts'
import { joinPath } from '../check/paths.ts'
import type { ModelInfo, SourceInfo } from '../check/scope.ts'
import type { Occurrence, Target } from './target.ts'

interface Table {
  readonly name: string
  readonly source: SourceInfo | undefined
  readonly alias: boolean
}
interface Scope {
  readonly tables: readonly Table[]
  readonly models: readonly ModelInfo[]
  readonly owner: string
}

/** Every name of a file that stands for something, sorted by place. Names that stand for nothing known are left out. O(size of the file). */
export function occurrencesIn(file: { readonly path: string; readonly ast: ast.File }, checked: Checked): Occurrence[] {
  const found: Occurrence[] = []
  const add = (span: ast.Span | undefined, target: Target | undefined, more: { defines?: true; literal?: true } = {}) => {
    if (span && target)
      found.push({ start: span.start, end: span.end, target, defines: more.defines ?? false, literal: more.literal ?? false })
  }
  const visitor = visit(file, checked, add)
  for (const one of file.ast.imports) visitor.importOf(one)
  for (const decl of file.ast.declarations) visitor.declaration(decl)
  return found.sort((a, b) => a.start - b.start || a.end - b.end)
}

type Add = (span: ast.Span | undefined, target: Target | undefined, more?: { defines?: true; literal?: true }) => void

function visit(file: { readonly path: string }, checked: Checked, add: Add) {
  const { reached, spec } = checked
  const reach = (name: string | undefined) => (name === undefined ? undefined : reached.get(fold(name)))
  const declared = (name: ast.Name | undefined, ...kinds: readonly ast.DeclarationKind[]): boolean => {
    const known = reach(name?.text)
    if (!name || !known || (kinds.length > 0 && !kinds.includes(known.decl.kind))) return false
    add(name, { kind: 'declaration', path: known.path, name: known.name, declaration: known.decl.kind })
    return true
  }
  const sourceOf = (name: string | undefined): SourceInfo | undefined => {
    const info = reach(name)?.info
    return info?.kind === 'source' ? info : undefined
  }
  const modelOf = (name: string | undefined): ModelInfo | undefined => {
    const info = reach(name)?.info
    return info?.kind === 'model' ? info : undefined
  }
  const column = (name: ast.Name | undefined, source: SourceInfo | undefined) => {
    const known = name && source?.columns.get(fold(name.text))
    if (name && source && known) add(name, { kind: 'column', source: source.name, name: known.name })
  }
  const columns = (names: readonly ast.Name[], source: SourceInfo | undefined) => {
    for (const name of names) column(name, source)
  }
  const split = (name: ast.Name | undefined, source: SourceInfo | undefined): boolean => {
    const known = name && source?.splits.find((one) => fold(one) === fold(name.text))
    if (!name || !source || known === undefined) return false
    add(name, { kind: 'split', source: source.name, name: known })
    return true
  }
  const ref = (one: ast.Ref | undefined): SourceInfo | undefined => {
    declared(one?.source, 'source')
    const source = sourceOf(one?.source.text)
    split(one?.split, source)
    return source
  }
  const path = (literal: ast.StringLiteral | undefined) => {
    if (literal && literal.value !== '')
      add(literal, { kind: 'file', path: joinPath(dirname(file.path), literal.value) }, { literal: true })
  }
  const setting = (one: ast.Setting | undefined, group: SettingGroup, source?: SourceInfo) => {
    const known = one && settingOf(group, one.name.text)
    if (!one || !known) return
    add(one.name, { kind: 'setting', group, name: known.name })
    for (const arg of one.args) {
      const name = arg.label?.text.toLowerCase()
      const option =
        known.options.find((each) => each.name === name) ?? (arg.label ? undefined : known.options.find((each) => each.positional))
      if (arg.label && option) add(arg.label, { kind: 'option', of: known.name, name: option.name })
      const type = option?.type ?? known.rest
      if (type === 'text' && arg.value.kind === 'string' && !/^(url|table|output)$/.test(option?.name ?? '')) path(arg.value)
      if (type === 'embedding' && arg.value.kind === 'setting' && arg.value.called) setting(arg.value, group, source)
      if ((type === 'column' || type === 'columns' || type === 'embedding') && source) valueColumns(arg.value, source)
      if (type === 'source' && arg.value.kind === 'setting') declared(arg.value.name, 'source')
    }
  }
  const valueColumns = (value: ast.Value, source: SourceInfo) => {
    if (value.kind === 'setting' && !value.called) column(value.name, source)
    if (value.kind === 'values') for (const item of value.items) valueColumns(item.value, source)
  }
  const options = (of: string, some: ast.Options | undefined) => {
    for (const arg of some?.args ?? []) if (arg.label) add(arg.label, { kind: 'option', of, name: arg.label.text.toLowerCase() })
  }

  const expression = (expr: ast.Expr | undefined, scope: Scope): unknown => {
    if (expr === undefined) return
    if (expr.kind === 'column') return columnRef(expr, scope)
    if (expr.kind === 'exists') return select(expr.query, scope, undefined)
    if (expr.kind === 'call') return call(expr, scope)
    splitNames(expr, scope)
    if (expr.kind === 'in' && expr.query) {
      expression(expr.value, scope)
      for (const item of expr.list ?? []) expression(item, scope)
      return select(expr.query, scope, undefined)
    }
    for (const child of childrenOf(expr)) expression(child, scope)
  }
  const tableOf = (scope: Scope, mark: string | undefined): Table | undefined =>
    mark === undefined ? scope.tables[0] : (scope.tables.find((table) => fold(table.name) === fold(mark)) ?? scope.tables[0])
  const tableName = (name: ast.Name | undefined, scope: Scope): Table | undefined => {
    const table = name && scope.tables.find((one) => fold(one.name) === fold(name.text))
    if (name && table) {
      if (table.alias) add(name, { kind: 'alias', owner: scope.owner, name: table.name })
      else declared(name, 'source')
    }
    return table
  }
  const columnRef = (expr: ast.ColumnRef, scope: Scope): unknown => {
    tableName(expr.table, scope)
    const meaning = spec.meanings.get(expr)
    if (meaning === undefined) return
    const table = 'table' in meaning ? tableOf(scope, meaning.table) : undefined
    const source = table?.source?.name ?? ''
    if (meaning.kind === 'column') add(expr.name, { kind: 'column', source, name: meaning.column.name })
    if (meaning.kind === 'pseudo') add(expr.name, { kind: 'pseudo', source, name: meaning.column })
    if (meaning.kind === 'output') add(expr.name, { kind: 'output', owner: scope.owner, name: meaning.column })
    if (meaning.kind === 'slice' || meaning.kind === 'partition') declared(expr.name, 'slice', 'partition')
  }
  const call = (expr: ast.Call, scope: Scope): unknown => {
    const name = expr.callee.text
    add(expr.callee, { kind: 'function', name })
    const [first, ...others] = expr.args.map((argument) => argument.value)
    if ((name === 'predict' || name === 'score') && first?.kind === 'column') {
      const table = tableName(first.table, scope)
      const model = scope.models.find((one) => fold(one.targetName) === fold(first.name.text))
      const source = table?.source?.columns.has(fold(first.name.text)) ? table.source : model?.source
      column(first.name, source)
      const named = others.at(-1)
      if (named?.kind === 'column' && !named.table && (name === 'predict' || others.length > 1)) declared(named.name, 'model')
      return
    }
    if (name === 'ask' && first?.kind === 'column') {
      declared(first.name, 'oracle')
      const oracle = reach(first.name.text)?.info
      const asked = others[0]
      if (asked?.kind === 'column' && oracle?.kind === 'oracle') column(asked.name, oracle.source)
      return
    }
    for (const argument of expr.args) expression(argument.value, scope)
  }
  /** `split = 'train'`: the text names a split. */
  const splitNames = (expr: ast.Expr, scope: Scope) => {
    const sides = expr.kind === 'binary' ? [expr.left, expr.right] : expr.kind === 'in' ? [expr.value, ...(expr.list ?? [])] : []
    const asked = sides.find((side) => side.kind === 'column' && isSplit(spec.meanings.get(side)))
    const meaning = asked && spec.meanings.get(asked)
    if (meaning?.kind !== 'pseudo') return
    const source = tableOf(scope, meaning.table)?.source
    for (const side of sides) {
      if (side.kind !== 'string' || !source?.splits.includes(side.value)) continue
      add(side, { kind: 'split', source: source.name, name: side.value }, { literal: true })
    }
  }

  const select = (one: ast.Select, outer: Scope, view: string | undefined, outputs?: 'outputs'): void => {
    const tables: Table[] = []
    for (const table of [...(one.from ? [one.from] : []), ...one.joins.map((join) => join.table)]) {
      const source = ref(table.ref)
      tables.push({ name: table.alias?.text ?? table.ref.source.text, source, alias: table.alias !== undefined })
      if (table.alias) add(table.alias, { kind: 'alias', owner: outer.owner, name: table.alias.text }, { defines: true })
    }
    const scope: Scope = { ...outer, tables: [...tables, ...outer.tables] }
    for (const item of one.items) {
      if (item.value.kind === 'star') tableName(item.value.table, scope)
      else expression(item.value, scope)
      if (!item.alias) continue
      if (view !== undefined) add(item.alias, { kind: 'column', source: view, name: item.alias.text }, { defines: true })
      else if (outputs) add(item.alias, { kind: 'output', owner: outer.owner, name: item.alias.text }, { defines: true })
    }
    for (const join of one.joins) expression(join.on, scope)
    for (const part of [one.where, ...one.groupBy, one.having, ...one.orderBy.map((item) => item.value)]) expression(part, scope)
  }

  const suspects = (one: ast.Suspects, model: ModelInfo | undefined) => {
    if (!split(one.of, model?.source)) declared(one.of, 'source')
    setting(one.influenceOf, 'treatment')
  }
  const target = (one: ast.FixTarget, model: ModelInfo | undefined, scope: Scope) => {
    if (one.kind === 'suspects') suspects(one.suspects, model)
    else expression(one.where, scope)
  }
  const binned = (some: readonly ast.Binned[], source: SourceInfo | undefined) => {
    for (const one of some) column(one.column, source)
  }

  const clause = (one: ast.AnyClause, decl: ast.Declaration, source: SourceInfo | undefined, scope: Scope): unknown => {
    const [model] = scope.models
    const exprs = (...some: readonly (ast.Expr | undefined)[]) => {
      for (const expr of some) expression(expr, scope)
    }
    switch (one.word) {
      case 'from':
        if ('columns' in one) return columns(one.columns, source)
        if ('column' in one) return column(one.column, source)
        if ('ref' in one) {
          const supplied = ref(one.ref)
          return expression(one.where, { ...scope, tables: [{ name: one.ref.source.text, source: supplied, alias: false }] })
        }
        if (one.from.kind === 'view') return select(one.from.select, { ...scope, tables: [] }, decl.name?.text ?? '')
        if (one.from.kind === 'reader') return setting(one.from.setting, 'reader')
        path(one.from.path)
        return options('from', one.from.options)
      case 'key':
      case 'label':
      case 'predict':
        return columns('columns' in one ? one.columns : [one.column], source)
      case 'order':
        return exprs(...one.items.map((item) => item.value))
      case 'split':
        for (const part of one.parts) {
          add(part.name, { kind: 'split', source: decl.name?.text ?? '', name: part.name.text }, { defines: true })
          expression(part.where, scope)
        }
        return columns(one.hash ?? [], source)
      case 'ask':
        if ('oracle' in one) return declared(one.oracle, 'oracle')
        return columns(one.columns, source)
      case 'queue':
      case 'into':
        return path(one.path)
      case 'kind':
        return setting(one.setting, 'model kind', source)
      case 'train':
        split(one.split, source)
        return options('train', one.options)
      case 'validate':
        return split(one.split, source)
      case 'by':
      case 'over':
        return binned(one.columns, source)
      case 'tree':
        return options('tree', one.options)
      case 'error':
      case 'proxy':
      case 'severity':
      case 'value':
        return exprs('value' in one ? one.value : undefined)
      case 'require':
      case 'where':
        return expression(one.condition, scope)
      case 'stop':
        return expression(one.when, { ...scope, tables: [] })
      case 'each': {
        if (one.scope.kind === 'group') return exprs(...one.scope.by)
        if (one.scope.kind === 'window') columns(one.scope.by, source)
        if (one.scope.kind === 'track') setting(one.scope.by, 'track', source)
        return exprs(...('orderBy' in one.scope ? one.scope.orderBy.map((item) => item.value) : []))
      }
      case 'learn': {
        const trusted = ref(one.on)
        column(one.given, source)
        const learned = { ...scope, tables: [...scope.tables, { name: one.on.source.text, source: trusted, alias: false }] }
        for (const expr of one.of) expression(expr, learned)
        return
      }
      case 'correct':
        return setting(one.setting, 'correct')
      case 'flagged':
        for (const name of one.by) declared(name, 'assert')
        return
      case 'strategy':
        return setting(one.setting, decl.kind === 'review' ? 'review strategy' : 'acquire strategy')
      case 'curve':
      case 'sampling':
        return setting(one.setting, one.word)
      case 'method':
        return setting(
          one.setting,
          decl.kind === 'complaint' ? 'complaint method' : decl.kind === 'find' ? 'find method' : 'estimate method',
        )
      case 'query':
        return select(one.select, { ...scope, tables: [] }, undefined, 'outputs')
      case 'expect': {
        const inOutputs = { ...scope, tables: [] }
        if (one.expectation.kind === 'direction') output(one.expectation.column, decl, scope.owner)
        if (one.expectation.kind === 'condition') expression(one.expectation.condition, inOutputs)
        return expression(one.expectation.where, inOutputs)
      }
      case 'blame':
        return suspects(one.suspects, model)
      case 'explain':
        return binned(one.over, model?.source)
      case 'for':
        return declared(one.complaint, 'complaint')
      case 'set':
        column(one.column, source)
        expression(one.value, scope)
        return target(one.target, model, scope)
      case 'replace':
        declared(one.source, 'source')
        return target(one.target, model, scope)
      case 'denoise':
        setting(one.filter, 'denoise')
        return target(one.target, model, scope)
      case 'remove':
      case 'relabel':
        return target(one.target, model, scope)
      case 'retrain':
        for (const name of one.models) declared(name, 'model')
        return
      case 'compare':
        for (const measure of one.measures) {
          declared(measure.name, 'complaint')
          ref(measure.on)
        }
        return
      case 'slices':
        for (const name of one.names) declared(name, 'slice', 'partition', 'discover')
        return
      case 'want':
      case 'cost':
        if ('slice' in one) declared(one.slice, 'slice', 'partition')
        return
      case 'discover':
      case 'acquire':
        return declared(one.name, one.word)
      default:
        return
    }
  }
  const output = (name: ast.Name, decl: ast.Declaration, owner: string) => {
    const query = decl.kind === 'complaint' ? clauseOf(decl, 'query')?.select : undefined
    const item = query?.items.find((each) => fold(each.alias?.text ?? '') === fold(name.text))
    if (item?.alias) add(name, { kind: 'output', owner, name: item.alias.text })
  }

  return {
    importOf(one: ast.Import) {
      for (const name of one.names) declared(name)
      path(one.path)
    },
    declaration(decl: ast.Declaration) {
      const own = reach(decl.name?.text)
      if (decl.name && own?.decl === decl)
        add(decl.name, { kind: 'declaration', path: file.path, name: decl.name.text, declaration: decl.kind }, { defines: true })
      const using = 'using' in decl && decl.using ? (Array.isArray(decl.using) ? decl.using : [decl.using]) : []
      const named = [...(using as readonly ast.Name[])]
      if ('against' in decl && decl.against) named.push(decl.against)
      if ('model' in decl && decl.model) named.push(decl.model)
      for (const name of named) declared(name, 'model')
      let models = named.map((name) => modelOf(name.text)).filter((one) => one !== undefined)
      let source: SourceInfo | undefined
      if ('on' in decl && decl.on) {
        if ('source' in decl.on) source = ref(decl.on)
        else {
          declared(decl.on, 'source')
          source = sourceOf(decl.on.text)
        }
      }
      if (decl.kind === 'source') source = own?.info?.kind === 'source' ? own.info : undefined
      if (decl.kind === 'intervene') {
        const complaint = reach(clauseOf(decl, 'for')?.complaint.text)?.info
        if (complaint?.kind === 'complaint') models = [...complaint.models]
        source = models[0]?.source
      }
      const tables = source ? [{ name: source.name, source, alias: false }] : []
      const scope: Scope = { tables, models, owner: decl.name?.text ?? '' }
      if (decl.kind === 'slice') expression(decl.where, scope)
      for (const one of decl.clauses as readonly ast.AnyClause[]) clause(one, decl, source, scope)
    },
  }
}

const isSplit = (meaning: { readonly kind: string; readonly column?: unknown } | undefined): boolean =>
  meaning?.kind === 'pseudo' && meaning.column === 'split'
