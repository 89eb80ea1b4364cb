import type { ColumnType } from './tree.ts'

/** What the language calls a type that the database names: `DECIMAL(18,3)` → `number`. Unknown names give `unknown`, which fits everywhere. */
export function columnTypeOf(sqlType: string): ColumnType {
  const type = sqlType.trim().toUpperCase()
  if (/(\[\d*\]|^LIST|^ARRAY)$/.test(type)) return 'list'
  const word = /^[A-Z_]+[0-9]*/.exec(type)?.[0] ?? ''
  if (/^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|U?INT\d*|BIGNUM|DECIMAL|NUMERIC|FLOAT\d?|DOUBLE|REAL|SHORT|LONG)$/.test(word)) return 'number'
  if (/^(VARCHAR|CHAR|BPCHAR|TEXT|STRING|NVARCHAR|ENUM|UUID|JSON)$/.test(word)) return 'text'
  if (/^(BOOLEAN|BOOL|LOGICAL)$/.test(word)) return 'boolean'
  if (word === 'DATE') return 'date'
  if (/^(TIMESTAMP|TIMESTAMPTZ|DATETIME|TIMESTAMP_(S|MS|NS|US))$/.test(word)) return 'timestamp'
  if (word === 'INTERVAL') return 'duration'
  if (/^(BLOB|BYTEA|BINARY|VARBINARY)$/.test(word)) return 'blob'
  if (/^(STRUCT|ROW|MAP|UNION)$/.test(word)) return 'struct'
  return 'unknown'
}
