/**
 * The typed syntax tree of an `.assay` file. Plain data: every node carries its span in UTF-16 offsets of the file's text.
 * A tree is always produced, whatever the text; a part that could not be read is absent and a problem says so.
 * Names are kept as written (`text` without quotes); comparing them is the business of `check` (as DuckDB does: case-insensitively).
 */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A name as written: `text` has its quotes removed and `""` undone. */
export interface Name extends Span {
  readonly text: string
  readonly quoted: boolean
}

/** A source or one of its splits: `people`, `people.valid`. */
export interface Ref extends Span {
  readonly source: Name
  readonly split?: Name
}

// ---------------------------------------------------------------- expressions

export type Expr =
  | NumberLiteral
  | PercentLiteral
  | DurationLiteral
  | StringLiteral
  | BooleanLiteral
  | NullLiteral
  | ColumnRef
  | Star
  | Call
  | Unary
  | Binary
  | Logical
  | Between
  | In
  | Like
  | IsNull
  | Case
  | Cast
  | Exists
  | ListLiteral

export interface NumberLiteral extends Span {
  readonly kind: 'number'
  readonly value: number
  readonly text: string
}
/** `5%`: value 0.05. */
export interface PercentLiteral extends Span {
  readonly kind: 'percent'
  readonly value: number
  readonly text: string
}
/** `1.5 s`: value in seconds. */
export interface DurationLiteral extends Span {
  readonly kind: 'duration'
  readonly value: number
  readonly amount: number
  readonly unit: DurationUnit
  readonly text: string
}
export type DurationUnit = 'ms' | 's' | 'min' | 'h' | 'd'
export interface StringLiteral extends Span {
  readonly kind: 'string'
  readonly value: string
}
export interface BooleanLiteral extends Span {
  readonly kind: 'boolean'
  readonly value: boolean
}
export interface NullLiteral extends Span {
  readonly kind: 'null'
}
/** `x`, `l.x`; also a slice's, a partition's or a model's bare name: `check` decides. */
export interface ColumnRef extends Span {
  readonly kind: 'column'
  readonly table?: Name
  readonly name: Name
}
/** `*` and `x.*`, in select lists and in `count(*)`. */
export interface Star extends Span {
  readonly kind: 'star'
  readonly table?: Name
}
/** Functions and aggregates, `predict(c)`, `score(c, k)`, `ask(o, c)`. `callee.text` is in lower case unless quoted: functions are found in either case. */
export interface Call extends Span {
  readonly kind: 'call'
  readonly callee: Name
  readonly distinct: boolean
  readonly args: readonly Argument[]
}
export interface Argument extends Span {
  readonly label?: Name
  readonly value: Expr
}
export interface Unary extends Span {
  readonly kind: 'unary'
  readonly op: '-' | '+' | 'not'
  readonly operand: Expr
}
export interface Binary extends Span {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly left: Expr
  readonly right: Expr
}
export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '||' | '=' | '<>' | '<' | '<=' | '>' | '>='
/** n-ary: `a and b and c` is one node. */
export interface Logical extends Span {
  readonly kind: 'logical'
  readonly op: 'and' | 'or'
  readonly operands: readonly Expr[]
}
export interface Between extends Span {
  readonly kind: 'between'
  readonly negated: boolean
  readonly value: Expr
  readonly low: Expr
  readonly high: Expr
}
/** `key in (1, 2)`, `x in (select …)`; `row value` lists `(a, b) in (…)` are outside the subset. */
export interface In extends Span {
  readonly kind: 'in'
  readonly negated: boolean
  readonly value: Expr
  readonly list?: readonly Expr[]
  readonly query?: Select
}
export interface Like extends Span {
  readonly kind: 'like'
  readonly negated: boolean
  readonly value: Expr
  readonly pattern: Expr
}
export interface IsNull extends Span {
  readonly kind: 'is_null'
  readonly negated: boolean
  readonly value: Expr
}
export interface Case extends Span {
  readonly kind: 'case'
  readonly subject?: Expr
  readonly whens: readonly { readonly when: Expr; readonly then: Expr }[]
  readonly otherwise?: Expr
}
export interface Cast extends Span {
  readonly kind: 'cast'
  readonly value: Expr
  readonly type: TypeName
}
export interface TypeName extends Span {
  readonly text: string
}
export interface Exists extends Span {
  readonly kind: 'exists'
  readonly query: Select
}
/** `[1, 2, 3]`, where an expression is allowed. */
export interface ListLiteral extends Span {
  readonly kind: 'list'
  readonly items: readonly Expr[]
}

export interface Select extends Span {
  readonly distinct: boolean
  readonly items: readonly SelectItem[]
  readonly from?: TableRef
  readonly joins: readonly Join[]
  readonly where?: Expr
  readonly groupBy: readonly Expr[]
  readonly having?: Expr
  readonly orderBy: readonly OrderItem[]
  readonly limit?: NumberLiteral
}
export interface SelectItem extends Span {
  readonly value: Expr
  readonly alias?: Name
}
export interface TableRef extends Span {
  readonly ref: Ref
  readonly alias?: Name
}
export interface Join extends Span {
  readonly side: 'inner' | 'left'
  readonly table: TableRef
  readonly on: Expr
}
export interface OrderItem extends Span {
  readonly value: Expr
  readonly descending: boolean
}

// ---------------------------------------------------------------- settings

/** A value of an option: a literal, a setting such as `median(size: 3)` or a bare name, a list. */
export type Value = NumberLiteral | PercentLiteral | DurationLiteral | StringLiteral | BooleanLiteral | NullLiteral | Setting | ValueList
export interface Setting extends Span {
  readonly kind: 'setting'
  readonly name: Name
  readonly args: readonly ValueArg[]
  readonly called: boolean
}
export interface ValueList extends Span {
  readonly kind: 'values'
  readonly items: readonly ValueArg[]
}
export interface ValueArg extends Span {
  readonly label?: Name
  readonly value: Value
}
export interface Options extends Span {
  readonly args: readonly ValueArg[]
}

/** `5%` or `100 rows`. */
export interface Amount extends Span {
  readonly unit: 'percent' | 'rows'
  readonly value: number
}
export interface Binned extends Span {
  readonly column: Name
  readonly bins?: number
  readonly edges?: readonly number[]
}
export interface Quantity extends Span {
  readonly value: number
}

// ---------------------------------------------------------------- declarations

export interface File extends Span {
  readonly doc?: string
  readonly imports: readonly Import[]
  readonly declarations: readonly Declaration[]
}
export interface Import extends Span {
  readonly names: readonly Name[]
  readonly path?: StringLiteral
}

interface Declared<K extends string, C> extends Span {
  readonly kind: K
  /** The text of the `---` lines directly above, without the dashes. */
  readonly doc?: string
  /** The span of the opening keyword, for lenses and symbols. */
  readonly keyword: Span
  /** Absent where it could not be read: a problem says so. */
  readonly name?: Name
  readonly clauses: readonly C[]
  /** Set where some of it could not be read (a problem says what): `check` leaves the declaration out and does not report clauses as missing. */
  readonly broken?: true
}

export type Declaration =
  | SourceDecl
  | OracleDecl
  | ModelDecl
  | SliceDecl
  | PartitionDecl
  | DiscoverDecl
  | AssertDecl
  | ReviewDecl
  | ComplaintDecl
  | InterveneDecl
  | AcquireDecl
  | CycleDecl
  | FindDecl
  | EstimateDecl
export type DeclarationKind = Declaration['kind']

/** A clause: `word` is the word that begins it, `keyword` that word's span. */
interface Clause<W extends string> extends Span {
  readonly word: W
  readonly keyword: Span
}

export interface SourceDecl extends Declared<'source', SourceClause> {}
export type SourceClause = FromClause | KeyClause | SourceOrderClause | LabelClause | NamesClause | SecretClause | SplitClause
export interface FromClause extends Clause<'from'> {
  readonly from: FileFrom | ViewFrom | SettingFrom
}
export interface FileFrom extends Span {
  readonly kind: 'file'
  readonly path: StringLiteral
  readonly options?: Options
}
export interface ViewFrom extends Span {
  readonly kind: 'view'
  readonly select: Select
}
export interface SettingFrom extends Span {
  readonly kind: 'reader'
  readonly setting: Setting
}
export interface KeyClause extends Clause<'key'> {
  readonly columns: readonly Name[]
}
export interface SourceOrderClause extends Clause<'order'> {
  readonly items: readonly OrderItem[]
}
export interface LabelClause extends Clause<'label'> {
  readonly column: Name
}
export interface NamesClause extends Clause<'names'> {
  readonly style: 'as_is' | 'snake'
}
export interface SecretClause extends Clause<'secret'> {
  readonly secret: StringLiteral
}
export interface SplitClause extends Clause<'split'> {
  readonly parts: readonly SplitPart[]
  readonly hash?: readonly Name[]
  readonly seed?: Quantity
}
export interface SplitPart extends Span {
  readonly name: Name
  readonly where?: Expr
  readonly percent?: PercentLiteral
}

export interface OracleDecl extends Declared<'oracle', OracleClause> {
  readonly on?: Ref
}
export type OracleClause = AskClause | OracleFromClause | QueueClause | OracleCostClause
export interface AskClause extends Clause<'ask'> {
  readonly columns: readonly Name[]
}
export interface OracleFromClause extends Clause<'from'> {
  readonly column: Name
}
export interface QueueClause extends Clause<'queue'> {
  readonly path: StringLiteral
}
export interface OracleCostClause extends Clause<'cost'> {
  readonly cost: Quantity
}

export interface ModelDecl extends Declared<'model', ModelClause> {
  readonly on?: Name
}
export type ModelClause = PredictClause | ModelFromClause | KindClause | TrainClause | ValidateClause
export interface PredictClause extends Clause<'predict'> {
  readonly column: Name
}
export interface ModelFromClause extends Clause<'from'> {
  readonly columns: readonly Name[]
}
export interface KindClause extends Clause<'kind'> {
  readonly setting: Setting
}
export interface TrainClause extends Clause<'train'> {
  readonly split: Name
  readonly options?: Options
}
export interface ValidateClause extends Clause<'validate'> {
  readonly split: Name
}

/** One line: `slice dim on frames where brightness < 0.2`. It has no clauses. */
export interface SliceDecl extends Declared<'slice', never> {
  readonly on?: Name
  readonly where?: Expr
}

export interface PartitionDecl extends Declared<'partition', PartitionClause> {
  readonly on?: Name
}
export type PartitionClause = PartitionByClause | TreeClause | MinimumClause
export interface PartitionByClause extends Clause<'by'> {
  readonly columns: readonly Binned[]
}
export interface TreeClause extends Clause<'tree'> {
  readonly options: Options
}
export interface MinimumClause extends Clause<'minimum'> {
  readonly rows: Quantity
}

export interface DiscoverDecl extends Declared<'discover', DiscoverClause> {
  readonly on?: Ref
  readonly using?: Name
  readonly against?: Name
}
export type DiscoverClause = OverClause | ErrorClause | SupportClause | DepthClause | TopClause | AlphaClause | ControlClause
export interface OverClause extends Clause<'over'> {
  readonly columns: readonly Binned[]
}
export interface ErrorClause extends Clause<'error'> {
  readonly value: Expr
}
export interface SupportClause extends Clause<'support'> {
  readonly amount: Amount
}
export interface DepthClause extends Clause<'depth'> {
  readonly depth: Quantity
}
export interface TopClause extends Clause<'top'> {
  readonly top: Quantity
}
export interface AlphaClause extends Clause<'alpha'> {
  readonly alpha: Quantity
}
export interface ControlClause extends Clause<'control'> {
  readonly fdr: PercentLiteral
}

export interface AssertDecl extends Declared<'assert', AssertClause> {
  readonly on?: Ref
  readonly using: readonly Name[]
}
export type AssertClause = EachClause | LearnClause | RequireClause | SeverityClause | LevelClause | WarnClause | FailClause | CorrectClause
export interface EachClause extends Clause<'each'> {
  readonly scope: Scope
}
export type Scope =
  | (Span & { readonly kind: 'row' })
  | (Span & { readonly kind: 'table' })
  | (Span & { readonly kind: 'group'; readonly by: readonly Expr[] })
  | (Span & {
      readonly kind: 'window'
      readonly of: WindowSize
      readonly step?: WindowSize
      readonly by: readonly Name[]
      readonly orderBy: readonly OrderItem[]
    })
  | (Span & { readonly kind: 'track'; readonly by: Setting; readonly orderBy: readonly OrderItem[] })
export type WindowSize = (Span & { readonly unit: 'rows'; readonly value: number }) | DurationLiteral
export interface LearnClause extends Clause<'learn'> {
  readonly likely: 'likelihood' | 'unlikelihood'
  readonly of: readonly Expr[]
  readonly given?: Name
  readonly on: Ref
}
export interface RequireClause extends Clause<'require'> {
  readonly condition: Expr
}
export interface SeverityClause extends Clause<'severity'> {
  readonly value: Expr
}
export interface LevelClause extends Clause<'level'> {
  readonly level: 'error' | 'warning' | 'info'
}
export interface WarnClause extends Clause<'warn'> {
  readonly above: PercentLiteral
}
export interface FailClause extends Clause<'fail'> {
  readonly above: PercentLiteral
}
export interface CorrectClause extends Clause<'correct'> {
  readonly setting: Setting
}

export interface ReviewDecl extends Declared<'review', ReviewClause> {
  readonly on?: Ref
  readonly using?: Name
}
export type ReviewClause = FlaggedClause | StrategyClause | LabelBudgetClause | ReviewAskClause
export interface FlaggedClause extends Clause<'flagged'> {
  readonly by: readonly Name[]
}
export interface StrategyClause extends Clause<'strategy'> {
  readonly setting: Setting
}
export interface LabelBudgetClause extends Clause<'budget'> {
  readonly labels: Quantity
}
export interface ReviewAskClause extends Clause<'ask'> {
  readonly oracle: Name
}

export interface ComplaintDecl extends Declared<'complaint', ComplaintClause> {
  readonly using: readonly Name[]
}
export type ComplaintClause = QueryClause | ExpectClause | BlameClause | MethodClause | ExplainClause
export interface QueryClause extends Clause<'query'> {
  readonly select: Select
}
export interface ExpectClause extends Clause<'expect'> {
  readonly expectation: Expectation
}
export type Expectation =
  | (Span & { readonly kind: 'no_row'; readonly where: Expr })
  | (Span & { readonly kind: 'row'; readonly where: Expr })
  | (Span & { readonly kind: 'direction'; readonly direction: 'lower' | 'higher'; readonly column: Name; readonly where?: Expr })
  | (Span & { readonly kind: 'condition'; readonly condition: Expr; readonly where?: Expr })
export interface BlameClause extends Clause<'blame'> {
  readonly suspects: Suspects
}
export interface Suspects extends Span {
  readonly top: Quantity
  readonly of: Name
  readonly by: SuspectOrder
  readonly influenceOf?: Setting
}
export type SuspectOrder = 'influence' | 'loss' | 'confidence' | 'self_influence' | 'random'
export interface MethodClause extends Clause<'method'> {
  readonly setting: Setting
}
export interface ExplainClause extends Clause<'explain'> {
  readonly over: readonly Binned[]
}

export interface InterveneDecl extends Declared<'intervene', InterveneClause> {}
export type InterveneClause = ForClause | FixClause | RetrainClause | CompareClause
export interface ForClause extends Clause<'for'> {
  readonly complaint: Name
}
export type FixClause =
  | (Clause<'remove'> & { readonly target: FixTarget })
  | (Clause<'relabel'> & { readonly target: FixTarget; readonly to?: Value })
  | (Clause<'denoise'> & { readonly target: FixTarget; readonly filter?: Setting })
  | (Clause<'replace'> & { readonly target: FixTarget; readonly source: Name })
  | (Clause<'set'> & { readonly column: Name; readonly value: Expr; readonly target: FixTarget })
export type FixTarget = { readonly kind: 'suspects'; readonly suspects: Suspects } | { readonly kind: 'where'; readonly where: Expr }
export interface RetrainClause extends Clause<'retrain'> {
  readonly models: readonly Name[]
}
export interface CompareClause extends Clause<'compare'> {
  readonly measures: readonly Measure[]
}
export interface Measure extends Span {
  readonly name: Name
  readonly on?: Ref
}

export interface AcquireDecl extends Declared<'acquire', AcquireClause> {
  readonly model?: Name
}
export type AcquireClause =
  | SlicesClause
  | WantClause
  | SupplyClause
  | SliceCostClause
  | BudgetClause
  | MinimizeClause
  | StrategyClause
  | CurveClause
  | SamplingClause
  | MinimumClause
  | StopClause
  | IntoClause
export interface SlicesClause extends Clause<'slices'> {
  readonly names: readonly Name[]
}
export interface WantClause extends Clause<'want'> {
  readonly slice: Name
  readonly rows: Quantity
}
export interface SupplyClause extends Clause<'from'> {
  readonly ref: Ref
  readonly cost: Quantity
  readonly per: 'row' | 'draw'
  readonly limit?: Quantity
  readonly where?: Expr
}
export interface SliceCostClause extends Clause<'cost'> {
  readonly slice: Name
  readonly cost: Quantity
}
export interface BudgetClause extends Clause<'budget'> {
  readonly budget: Quantity
}
export interface MinimizeClause extends Clause<'minimize'> {
  readonly unfairness?: Quantity
}
export interface CurveClause extends Clause<'curve'> {
  readonly setting: Setting
}
export interface SamplingClause extends Clause<'sampling'> {
  readonly setting: Setting
}
export interface StopClause extends Clause<'stop'> {
  readonly when: Expr
}
export interface IntoClause extends Clause<'into'> {
  readonly path: StringLiteral
}

export interface CycleDecl extends Declared<'cycle', CycleClause> {
  readonly model?: Name
}
export type CycleClause = CycleDiscoverClause | CycleAcquireClause | RoundsClause | StopClause
export interface CycleDiscoverClause extends Clause<'discover'> {
  readonly name: Name
}
export interface CycleAcquireClause extends Clause<'acquire'> {
  readonly name: Name
}
export interface RoundsClause extends Clause<'rounds'> {
  readonly rounds: Quantity
}

export interface FindDecl extends Declared<'find', FindClause> {
  readonly on?: Ref
  readonly using: readonly Name[]
}
export type FindClause = WhereClause | ProxyClause | PromiseClause | LabelBudgetClause | MethodClause
export interface EstimateDecl extends Declared<'estimate', EstimateClause> {
  readonly on?: Ref
  readonly using: readonly Name[]
}
export type EstimateClause = ValueClause | WhereClause | ProxyClause | RangeClause | PromiseClause | LabelBudgetClause | MethodClause
export interface WhereClause extends Clause<'where'> {
  readonly condition: Expr
}
export interface ProxyClause extends Clause<'proxy'> {
  readonly value: Expr
}
export interface ValueClause extends Clause<'value'> {
  readonly value: Expr
}
export interface RangeClause extends Clause<'range'> {
  readonly low: Quantity
  readonly high: Quantity
}
/** `recall >= 90% with confidence 95%`, `error <= 0.1 with confidence 95%`. */
export interface PromiseClause extends Clause<'recall' | 'precision' | 'error'> {
  readonly target: number
  readonly relative: boolean
  readonly confidence: number
}

/** Any clause of any declaration. */
export type AnyClause = Declaration['clauses'][number]

// ---------------------------------------------------------------- problems

export type Severity = 'error' | 'warning' | 'info'
/** What parsing and checking answer beside their value. `message` says what is wrong and what to do; `hint` holds a replacement where one is known. */
export interface Problem extends Span {
  readonly code: string
  readonly severity: Severity
  readonly message: string
  readonly hint?: string
}
