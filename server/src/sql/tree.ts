/**
 * SQL as a tree: what `plan` builds and `print.ts` writes for a database. No string that a user wrote ever becomes SQL text
 * except through a node of this tree: names are quoted, literals escaped, by the printer alone.
 */
export type SqlExpr =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | bigint | null }
  /** An interval in seconds. */
  | { readonly kind: 'interval'; readonly seconds: number }
  | { readonly kind: 'column'; readonly table?: string; readonly name: string }
  | { readonly kind: 'star'; readonly table?: string }
  | {
      readonly kind: 'call'
      readonly name: string
      readonly args: readonly SqlExpr[]
      readonly distinct?: boolean
      readonly filter?: SqlExpr
      readonly orderBy?: readonly SqlOrder[]
    }
  | {
      readonly kind: 'window'
      readonly call: SqlExpr
      readonly partitionBy: readonly SqlExpr[]
      readonly orderBy: readonly SqlOrder[]
      readonly frame?: string
    }
  | { readonly kind: 'unary'; readonly op: '-' | '+' | 'not'; readonly operand: SqlExpr }
  | { readonly kind: 'binary'; readonly op: SqlBinaryOp; readonly left: SqlExpr; readonly right: SqlExpr }
  | { readonly kind: 'logical'; readonly op: 'and' | 'or'; readonly operands: readonly SqlExpr[] }
  | { readonly kind: 'between'; readonly negated: boolean; readonly value: SqlExpr; readonly low: SqlExpr; readonly high: SqlExpr }
  | {
      readonly kind: 'in'
      readonly negated: boolean
      readonly value: SqlExpr
      readonly list?: readonly SqlExpr[]
      readonly query?: SqlSelect
    }
  | { readonly kind: 'like'; readonly negated: boolean; readonly value: SqlExpr; readonly pattern: SqlExpr }
  | { readonly kind: 'is_null'; readonly negated: boolean; readonly value: SqlExpr }
  | {
      readonly kind: 'case'
      readonly subject?: SqlExpr
      readonly whens: readonly { readonly when: SqlExpr; readonly then: SqlExpr }[]
      readonly otherwise?: SqlExpr
    }
  | { readonly kind: 'cast'; readonly value: SqlExpr; readonly type: string; readonly lenient?: boolean }
  | { readonly kind: 'exists'; readonly query: SqlSelect }
  | { readonly kind: 'subquery'; readonly query: SqlSelect }
  | { readonly kind: 'list'; readonly items: readonly SqlExpr[] }

export type SqlBinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '||'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'is not distinct from'
  | 'is distinct from'

export interface SqlOrder {
  readonly value: SqlExpr
  readonly descending: boolean
}

export interface SqlSelect {
  readonly with?: readonly { readonly name: string; readonly query: SqlSelect }[]
  readonly distinct?: boolean
  readonly items: readonly { readonly value: SqlExpr; readonly alias?: string }[]
  readonly from?: SqlFrom
  readonly joins?: readonly { readonly side: 'inner' | 'left' | 'cross'; readonly from: SqlFrom; readonly on?: SqlExpr }[]
  readonly where?: SqlExpr
  readonly groupBy?: readonly SqlExpr[]
  readonly having?: SqlExpr
  readonly qualify?: SqlExpr
  readonly orderBy?: readonly SqlOrder[]
  readonly limit?: number
}

export type SqlFrom =
  | { readonly kind: 'table'; readonly name: string; readonly alias?: string }
  | { readonly kind: 'query'; readonly query: SqlSelect; readonly alias: string }
  | { readonly kind: 'values'; readonly rows: readonly (readonly SqlExpr[])[]; readonly alias: string; readonly columns: readonly string[] }

/** How rows come from outside: what a `source`'s `from` clause says once it is checked. Paths are absolute (globs allowed for files). */
export type Reading =
  | { readonly kind: 'file'; readonly format: FileFormat; readonly path: string; readonly options: Readonly<Record<string, ReadingOption>> }
  | { readonly kind: 'idx'; readonly images: string; readonly labels?: string }
export type FileFormat = 'csv' | 'tsv' | 'parquet' | 'json' | 'jsonl'
/** DuckDB's reader options as the language spells them (`types` is a record of column → type). */
export type ReadingOption = string | number | boolean | readonly string[] | Readonly<Record<string, string>>

/** The kinds of value that the language tells apart; `unknown` fits everywhere. */
export type ColumnType =
  | 'number'
  | 'text'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'duration'
  | 'image'
  | 'blob'
  | 'list'
  | 'struct'
  | 'unknown'
export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** The database's own name of the type: `BIGINT`, `DECIMAL(18,3)`. */
  readonly sqlType: string
}
export type Schema = readonly Column[]

/** Hidden columns of every prepared table; quoted everywhere, so no user's column can be meant by accident. */
export const ROW = 'assay row'
export const KEY = 'assay key'
export const SPLIT = 'assay split'
