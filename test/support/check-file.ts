import { expect } from 'vitest'
import type * as ast from '../../grammar/src/ast.ts'
import { parse } from '../../grammar/src/parser.ts'
import { type Checked, check } from '../../server/src/check/check.ts'
import type { SchemaProblem } from '../../server/src/check/declarations/source.ts'
import { allReadings } from '../../server/src/check/readings.ts'
import type { Column, ColumnType, Schema } from '../../server/src/sql/tree.ts'

/**
 * Checking as a test sees it. A source's schema goes by the name of the file that it reads (`TABLES`). A fixture carries its expectations:
 * below a line, carets mark a problem's span, its code follows, and its hint behind a colon.
 */
export const column = (name: string, type: ColumnType, sqlType: string): Column => ({ name, type, sqlType })
const number = (name: string, sqlType = 'DOUBLE') => column(name, 'number', sqlType)
const text = (name: string) => column(name, 'text', 'VARCHAR')

export const TABLES: Readonly<Record<string, Schema | SchemaProblem>> = {
  'people.csv': [
    number('id', 'BIGINT'),
    text('name'),
    number('age', 'INTEGER'),
    number('income'),
    text('city'),
    column('married', 'boolean', 'BOOLEAN'),
    column('born', 'date', 'DATE'),
    column('seen', 'timestamp', 'TIMESTAMP'),
    column('face', 'image', 'BLOB'),
    column('tags', 'list', 'VARCHAR[]'),
    column('address', 'struct', 'STRUCT(street VARCHAR)'),
  ],
  'stones.csv': [number('carat'), text('cut'), text('color'), text('clarity'), number('price', 'BIGINT')],
  'diamonds.csv': [
    ...['carat', 'depth', 'table', 'x', 'y', 'z'].map((name) => number(name)),
    ...['cut', 'color', 'clarity'].map((name) => text(name)),
    number('price', 'BIGINT'),
  ],
  'folds.csv': [number('x'), text('split'), number('rowid', 'BIGINT'), text('y')],
  'odd.csv': [number('two words'), text('Größe'), text('ÉTÉ'), number('select', 'BIGINT'), text('say "so"'), text('Petal Length (cm)')],
  'scores.csv': [number('x'), text('y'), text('guess'), number('p_cat'), number('p_dog'), number('ratio')],
  'broken.csv': { problem: { code: 'data-missing', message: 'There is no file `broken.csv`.', hint: 'people.csv' } },
}

export const PATH = '/spec/test.assay'

export function checkFile(
  text: string,
  others: Readonly<Record<string, string>> = {},
): Checked & { readonly syntax: readonly ast.Problem[] } {
  const files = new Map([[PATH, parse(text)]])
  for (const [name, content] of Object.entries(others)) files.set(`/spec/${name}`, parse(content))
  const schemas = new Map<string, Schema | SchemaProblem>()
  for (const { name, reading } of allReadings(files, PATH)) {
    if (reading.kind !== 'file') continue
    const schema = TABLES[reading.path.slice(reading.path.lastIndexOf('/') + 1)]
    if (schema) schemas.set(name, schema)
  }
  return { ...check(files, schemas, { path: PATH }), syntax: files.get(PATH)!.problems }
}

/** The problems of a fixture are those that its carets mark: all of them, and no others. */
export function problems(fixture: string, others: Readonly<Record<string, string>> = {}): void {
  const lines = fixture.split('\n')
  const source = lines.filter((line) => !MARK.test(line)).join('\n')
  const { problems: found, syntax } = checkFile(source, others)
  expect(syntax.map((one) => one.message)).toEqual([])
  expect(marked(source, found)).toBe(fixture)
}

const MARK = /^\s*\^+ [a-z][a-z-]*(: .*)?$/

function marked(source: string, found: readonly ast.Problem[]): string {
  const out: string[] = []
  let start = 0
  for (const line of source.split('\n')) {
    out.push(line)
    const end = start + line.length
    for (const one of found) {
      if (one.start < start || one.start > end) continue
      const width = Math.max(1, Math.min(one.end, end) - one.start)
      out.push(`${' '.repeat(one.start - start)}${'^'.repeat(width)} ${one.code}${one.hint === undefined ? '' : `: ${one.hint}`}`)
    }
    start = end + 1
  }
  return out.join('\n')
}

/** The only problem of an expression over `people`, as `code: hint`, or `ok`. */
export function ofExpression(expression: string, wrap = (e: string) => `slice s on people where ${e}`): string {
  const { problems: found, syntax } = checkFile(`source people { from 'people.csv'; split train 80%, rest 20% }\n${wrap(expression)}\n`)
  const all = [...syntax, ...found]
  if (all.length === 0) return 'ok'
  return all.map((one) => (one.hint === undefined ? one.code : `${one.code}: ${one.hint}`)).join(', ')
}

export const names = (checked: Checked): string => checked.spec.declarations.map((one) => one.name).join(' ')
