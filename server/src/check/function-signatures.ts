import { FUNCTIONS } from './functions.ts'

/** What may be called in an expression, and what is refused by name because it would reach outside the data or answer differently each time. */
export interface FunctionWord {
  readonly name: string
  readonly aggregate: boolean
  readonly signatures: readonly Signature[]
}
export interface Signature {
  /** One letter a parameter (`generate-functions.mjs` names them). */
  readonly parameters: string
  /** The letter that the last parameter may be repeated with. */
  readonly rest?: string
  readonly returns: string
}

const lines: ReadonlyMap<string, string> = new Map(
  FUNCTIONS.trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(' ')), line]),
)

export const functionNames = (): Iterable<string> => lines.keys()

export function functionNamed(name: string): FunctionWord | undefined {
  const line = lines.get(name)
  if (line === undefined) return undefined
  const [, kind, ...signatures] = line.split(' ')
  return { name, aggregate: kind === 'a', signatures: signatures.map(readSignature) }
}

export const isAggregateName = (name: string): boolean => lines.get(name)?.startsWith(' a ', name.length) ?? false

function readSignature(text: string): Signature {
  const [from = '', returns = 'A'] = text.split('>')
  if (!from.endsWith('*')) return { parameters: from, returns }
  return { parameters: from.slice(0, -2), rest: from.at(-2), returns }
}

/** SQL must not be a way to the outside: files, the system, other databases, the session. */
const OUTSIDE =
  /^(read_|write_|parquet_|sniff_|glob$|getenv|getvariable|current_|duckdb_|pragma_|pg_|has_.*_privilege|inet_|sqlite_|postgres_|mysql_|iceberg_|delta_|http|query$|query_table|load_|install_|seq_scan|arrow_scan|pandas_scan|python_|test_all|repeat_row|user$|session_user|nextval|currval|setseed|sleep_ms|version$|error$|in_search_path|json_execute|json_deserialize_sql|json_serialize_|copy_|force_checkpoint|checkpoint|which_secret|st_read|shellfs|txid_current|get_block_size|create_sort_key|from_substrait|write_log|enable_|disable_|set_)/
const CHANGING =
  /^(random|uuid|uuidv\d|gen_random_uuid|now|today|ago|age|get_current_\w+|transaction_timestamp|localtime\w*|current_(date|time|timestamp|localtime|localtimestamp)|reservoir_quantile)$/
const WINDOW = /^(row_number|rank|rank_dense|dense_rank|percent_rank|cume_dist|ntile|lag|lead|first_value|last_value|nth_value|fill)$/
const TABLE = /^(unnest|unpivot|generate_subscripts|regexp_split_to_table|json_each|json_tree|summary|repeat_row)$/
const LAMBDA = /^((list|array)_(transform|apply|filter|reduce|aggregate|aggr)|apply|filter|reduce|aggregate)$/

/** Why a name that is not in the table is refused, where there is more to say than that it is unknown. */
export function refusal(name: string): 'outside' | 'changing' | 'window' | 'table' | 'lambda' | undefined {
  if (CHANGING.test(name)) return 'changing'
  if (OUTSIDE.test(name)) return 'outside'
  if (WINDOW.test(name)) return 'window'
  if (TABLE.test(name)) return 'table'
  if (LAMBDA.test(name)) return 'lambda'
  return undefined
}
