/**
 * The language's words, as data: lexer, parser dispatch, completion, signature help, formatter and the TextMate grammar are all derived from
 * the tables here and in `setting-table.ts`. A word is added in these two files and nowhere else. What is deliberately not here: how a clause
 * is read (the `*-rules.ts` files) and what it means (`check`).
 */
import type { DeclarationKind } from './ast.ts'

/** `!` exactly once, `+` at least once, `*` any number, `?` at most once. */
export type Cardinality = '!' | '+' | '*' | '?'

export interface ClauseWord {
  readonly word: string
  readonly times: Cardinality
  /** What follows the word, in the notation of the language's page; for signature help. */
  readonly syntax: string
  readonly says: string
}

/** What the cardinalities alone cannot say. */
export type Requirement =
  /** One of these groups of clauses is there completely, and nothing of the others. */
  | { readonly kind: 'one_of'; readonly groups: readonly (readonly string[])[] }
  /** At least one of these clauses, unless the declaration's header or kind makes them needless. */
  | { readonly kind: 'some_of'; readonly words: readonly string[]; readonly unless?: 'using' | 'column_or_head' }

export interface DeclarationWord {
  readonly word: DeclarationKind
  /** What follows the word, up to the block. */
  readonly header: string
  readonly says: string
  readonly clauses: readonly ClauseWord[]
  readonly requires: readonly Requirement[]
}

const clause = (word: string, times: Cardinality, syntax: string, says: string): ClauseWord => ({ word, times, syntax, says })

const budgetOfLabels = clause('budget', '!', 'INT labels', 'A hard ceiling on how many rows the oracle is asked about.')
const stop = clause('stop', '?', 'when EXPR', 'Stops early once this holds: rounds, spent, loss, unfairness and imbalance are known here.')
const where = clause('where', '!', 'EXPR', 'Which rows are looked for.')
const proxy = clause('proxy', '?', 'EXPR', 'A cheap guess at the answer, by which rows are sampled.')
const errorPromise = 'The answer lies this close to the truth with this confidence: 0.1 is absolute, 5% is of the estimate.'
const promises = ['recall', 'precision', 'error']

export const declarationWords: readonly DeclarationWord[] = [
  {
    word: 'source',
    header: 'NAME',
    says: 'Where rows are, what identifies one, their order, label and splits.',
    clauses: [
      clause(
        'from',
        '!',
        "'FILE' [with (OPTION: VALUE, …)] | (SELECT) | READER(…)",
        'A file or glob, a view over other sources, or a reader such as idx(…).',
      ),
      clause('key', '?', 'COLUMN, …', 'The columns that identify a row.'),
      clause('order', '?', 'by COLUMN [asc | desc], …', 'The order of the rows, where it matters.'),
      clause('label', '?', 'COLUMN', 'The column that holds the truth.'),
      clause('names', '?', 'as_is | snake', 'Whether column names are taken as they are or rewritten in snake case.'),
      clause('secret', '?', "'NAME'", 'The name of the secret with which a database is opened.'),
      clause('split', '?', 'NAME (where EXPR | PERCENT), … [by hash(COLUMN, …)] [seed INT]', 'Named parts of the source.'),
    ],
    requires: [],
  },
  {
    word: 'oracle',
    header: 'NAME on SOURCE',
    says: 'Who can tell the truth, and the price of one answer.',
    clauses: [
      clause('ask', '!', 'COLUMN, …', 'What is asked for.'),
      clause('from', '?', 'column COLUMN', 'Answers from a column held back (a simulation).'),
      clause('queue', '?', "'FOLDER'", 'Answers from a label queue on disk.'),
      clause('cost', '?', 'NUMBER per row', 'The price of one answer.'),
    ],
    requires: [{ kind: 'one_of', groups: [['from'], ['queue']] }],
  },
  {
    word: 'model',
    header: 'NAME on SOURCE',
    says: 'What is predicted from what.',
    clauses: [
      clause('predict', '!', 'COLUMN', 'The target.'),
      clause('from', '?', 'COLUMN, …', 'The inputs.'),
      clause('kind', '!', 'KIND(…)', 'The kind of model and its options.'),
      clause('train', '?', 'on SPLIT [with (epochs: 50, batch: 512, seed: 7, …)]', 'The split it learns from.'),
      clause('validate', '?', 'on SPLIT', 'The split it is measured on.'),
    ],
    requires: [{ kind: 'some_of', words: ['from'], unless: 'column_or_head' }],
  },
  { word: 'slice', header: 'NAME on SOURCE where EXPR', says: 'A named predicate over the rows of a source.', clauses: [], requires: [] },
  {
    word: 'partition',
    header: 'NAME on SOURCE',
    says: 'A set of disjoint slices, by columns or by an entropy tree.',
    clauses: [
      clause('by', '?', 'COLUMN [bins INT | bins [EDGE, …]], …', 'One slice per combination of values or bins.'),
      clause('tree', '?', '(threshold: 0.9)', 'Slices by an entropy tree.'),
      clause('minimum', '?', 'INT rows', 'The smallest size of a slice.'),
    ],
    requires: [{ kind: 'one_of', groups: [['by'], ['tree']] }],
  },
  {
    word: 'discover',
    header: 'NAME on SOURCE[.SPLIT] [using MODEL [against MODEL]]',
    says: 'Where is the model worst?',
    clauses: [
      clause('over', '?', 'COLUMN [bins INT | bins [EDGE, …]], …', 'The columns that slices are built from; else the inputs of the model.'),
      clause('error', '?', 'EXPR', 'The error of a row; else the loss of the model.'),
      clause('support', '?', '>= PERCENT | >= INT rows', 'The smallest slice that counts.'),
      clause('depth', '?', 'INT', 'At most so many predicates in a slice; 3 unless given.'),
      clause('top', '?', 'INT', 'How many slices are shown; 10 unless given.'),
      clause('alpha', '?', 'NUMBER', 'The weight of error against size, between 0 and 1; 0.95 unless given.'),
      clause('control', '?', 'fdr PERCENT', 'Shows only slices within this rate of false discoveries.'),
    ],
    requires: [{ kind: 'some_of', words: ['error'], unless: 'using' }],
  },
  {
    word: 'assert',
    header: 'NAME on SOURCE[.SPLIT] [using MODEL, …]',
    says: 'What must hold.',
    clauses: [
      clause('each', '?', 'row | table | group by EXPR, … | window of … order by … | track by … order by …', 'What one verdict is about.'),
      clause('learn', '*', 'likelihood | unlikelihood of (EXPR, …) [given COLUMN] on SOURCE[.SPLIT]', 'What is usual among trusted rows.'),
      clause('require', '*', 'EXPR', 'What must hold; NULL counts as unknown.'),
      clause('severity', '?', 'EXPR', 'How bad a failure is; 1 unless given, 0 abstains.'),
      clause('level', '?', 'error | warning | info', 'How a failure is reported.'),
      clause('warn', '?', 'above PERCENT', 'Warns above this share of failures.'),
      clause('fail', '?', 'above PERCENT', 'Fails above this share of failures.'),
      clause('correct', '?', 'with majority | interpolate | remove_blip', 'Suggests corrections.'),
    ],
    requires: [{ kind: 'one_of', groups: [['each', 'require'], ['learn']] }],
  },
  {
    word: 'review',
    header: 'NAME on SOURCE[.SPLIT] using MODEL',
    says: 'Which rows deserve a label next?',
    clauses: [
      clause('flagged', '*', 'by ASSERTION, …', 'Assertions whose flagged rows are candidates.'),
      clause('strategy', '?', 'bal | uncertainty | disagreement | random', 'How rows are chosen.'),
      budgetOfLabels,
      clause('ask', '?', 'ORACLE', 'Who answers.'),
    ],
    requires: [],
  },
  {
    word: 'complaint',
    header: 'NAME using MODEL, …',
    says: "A query's result is wrong: which training rows are to blame?",
    clauses: [
      clause('query', '!', 'SELECT', 'The query whose result is wrong.'),
      clause('expect', '+', '[no] row where EXPR | (lower | higher) COLUMN [where EXPR] | EXPR [where EXPR]', 'What its result should be.'),
      clause('blame', '!', 'top INT rows of SPLIT [by influence [of TREATMENT] | by loss | …]', 'Which training rows are ranked.'),
      clause('method', '?', 'auto | spectral(k: auto) | cg(iterations: 20, damping: 0)', 'How influence is computed.'),
      clause('explain', '?', 'by slices [over COLUMN, …]', 'Describes the suspects by short predicates.'),
    ],
    requires: [],
  },
  {
    word: 'intervene',
    header: 'NAME',
    says: 'Try a repair on a copy of the data, retrain, compare.',
    clauses: [
      clause('for', '!', 'COMPLAINT', 'The complaint that the repair is for.'),
      clause('remove', '*', 'top INT rows of SPLIT … | where EXPR', 'Leaves rows out.'),
      clause('relabel', '*', 'top INT rows of SPLIT … [to VALUE]', 'Gives rows another label.'),
      clause('denoise', '*', 'top INT rows of SPLIT … [with median(size: 3)]', 'Filters the images of rows.'),
      clause('replace', '*', 'top INT rows of SPLIT … with SOURCE', 'Takes rows with the same key from another source.'),
      clause('set', '*', 'COLUMN = EXPR (on top INT rows of SPLIT … | where EXPR)', 'Sets a column of rows.'),
      clause('retrain', '!', 'MODEL, …', 'The models that are trained again.'),
      clause('compare', '?', 'COMPLAINT | METRIC [on SOURCE[.SPLIT]], …', 'What is measured before and after.'),
    ],
    requires: [{ kind: 'some_of', words: ['remove', 'relabel', 'denoise', 'replace', 'set'] }],
  },
  {
    word: 'acquire',
    header: 'NAME for MODEL',
    says: 'Buy rows per slice, within a budget, from priced sources.',
    clauses: [
      clause('slices', '?', 'NAME, …', 'The slices, partitions or discoveries that rows are bought for.'),
      clause('want', '*', 'SLICE INT rows', 'How many rows of a slice are wanted.'),
      clause(
        'from',
        '+',
        'SOURCE[.SPLIT] cost NUMBER per row | draw [limit INT rows] [where EXPR]',
        'Where rows come from and what one costs.',
      ),
      clause('cost', '*', 'SLICE NUMBER per row', 'What a row of this slice costs.'),
      clause('budget', '!', 'NUMBER', 'A hard ceiling, exploration included.'),
      clause('minimize', '?', 'loss [+ NUMBER * unfairness]', 'What the money is spent for.'),
      clause('strategy', '?', 'moderate(step: 1) | conservative | …', 'How the budget is spread over rounds and slices.'),
      clause('curve', '?', 'power_law(points: 10, repeats: 5, floor: auto) | …', 'How learning curves are fitted.'),
      clause('sampling', '?', 'auto | ratio_coll | …', 'How sources are drawn from.'),
      clause('minimum', '?', 'INT rows', 'At least so many rows for every slice.'),
      stop,
      clause('into', '?', "'FILE'", 'The new file that bought rows are written to.'),
    ],
    requires: [{ kind: 'one_of', groups: [['slices'], ['want']] }],
  },
  {
    word: 'cycle',
    header: 'NAME for MODEL',
    says: 'Discover, acquire, retrain, again: one confirmed round at a time.',
    clauses: [
      clause('discover', '!', 'NAME', 'The discovery that each round begins with.'),
      clause('acquire', '!', 'NAME', 'The acquisition that each round ends with.'),
      clause('rounds', '!', 'INT', 'At most so many rounds.'),
      stop,
    ],
    requires: [],
  },
  {
    word: 'find',
    header: 'NAME on SOURCE[.SPLIT] [using MODEL, …]',
    says: 'The rows for which an expensive predicate holds, with a promise.',
    clauses: [
      where,
      proxy,
      clause('recall', '*', '>= PERCENT with confidence PERCENT', 'So much of what is looked for is found.'),
      clause('precision', '*', '>= PERCENT with confidence PERCENT', 'So much of what is found is what was looked for.'),
      clause('error', '*', '<= NUMBER | PERCENT with confidence PERCENT', errorPromise),
      budgetOfLabels,
      clause('method', '?', 'supg_plus(bound: asymptotic) | supg(…) | uniform(…)', 'How rows are sampled and the threshold is chosen.'),
    ],
    requires: [{ kind: 'some_of', words: promises }],
  },
  {
    word: 'estimate',
    header: 'NAME on SOURCE[.SPLIT] [using MODEL, …]',
    says: 'An average or a count under an expensive predicate, with a promise.',
    clauses: [
      clause('value', '!', 'EXPR', 'What is averaged or counted.'),
      clause('where', '?', 'EXPR', 'Over which rows.'),
      proxy,
      clause('range', '?', 'NUMBER to NUMBER', 'The smallest and the largest value there can be.'),
      clause('recall', '?', '>= PERCENT with confidence PERCENT', 'So much of what is looked for is found.'),
      clause('precision', '?', '>= PERCENT with confidence PERCENT', 'So much of what is found is what was looked for.'),
      clause('error', '?', '<= NUMBER | PERCENT with confidence PERCENT', errorPromise),
      budgetOfLabels,
      clause('method', '?', 'blazeit_plus(bound: finite) | blazeit(…) | random(…)', 'How rows are sampled.'),
    ],
    requires: [{ kind: 'one_of', groups: promises.map((word) => [word]) }],
  },
]

/** Never a bare name. */
export const reservedWords = (
  'and or not in between is null like case when then else end cast from where group by order having join left right full inner outer cross ' +
  'natural on as exists distinct select union except intersect with over limit offset asc desc true false require expect'
).split(' ')

/** Words inside clauses and headers that stay legal names. */
export const innerWords = (
  'import using against for column per row rows draw labels as_is snake hash seed bins fdr table group window track of step likelihood ' +
  'unlikelihood given warning info above no lower higher top slices influence loss confidence self_influence random to unfairness when ms s min h d'
).split(' ')

/** Units of a duration, in seconds. */
export const durationUnits = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86400 } as const

const byKind = new Map<string, DeclarationWord>(declarationWords.map((one) => [one.word, one]))
const clausesByKind = new Map<string, ReadonlyMap<string, ClauseWord>>(
  declarationWords.map((one) => [one.word, new Map(one.clauses.map((each) => [each.word, each]))]),
)
const reserved = new Set(reservedWords)
const everyWord = [
  ...new Set([...reservedWords, ...declarationWords.flatMap((one) => [one.word, ...one.clauses.map((each) => each.word)]), ...innerWords]),
]

/** The declaration that a word (in lower case) opens. */
export const declarationWord = (word: string): DeclarationWord | undefined => byKind.get(word)

/** The clauses of a kind of declaration by their words. */
export const clausesOf = (kind: DeclarationKind): ReadonlyMap<string, ClauseWord> => clausesByKind.get(kind)!

/** Whether a word (in either case) must be quoted to be a name. */
export const isReserved = (word: string): boolean => reserved.has(word.toLowerCase())

/** All words that the parser tells apart, each once. */
export const allWords: readonly string[] = everyWord
