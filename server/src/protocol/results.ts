/**
 * `assay-result/1`: what `assay … --format json` prints and what the editor stores. Others rely on it: members are added, never changed.
 */
export interface ResultFile {
  readonly schema: 'assay-result/1'
  readonly file: string
  readonly backend: BackendInfo | null
  readonly results: readonly Result[]
  readonly problems: readonly ReportedProblem[]
}
export interface BackendInfo {
  readonly name: string
  readonly device: string /** "passed" or what failed */
  readonly selfTest: string
}
/** Lines and columns count from 1, columns in UTF-16 units, ends exclusive. */
export interface ReportedProblem {
  readonly code: string
  readonly severity: 'error' | 'warning' | 'info'
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly hint?: string
}

export type Status = 'ok' | 'violated' | 'not-met' | 'failed' | 'planned' | 'partial' | 'cancelled' | 'skipped'
export interface Provenance {
  readonly dataHash: string
  readonly planHash: string
  readonly seed: number
  readonly rows: number
  readonly elapsedMs: number
}
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
/** A row's key: the declared column's value, an array for several columns, or our hash where none is declared. */
export type Key = string | number | boolean | readonly (string | number | boolean | null)[]

interface ResultBase<K extends string> {
  readonly kind: K
  readonly name: string
  readonly status: Status
  readonly provenance: Provenance
  readonly message?: string
  readonly hint?: string
  /** Set on a failure that the user's data or files are the cause of (a `DataProblem`): exit code 2 instead of 3. `elsewhere`: skipped, for it needs training rows that only an imported index speaks for. */
  readonly fault?: 'data' | 'elsewhere'
  /** Sentences that qualify the numbers: too few rows, a model that has not converged, … */
  readonly notes?: readonly string[]
  readonly steps?: readonly PlannedStep[]
}
export interface PlannedStep {
  readonly what: string
  readonly sql?: string
  /** Null where only running tells. */
  readonly rows: number | null
  readonly cost?: number
}

/** Members beside the base are absent where the status is failed, skipped or planned. */
export type Result =
  | SourceResult
  | SliceResult
  | ModelResult
  | PartitionResult
  | DiscoverResult
  | AssertResult
  | ComplaintResult
  | InterveneResult
  | IndexResult
  | OtherResult
export interface SourceResult extends ResultBase<'source'> {
  readonly rows?: number
  readonly splits?: Readonly<Record<string, number>>
  readonly columns?: readonly { readonly name: string; readonly type: string }[]
  readonly preview?: Preview
}
export interface SliceResult extends ResultBase<'slice'> {
  readonly rows?: number
  readonly share?: number
  readonly preview?: Preview
}
/** The first rows, in the order of the file. */
export interface Preview {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** `values` in the order of `columns`; long texts are cut, a picture is among the view's pictures. */
  readonly rows: readonly { readonly key: Key; readonly values: readonly Json[] }[]
  /** All rows; absent where counting them would have taken too long. */
  readonly total?: number
  /** Of the source's rows, those for which this condition of the language holds; and of which split. */
  readonly where?: string
}
/** The rows that a query gives over what models predict, and what can be expected of them. */
export interface Answer extends Preview {
  readonly columns: readonly AnswerColumn[]
  /** `one` row whatever happens, one for each of some `groups`, or one for `each` row that was read. */
  readonly shape: 'one' | 'groups' | 'each'
  /** What rows are grouped by and the query does not give: they cannot be told apart by it. */
  readonly unnamed?: string
  /** Models that are asked; and those of them that have not been trained on this data: then there are no rows. */
  readonly using: readonly string[]
  readonly untrained?: readonly string[]
}
/** `names`: it says which row this is. `measured`: something can be expected of it. `beside`: neither. */
export interface AnswerColumn {
  readonly name: string
  readonly type: string
  readonly role: 'names' | 'measured' | 'beside'
}
export interface ModelResult extends ResultBase<'model'> {
  readonly rows?: number
  readonly parameters?: number
  readonly epochs?: number
  readonly loss?: number
  readonly gradientNorm?: number
  readonly metrics?: Readonly<Record<string, number>>
  /** Absent: trained here. `brought`: its predictions came along in columns; `elsewhere`: it was run, not trained. */
  readonly origin?: 'brought' | 'elsewhere'
  /** `training`, the validation split's name, or `all rows` of a model that was not trained here: what `metrics` and `perSlice` were measured on. */
  readonly measuredOn?: string
  readonly perSlice?: readonly { readonly slice: string; readonly rows: number; readonly loss: number; readonly metric: number }[]
}
export interface PartitionResult extends ResultBase<'partition'> {
  readonly slices?: readonly { readonly name: string; readonly predicates: Readonly<Record<string, Json>>; readonly rows: number }[]
}
export interface DiscoverResult extends ResultBase<'discover'> {
  readonly meanError?: number
  readonly slices?: readonly DiscoveredSlice[]
  readonly levels?: readonly { readonly depth: number; readonly evaluated: number; readonly pruned: number }[]
  /** All slices of sufficient size: what the q-values are over. */
  readonly hypotheses?: number
  /** Of the slices found on either half of the rows, the share that the other half confirms. */
  readonly replicationRate?: number
  /** Whose rows were searched, as the language writes its name; and what an error is, in words. */
  readonly source?: string
  readonly error?: string
}
export interface DiscoveredSlice {
  readonly predicates: Readonly<Record<string, Json>>
  /** The same as a condition of the language. */
  readonly where?: string
  readonly size: number
  readonly sumError: number
  readonly maxError: number
  readonly meanError: number
  readonly interval: readonly [number, number]
  readonly effectSize: number
  readonly score: number
  readonly pValue: number
  readonly qValue: number
  readonly test: string
  readonly replicated: boolean
  readonly overlaps: readonly number[]
}
export interface FlaggedRow {
  readonly key: Key
  readonly severity: number
  readonly rows: readonly Key[]
  readonly values: Readonly<Record<string, Json>>
  readonly correction?: Json
}
export interface AssertResult extends ResultBase<'assert'> {
  readonly level?: 'error' | 'warning' | 'info'
  readonly checked?: number
  readonly failed?: number
  readonly unknown?: number
  readonly fraction?: number
  readonly flagged?: readonly FlaggedRow[]
  readonly total?: number
  readonly sql?: string
}
export interface ExpectationResult {
  readonly expect: string
  readonly group?: Readonly<Record<string, Json>>
  readonly actual: number | null
  readonly relaxed: number | null
  readonly expected: string | number
  readonly satisfied: boolean
}
export interface RankedRow {
  readonly key: Key
  readonly influence: number
  readonly rank: number
  readonly treatment?: string
  /** What a person needs to believe it. */
  readonly label?: Json
  readonly prediction?: Json
  readonly confidence?: number
  readonly values?: Readonly<Record<string, Json>>
  /** For the first of the ranking: the rows of the query through which it acts. */
  readonly why?: readonly InferenceRow[]
}
/** A row that the complaint's query reads and that a training row bears on. */
export interface InferenceRow {
  readonly source: string
  readonly key: Key
  /** Of all that the training row does for the complaint, the part that goes through this row: 0 to 1. */
  readonly share?: number
  /** Where the influence is not known row by row: the cosine of the two rows' inputs. */
  readonly likeness?: number
  readonly label?: Json
  readonly prediction?: Json
  readonly confidence?: number
}
export interface ComplaintResult extends ResultBase<'complaint'> {
  readonly query?: string
  readonly expectations?: readonly ExpectationResult[]
  readonly actual?: number | null
  readonly relaxed?: number | null
  readonly expected?: string | number
  readonly satisfied?: boolean
  readonly method?: string
  readonly eigenvalues?: readonly number[]
  readonly ranking?: readonly RankedRow[]
  readonly indexMs?: number
  readonly rankMs?: number
  /** `explain by slices`: what the suspects have in common, best first. */
  readonly explanation?: readonly ExplainedSlice[]
  /** Where it is ranked by the spectrum: the complaint as k numbers, for whoever has the training rows (`assay index FILE MODEL --rank RESULT.json`). */
  readonly coordinates?: ComplaintCoordinates
  readonly strength?: ComplaintStrength
  /** What treating all of `ranking` at once is predicted to do. */
  readonly together?: GroupEffect
  /** Of a preview: the rows of the query, and nothing of the above but `query`. */
  readonly preview?: Answer
}
/** ⟨∇q, v_l⟩ over a model's eigenvectors, signed so that more is better: the `queryGradient` of `rankBySpectrum`. */
export interface ComplaintCoordinates {
  /** Hashes of the model and of its eigenvectors. */
  readonly model: string
  readonly basis: string
  readonly treatment: string
  readonly k: number
  readonly values: readonly number[]
  /** Rows asked for. */
  readonly top: number
}
/** Whether the complaint says enough for its ranking to be trusted. */
export interface ComplaintStrength {
  /** By `stability`, and by `share`; absent where neither can tell. */
  readonly level?: 'strong' | 'fair' | 'weak'
  /** Of the suspects, the share that would be suspects if the rows of the query were drawn anew. */
  readonly stability?: number
  /** As many rows of the query of equal weight would say as much. */
  readonly rows: number
  /** Of the complaint's gradient, the part that the eigenvectors hold. */
  readonly share: number
  /** How far the number is from what is expected, in standard deviations of what the model's own uncertainty makes of it. */
  readonly deviations?: number
}
/** A prediction for suspects together: one Newton step from the fitted parameters, in the span of the index. */
export interface GroupEffect {
  readonly rows: number
  /** The influences added up; and what of it is left when the rows act together: both in the units of influence. */
  readonly sum: number
  readonly predicted: number
  /** What each expectation would then come to, in their order; absent over tables too large to be asked again. */
  readonly expectations?: readonly Pick<ExpectationResult, 'actual' | 'relaxed' | 'satisfied'>[]
}
/** A complaint from another result, ranked over the rows of this index. */
export interface RankedComplaint {
  readonly complaint: string
  readonly query?: string
  readonly ranking: readonly RankedRow[]
}
/** A short condition that tells the suspects from the other rows that could be blamed. All figures are over all of these rows. */
export interface ExplainedSlice {
  readonly predicates: Readonly<Record<string, Json>>
  /** The same as a condition of the language. */
  readonly where: string
  /** Rows that match it, and how many of these are suspects; `adds` counts suspects that none before it matches. */
  readonly rows: number
  readonly suspects: number
  readonly adds: number
  /** Of the rows that match, the share that are suspects; of the suspects, the share that match. */
  readonly precision: number
  readonly coverage: number
  /** The information that matching gives about who is a suspect, less what the conditions take to write down; 1 for a perfect description. */
  readonly score: number
  readonly pValue: number
  readonly qValue: number
}
export interface InterveneResult extends ResultBase<'intervene'> {
  readonly before?: Readonly<Record<string, number | null>>
  readonly after?: Readonly<Record<string, number | null>>
  /** What the index predicted for the same change, without training: beside `after` it tells how far to trust predictions. */
  readonly predicted?: Readonly<Record<string, number | null>>
  readonly changedRows?: number
}
export interface IndexResult extends ResultBase<'index'> {
  readonly model?: string
  readonly k?: number
  readonly bytes?: number
  readonly file?: string
  /** `--rank RESULT.json`. */
  readonly ranked?: readonly RankedComplaint[]
}
export interface OtherResult extends ResultBase<'oracle' | 'review' | 'acquire' | 'cycle' | 'find' | 'estimate'> {}
