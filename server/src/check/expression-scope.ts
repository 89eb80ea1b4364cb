import type * as ast from '../../../grammar/src/ast.ts'
import type { ModelInfo, Site, SourceInfo } from './scope.ts'
import type { Typed } from './types.ts'

/** What an expression may speak of in the place where it stands. */
export interface ExprScope {
  readonly site: Site
  readonly tables: readonly TableScope[]
  /** The query around a subquery. */
  readonly parent?: ExprScope
  readonly models: Models
  /** `undefined`: aggregates may stand here; else the place in words, `\`where\``. */
  readonly noAggregates?: string
  /** Assertions over several rows: agree, transitions, gap, blips. */
  readonly assertion?: true
  /** It is known which row follows which, which all of these but agree need. */
  readonly ordered?: boolean
  /** Answers of oracles may be asked for. */
  readonly ask?: true
  /** Columns of a result: nothing else is known then. */
  readonly outputs?: ReadonlyMap<string, Output>
  /** Words of `stop when`. */
  readonly words?: ReadonlyMap<string, Typed>
  /** Aliases of the select list, for `order by`, `having` and `group by`. */
  readonly aliases?: ReadonlyMap<string, Output>
  /** Checks a query within an expression, and gives its columns. */
  query(select: ast.Select, scope: ExprScope): readonly Output[]
}

export interface TableScope {
  /** How expressions call it: the alias, or the source's name. */
  readonly name: string
  /** What `Meaning.table` says; undefined where there is but one table and no query. */
  readonly mark?: string
  readonly source: SourceInfo
}

export type Models =
  | { readonly kind: 'given'; readonly models: readonly ModelInfo[] }
  /** The declaration could have `using`, and has none. */
  | { readonly kind: 'none'; readonly declaration: string }
  /** No model can speak here; `where` in words. */
  | { readonly kind: 'refused'; readonly where: string }
  /** Models are not known: whoever names one is quiet. */
  | { readonly kind: 'unknown' }

export interface Output {
  readonly name: string
  readonly typed: Typed
  /** Absent for what a `*` gave. */
  readonly value?: ast.Expr
}
