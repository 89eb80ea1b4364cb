import type * as ast from '../../../grammar/src/ast.ts'
import type { Column, ColumnType, Reading } from '../sql/tree.ts'

/**
 * What a file says once it is known to make sense: `check`'s answer and `plan`'s input. A declaration with an error is not here.
 * Expressions stay syntax trees; what each of their names means is in `meanings`, keyed by the node.
 */
export interface Spec {
  /** Absolute path of the file. */
  readonly path: string
  /** Valid declarations in file order, imported ones first. */
  readonly declarations: readonly DeclarationSpec[]
  readonly meanings: ReadonlyMap<ast.Expr, Meaning>
  readonly types: ReadonlyMap<ast.Expr, ColumnType>
}

export type DeclarationSpec =
  | SourceSpec
  | ModelSpec
  | SliceSpec
  | PartitionSpec
  | DiscoverSpec
  | AssertSpec
  | ComplaintSpec
  | InterveneSpec
  | LaterSpec

interface Base<K extends string> {
  readonly kind: K
  /** As declared; unique in a file, compared case-insensitively. */
  readonly name: string
  readonly doc?: string
  /** The file that declares it (imports) and where. */
  readonly path: string
  readonly span: ast.Span
  /** Names of the declarations that it needs, direct ones only. */
  readonly needs: readonly string[]
}

/** What a name or a call in an expression stands for. Columns are named as the source's schema spells them. */
export type Meaning =
  | { readonly kind: 'column'; readonly table?: string; readonly column: Column }
  /** A pseudo-column. `key` is the row's key as text, where the source has no column of that name. */
  | { readonly kind: 'pseudo'; readonly table?: string; readonly column: 'split' | 'rowid' | 'key' }
  | { readonly kind: 'slice'; readonly slice: string; readonly table?: string }
  | { readonly kind: 'partition'; readonly partition: string; readonly table?: string }
  | { readonly kind: 'predict'; readonly model: string; readonly table?: string }
  | { readonly kind: 'score'; readonly model: string; readonly table?: string; readonly label: ast.Expr }
  | { readonly kind: 'ask'; readonly oracle: string; readonly column: string; readonly table?: string }
  /** An output column of the complaint's own query, as in `expect sevens <= 1028`. */
  | { readonly kind: 'output'; readonly column: string }
  /** A function of the database by its lower-case name; `aggregate` tells count, sum, avg, … from scalar ones. */
  | { readonly kind: 'function'; readonly name: string; readonly aggregate: boolean }
  /** An assertion aggregate of our own: agree, transitions, gap, blips. */
  | { readonly kind: 'assertion_aggregate'; readonly name: string }

export interface SourceSpec extends Base<'source'> {
  /** Exactly one of the three. `unsupported` names a reader that this version cannot run (arrow, images, database). */
  readonly reading?: Reading
  readonly view?: ast.Select
  readonly unsupported?: string
  /** User columns in order, after `names snake` or a `select *` have been applied; pseudo-columns are not among them. */
  readonly schema: readonly SourceColumn[]
  readonly names: 'as_is' | 'snake'
  /** Declared key columns. */
  readonly key?: readonly string[]
  readonly orderBy: readonly ast.OrderItem[]
  readonly label?: string
  readonly split?: SplitSpec
}

/** `from` is the name in the reading, where `names snake` has changed it. */
export type SourceColumn = Column & { readonly from?: string }

export interface SplitSpec {
  readonly parts: readonly { readonly name: string; readonly where?: ast.Expr /** 0 … 1 */; readonly share?: number }[]
  /** Columns to hash instead of the key. */
  readonly hash?: readonly string[]
  readonly seed: number
}

/** A source or one of its splits. */
export interface RefSpec {
  readonly source: string
  readonly split?: string
}

export interface ModelSpec extends Base<'model'> {
  readonly source: string
  readonly target: Column
  readonly inputs: readonly Column[]
  readonly model:
    | { readonly kind: 'logistic' | 'linear'; readonly l2: number }
    | { readonly kind: 'mlp'; readonly hidden: readonly number[]; readonly l2: number }
    /** Predictions brought along: `scores` in the order of `labels` where the user gave names, else of the label's distinct values. */
    | {
        readonly kind: 'column'
        readonly column: string
        readonly scores: readonly string[]
        readonly labels?: readonly (string | number | boolean)[]
      }
    /** A logistic head: a model of its own over embeddings that stay as they are. */
    | { readonly kind: 'head'; readonly embedding: EmbeddingSpec; readonly l2: number }
    | OnnxSpec
    /** cnn, wrn, lstm, saved: parsed, refused when run. */
    | { readonly kind: 'later'; readonly name: string }
  readonly train?: {
    readonly split: string
    readonly epochs: number
    readonly batch: number
    readonly seed: number
    readonly patience?: number
    readonly folds?: number
  }
  readonly validate?: string
  /** `regression` where the target is a number and the kind is linear or an mlp over a non-integer target; decided here once. */
  readonly task: 'classification' | 'regression'
}

/** Where embeddings come from: a column of lists of numbers, or a layer of a model in ONNX form over the model's inputs. */
export type EmbeddingSpec = { readonly kind: 'column'; readonly column: string } | OnnxSpec

/** A model that was trained elsewhere. `path` is absolute; `output` an output of its graph or any value inside it; `classes` in the order of its outputs. */
export interface OnnxSpec {
  readonly kind: 'onnx'
  readonly path: string
  readonly output?: string
  readonly classes?: readonly (string | number | boolean)[]
}

export interface SliceSpec extends Base<'slice'> {
  readonly source: string
  readonly where: ast.Expr
}

export interface BinnedSpec {
  readonly column: Column
  readonly bins?: number
  readonly edges?: readonly number[]
}
export interface PartitionSpec extends Base<'partition'> {
  readonly source: string
  readonly by?: readonly BinnedSpec[]
  readonly tree?: { readonly threshold: number; readonly minimum?: number }
  readonly minimum?: number
}

export interface DiscoverSpec extends Base<'discover'> {
  readonly on: RefSpec
  readonly using?: string
  readonly against?: string
  readonly over?: readonly BinnedSpec[]
  readonly error?: ast.Expr
  readonly support?: { readonly unit: 'share' | 'rows'; readonly value: number }
  readonly depth: number
  readonly top: number
  readonly alpha: number
  readonly fdr?: number
}

export interface AssertSpec extends Base<'assert'> {
  readonly on: RefSpec
  readonly using: readonly string[]
  readonly each:
    | { readonly kind: 'row' }
    | { readonly kind: 'group'; readonly by: readonly ast.Expr[] }
    | { readonly kind: 'later'; readonly word: string }
  readonly require: readonly ast.Expr[]
  readonly severity?: ast.Expr
  readonly level: 'error' | 'warning' | 'info'
  /** 0 … 1 */
  readonly warnAbove?: number
  readonly failAbove?: number
  /** A clause that this version parses and cannot run, in words: `correct with`, `learn`. */
  readonly later?: string
}

export interface SuspectsSpec {
  readonly top: number
  /** A bare split of the first model's source, or a source's name. */
  readonly of: RefSpec
  readonly by: ast.SuspectOrder
  readonly treatment: TreatmentSpec
}
export type TreatmentSpec =
  | { readonly kind: 'auto' | 'remove' }
  | { readonly kind: 'relabel'; readonly to?: string | number | boolean }
  | { readonly kind: 'denoise'; readonly size: number }
  | { readonly kind: 'replace'; readonly source: string }

export interface ComplaintSpec extends Base<'complaint'> {
  readonly using: readonly string[]
  readonly query: ast.Select
  readonly expect: readonly ast.Expectation[]
  readonly blame: SuspectsSpec
  readonly method:
    | { readonly kind: 'auto' }
    | { readonly kind: 'spectral'; readonly k?: number }
    | { readonly kind: 'cg'; readonly iterations: number; readonly damping: number }
  readonly explain?: { readonly over: readonly BinnedSpec[] }
}

export interface InterveneSpec extends Base<'intervene'> {
  readonly complaint: string
  readonly fixes: readonly FixSpec[]
  readonly retrain: readonly string[]
  readonly compare: readonly MeasureSpec[]
}
export type FixTargetSpec =
  | { readonly kind: 'suspects'; readonly suspects: SuspectsSpec }
  | { readonly kind: 'where'; readonly where: ast.Expr }
export type FixSpec =
  | { readonly kind: 'remove'; readonly target: FixTargetSpec }
  | { readonly kind: 'relabel'; readonly target: FixTargetSpec; readonly to?: string | number | boolean }
  /** A median filter over the images. */
  | { readonly kind: 'denoise'; readonly target: FixTargetSpec; readonly size: number }
  /** By rows of another source with the same key. */
  | { readonly kind: 'replace'; readonly target: FixTargetSpec; readonly source: string }
  | { readonly kind: 'set'; readonly column: Column; readonly value: ast.Expr; readonly target: FixTargetSpec }
export type MeasureSpec =
  | { readonly kind: 'complaint'; readonly complaint: string; readonly text: string }
  | { readonly kind: 'metric'; readonly metric: 'accuracy' | 'loss' | 'rmse' | 'auc'; readonly on?: RefSpec; readonly text: string }

/** A declaration that is checked (clauses, names, references) but that this version cannot run. */
export interface LaterSpec extends Base<'oracle' | 'review' | 'acquire' | 'cycle' | 'find' | 'estimate'> {}
