import type { DiscoverSpec, EmbeddingSpec, OnnxSpec, RefSpec, SplitSpec, SuspectsSpec } from '../check/spec.ts'
import type { PlannedStep } from '../protocol/results.ts'
import type { Column, Reading, SqlExpr } from '../sql/tree.ts'

/**
 * What a run will do, as plain JSON: the SQL already printed, seeds and options resolved, everything that the answer depends on inside (its
 * hash names results in the cache). One plan a declaration; the engine carries it out and knows nothing of the language.
 * Not here: how anything is computed (engine, methods) and what it costs in seconds.
 */
export interface Plan {
  readonly kind: Task['kind']
  readonly name: string
  readonly path: string
  readonly seed: number
  readonly hash: string
  /** Names of declarations without whose success this one cannot run. */
  readonly needs: readonly string[]
  /** Needed tables and models, in the order of making. */
  readonly sources: readonly SourcePlan[]
  readonly models: readonly ModelPlan[]
  /** Partitions whose slices the data decides and that some expression of this plan, or of its sources, names. */
  readonly partitions: readonly PartitionPlan[]
  readonly task: Task
  /** For people: what, the SQL, the rows and costs where they are known before running. */
  readonly steps: readonly PlannedStep[]
}

export interface SourcePlan {
  readonly name: string
  readonly reading?: Reading
  /** SQL of a view over other sources: gives the user's columns under their names. */
  readonly select?: string
  /** Sources that `select` reads. */
  readonly over: readonly string[]
  /** The user's columns, after renaming; `from` is the name in the reading. */
  readonly columns: readonly (Column & { readonly from?: string })[]
  /** Declared key columns; none: content hash and ordinal. */
  readonly key: readonly string[]
  /** Whether something names rows by key: a content key costs a sort of all rows, so it is made only then. */
  readonly keyed: boolean
  /** `where` parts are printed SQL over the source's own columns. */
  readonly split?: {
    readonly parts: readonly { readonly name: string; readonly where?: SqlExpr; readonly share?: number }[]
    readonly hash?: SplitSpec['hash']
    readonly seed: number
  }
  readonly label?: string
}

export interface ModelPlan {
  readonly name: string
  readonly source: string
  readonly target: Column
  readonly inputs: readonly Column[]
  readonly task: 'classification' | 'regression'
  readonly model:
    | { readonly kind: 'logistic' | 'linear'; readonly l2: number }
    | { readonly kind: 'mlp'; readonly hidden: readonly number[]; readonly l2: number }
    | {
        readonly kind: 'column'
        readonly column: string
        readonly scores: readonly string[]
        readonly labels?: readonly (string | number | boolean)[]
      }
    | { readonly kind: 'head'; readonly embedding: EmbeddingSpec; readonly l2: number }
    | OnnxSpec
  readonly train?: {
    readonly split: string
    readonly epochs: number
    readonly batch: number
    readonly seed: number
    readonly patience?: number
    readonly folds?: number
  }
  readonly validate?: string
  /** Slices and partitions of the model's source, for its table by slice: a printed SQL expression each (boolean, or text naming
   * the slice). None in plans of anything but a model. */
  readonly slices: readonly { readonly name: string; readonly kind: 'slice' | 'partition'; readonly sql: string }[]
}

/** Predictions of a model for all rows of a table, joined to a query as a table of its own (named by `predictionTable`). */
export interface PredictionPlan {
  readonly model: string
  readonly source: string
  /** Classes whose probability a query asks for. */
  readonly scores: readonly (string | number | boolean)[]
}

/** The loss of a model on each row of a table, joined to a query as a table of its own (named by `lossTable`). */
export interface LossPlan {
  readonly model: string
  readonly source: string
}

/** A column to slice by, and what becomes a value of a slice. */
export interface SlicedColumn {
  readonly column: Column
  /** Its name as the language writes it in a condition. */
  readonly written: string
  /** `quantiles`: bins of equal weight, edges by quantile_disc; with at most as many distinct values as bins each value stands for itself. */
  readonly by:
    | { readonly kind: 'quantiles'; readonly bins: number }
    | { readonly kind: 'edges'; readonly edges: readonly number[] }
    | { readonly kind: 'values' }
  /** Integers that nobody asked to bin: where every row has its own, the column names rows and is left out. */
  readonly mayIdentify?: boolean
}

/**
 * A partition whose slices depend on the data: quantile bins, a tree, a smallest size. The engine finds its parts on its own source once a
 * run and defines the macro of that name: its columns in, the name of the row's slice out. SQL everywhere calls it like a function.
 */
export interface PartitionPlan {
  readonly name: string
  readonly source: string
  readonly macro: string
  readonly columns: readonly SlicedColumn[]
  readonly tree?: { readonly threshold: number; readonly minimum?: number }
  readonly minimum?: number
}

export type Task = SourceTask | ModelTask | SliceTask | PartitionTask | DiscoverTask | AssertTask | ComplaintTask | InterveneTask
export interface SourceTask {
  readonly kind: 'source'
  readonly source: string
}
export interface ModelTask {
  readonly kind: 'model'
  readonly model: string
}
export interface SliceTask {
  readonly kind: 'slice'
  readonly source: string
  readonly sql: string
}
export interface PartitionTask {
  readonly kind: 'partition'
  readonly source: string
  /** Columns with what a slice holds of them, where that does not depend on the data; the parts of the others are in `Plan.partitions`. */
  readonly by: readonly { readonly name: string; readonly sql: string; readonly binned: boolean }[]
  /** The name of a row's slice. */
  readonly sql: string
}
export interface DiscoverTask {
  readonly kind: 'discover'
  readonly on: RefSpec
  readonly columns: readonly SlicedColumn[]
  /** The rows in scope: their columns as `c0`, `c1`, …, and their position. */
  readonly columnsSql: string
  /** The same with the row's error, NULL where it has none. */
  readonly rowsSql: string
  /** What an error is, in words; and the source as the language writes it. */
  readonly error: string
  readonly writtenSource: string
  readonly predictions: readonly PredictionPlan[]
  readonly losses: readonly LossPlan[]
  readonly support?: DiscoverSpec['support']
  readonly depth: number
  readonly top: number
  readonly alpha: number
  readonly fdr?: number
  readonly notes: readonly string[]
}
export interface AssertTask {
  readonly kind: 'assert'
  readonly on: RefSpec
  readonly scope: 'row' | 'group'
  readonly predictions: readonly PredictionPlan[]
  /** One query: counts (`checked failed unknown`) beside the flagged rows (`assay row` or the group's columns, `severity`, values), worst first. */
  readonly sql: string
  readonly groupColumns: readonly string[]
  readonly valueColumns: readonly string[]
  readonly level: 'error' | 'warning' | 'info'
  readonly warnAbove?: number
  readonly failAbove?: number
}

/** How an answer is computed from slots, the sums (and chances) over a group's lineage: `slot` indexes the columns of the relaxed query. */
export type OutputTree =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'unary'; readonly op: '-'; readonly operand: OutputTree }
  | { readonly kind: 'binary'; readonly op: '+' | '-' | '*' | '/'; readonly left: OutputTree; readonly right: OutputTree }
  | { readonly kind: 'call'; readonly name: SmoothCall; readonly operand: OutputTree }
  /** The root of a variance; `square` is the mean square that it is a difference of, and tells what of it is rounding. */
  | { readonly kind: 'deviation'; readonly variance: OutputTree; readonly square: OutputTree }
  /** The first operand that is a number. */
  | { readonly kind: 'coalesce'; readonly operands: readonly OutputTree[] }
  /** No number where both are equal. */
  | { readonly kind: 'nullif'; readonly left: OutputTree; readonly right: OutputTree }
  /** The chance that a sum with this mean and variance, taken as normal, exceeds `at` (or reaches it, where `closed`). */
  | { readonly kind: 'tail'; readonly mean: OutputTree; readonly variance: OutputTree; readonly at: number; readonly closed: boolean }
  /** Of chances, taken as independent. */
  | { readonly kind: 'all' | 'any'; readonly operands: readonly OutputTree[] }
export type SmoothCall = 'sqrt' | 'ln' | 'log10' | 'log2' | 'exp' | 'abs'

export interface ComplaintTask {
  readonly kind: 'complaint'
  /** The model whose training rows are blamed, and the first table that it speaks of. */
  readonly model: string
  readonly source: string
  /** Every table that the query reads. */
  readonly sources: readonly string[]
  readonly queryText: string
  /** What the hard query joins: a model's predictions for a table. */
  readonly predictions: readonly PredictionPlan[]
  /** What the relaxed query draws from. */
  readonly chances: readonly ChancePlan[]
  /** The query as written, over hard predictions: the rows that some expectation speaks of; `assay expect i` says of which, `assay actual i` what it measures. */
  readonly hardSql: string
  /** Groups that the result may have, numbered (`assay group`), with the relaxed value of each slot. */
  readonly relaxedSql: string
  /** The derivative of Σ seed·slot by each row's chances, or values; the engine provides the seeds. */
  readonly gradients: readonly GradientPlan[]
  /** The relaxed query once more as trees, where its rows enter by themselves. */
  readonly rowwise?: RowwisePlan
  /** Columns `assay group i` that identify a row of the result. */
  readonly groups: number
  /** Columns of the hard query that name it for people. */
  readonly shownOf: readonly { readonly name: string; readonly column: string }[]
  readonly slots: number
  readonly expectations: readonly ExpectationPlan[]
  /** What the query compares predicted classes with. */
  readonly named: readonly NamedClass[]
  readonly suspects: SuspectsSpec
  readonly method:
    | { readonly kind: 'auto' }
    | { readonly kind: 'spectral'; readonly k?: number }
    | { readonly kind: 'cg'; readonly iterations: number; readonly damping: number }
  /** Columns to show beside a suspect. */
  readonly shown: readonly Column[]
  /** `explain by slices`: how the suspects are described. */
  readonly explain?: ExplanationPlan
}
export interface NamedClass {
  readonly model: string
  readonly value: string | number | boolean
}
/** What suspects are described by: columns of the blamed model's source, or its predictions (`predicted`). */
export interface ExplanationPlan {
  readonly columns: readonly (SlicedColumn & { readonly predicted?: boolean })[]
  /** The rows that could be blamed: `c0`, `c1`, …, their position, and 1 as `assay error` where they are suspects; over a table that the engine makes. */
  readonly rowsSql: string
  readonly source: string
  /** Most conditions of a description. */
  readonly depth: number
  readonly notes: readonly string[]
}
/** The chances of what a model might say of each row of a table. */
export interface ChancePlan {
  /** Names its two tables, of chances by row and of choices. */
  readonly name: string
  readonly model: string
  readonly source: string
  readonly kind: 'class' | 'number' | 'score'
  /** The class whose probability is compared. */
  readonly label?: string | number | boolean
  /** What is compared with, ascending: the choices are below t₀, t₀ itself, between t₀ and t₁, … */
  readonly thresholds: readonly number[]
}

/** `class`: by the chance of each class; `compared`: by the chance of each interval; `value`: by the prediction itself, or the probability of a class. */
export interface GradientPlan {
  readonly model: string
  readonly source: string
  readonly by:
    | { readonly kind: 'class' }
    | { readonly kind: 'compared'; readonly chances: string }
    | { readonly kind: 'value'; readonly label?: string | number | boolean }
  readonly sql: string
}
/**
 * A relaxed query over one table, without joins and subqueries: what the database is asked in `relaxedSql` and `gradients`, as trees over the columns of
 * `alias`, for whoever has the table's columns at hand. A column named in `variables` or `values` is what a model says of the row.
 */
export interface RowwisePlan {
  readonly source: string
  readonly alias: string
  /** What is drawn for each row: the column that stands for it, and the name of its chances. */
  readonly variables: readonly { readonly column: string; readonly chances: string }[]
  /** Predicted numbers and probabilities that are read as values. */
  readonly values: readonly { readonly column: string; readonly model: string; readonly label?: string | number | boolean }[]
  readonly where: readonly SqlExpr[]
  readonly groups: readonly SqlExpr[]
  readonly slots: readonly RowwiseSlot[]
  /** Whether `having` chooses among the groups. */
  readonly having: boolean
}
/** See `provenance/lineage.ts`. `slopes` are the derivatives of a sum's value by each of `values`; null is zero. */
export type RowwiseSlot =
  | { readonly kind: 'sum'; readonly value: SqlExpr; readonly slopes: readonly (SqlExpr | null)[] }
  | { readonly kind: 'fixed'; readonly value: SqlExpr }
  | { readonly kind: 'variance'; readonly of: number }
  | { readonly kind: 'presence' }

export interface ExpectationPlan {
  readonly text: string
  /** The relaxed value of what is expected of, for one row of the result; for rows the chance that the row is there. The hard one is the hard query's column `assay actual i`. */
  readonly tree: OutputTree
  readonly relation: '=' | '<=' | '>=' | '<' | '>' | 'between' | 'lower' | 'higher' | 'no row' | 'row'
  readonly value?: number
  /** Upper end of `between`. */
  readonly high?: number
  /** Whether it has a `where`: the hard query's column `assay expect i`. */
  readonly filtered: boolean
}

export interface InterveneTask {
  readonly kind: 'intervene'
  readonly complaint: ComplaintTask
  readonly complaintName: string
  readonly fixes: readonly FixPlan[]
  readonly retrain: readonly string[]
  readonly compare: readonly (
    | { readonly kind: 'complaint'; readonly name: string; readonly task: ComplaintTask; readonly text: string }
    | { readonly kind: 'metric'; readonly metric: 'accuracy' | 'loss' | 'rmse' | 'auc'; readonly on?: RefSpec; readonly text: string }
  )[]
}
export type FixTargetPlan =
  | { readonly kind: 'suspects'; readonly suspects: SuspectsSpec }
  | { readonly kind: 'where'; readonly sql: string }
export type FixPlan =
  | { readonly kind: 'remove'; readonly target: FixTargetPlan }
  | { readonly kind: 'relabel'; readonly target: FixTargetPlan; readonly to?: string | number | boolean }
  | { readonly kind: 'denoise'; readonly target: FixTargetPlan; readonly size: number }
  | { readonly kind: 'replace'; readonly target: FixTargetPlan; readonly source: string }
  | { readonly kind: 'set'; readonly column: string; readonly sql: string; readonly target: FixTargetPlan }
