import { binary, call, column, literal, star } from '../sql/build.ts'
import { KEY, ROW, type Schema, type SqlExpr, type SqlSelect } from '../sql/tree.ts'

/**
 * What identifies a row, in SQL: the value of the declared column, a JSON array of several, or else a hash of the row's content and its ordinal
 * among equal rows. None depends on the order of rows: equal rows may swap ordinals, and nothing tells them apart.
 */
export function rowKey(declared: readonly string[], schema: Schema, table?: string): SqlExpr {
  return declared.length > 0 ? declaredKey(declared, table) : contentKey(schema, table)
}

export function declaredKey(columns: readonly string[], table?: string): SqlExpr {
  const values = columns.map((name) => column(name, table))
  return values.length === 1 ? values[0]! : call('json_array', ...values)
}

/** A key as the text that percent splits hash. */
export function keyText(key: SqlExpr): SqlExpr {
  return { kind: 'cast', value: key, type: 'VARCHAR' }
}

/**
 * 16 hexadecimal digits of the row's content, and `.1`, `.2`, … behind them for its second, third, … equal. It sorts by hash (a window function), and the
 * database computes a window even where nobody reads it: ask for it where the key itself is wanted and use `contentHash` for the rest. Columns count by
 * position, not by name, so renaming one changes no key. O(bytes of a row), plus n log n.
 */
export function contentKey(schema: Schema, table?: string): SqlExpr {
  return numbered(contentHash(schema, table), table)
}

/** A table's columns, its positions and its keys as `assay key`. The content is hashed once, where `contentKey` as an expression costs it twice. */
export function keyedSelect(table: string, declared: readonly string[], schema: Schema): SqlSelect {
  const kept = [...schema.map(({ name }) => name), ROW].map((name) => ({ value: column(name), alias: name }))
  if (declared.length > 0) return { items: [...kept, { value: declaredKey(declared), alias: KEY }], from: { kind: 'table', name: table } }
  const hashed: SqlSelect = { items: [...kept, { value: contentHash(schema), alias: HASH }], from: { kind: 'table', name: table } }
  return { items: [...kept, { value: numbered(column(HASH)), alias: KEY }], from: { kind: 'query', query: hashed, alias: 'hashed' } }
}

const HASH = 'assay hash'

function numbered(hash: SqlExpr, table?: string): SqlExpr {
  const ordinal: SqlExpr = {
    kind: 'window',
    call: call('row_number'),
    partitionBy: [hash],
    orderBy: [{ value: column(ROW, table), descending: false }],
  }
  const earlier = call('nullif', binary(ordinal, '-', literal(1)), literal(0))
  return binary(hash, '||', call('coalesce', binary(literal('.'), '||', keyText(earlier)), literal('')))
}

/** Equal for equal rows. Images and blobs count by their md5. */
export function contentHash(schema: Schema, table?: string): SqlExpr {
  const texts = schema.map(({ name, type }): SqlExpr => {
    const value = column(name, table)
    if (type === 'image' || type === 'blob') return call('md5', value)
    // Their text form does not tell ['a, b'] from ['a', 'b'].
    return keyText(type === 'list' || type === 'struct' ? call('to_json', value) : value)
  })
  return call('substr', call('md5', keyText(call('json_array', ...texts))), literal(1), literal(16))
}

/**
 * The first row whose key is NULL or not its own, as `key` and `rows` (how many have it); no row where the keys are sound.
 * O(n) in time and in distinct keys.
 */
export function unsoundKeyQuery(table: string, key: SqlExpr): SqlSelect {
  const rows = call('count', star)
  return {
    items: [
      { value: key, alias: 'key' },
      { value: rows, alias: 'rows' },
    ],
    from: { kind: 'table', name: table },
    groupBy: [key],
    having: {
      kind: 'logical',
      op: 'or',
      operands: [binary(rows, '>', literal(1)), { kind: 'is_null', negated: false, value: key }],
    },
    orderBy: [{ value: call('min', column(ROW)), descending: false }],
    limit: 1,
  }
}
