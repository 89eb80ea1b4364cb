import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type * as ast from '../../grammar/src/ast.ts'
import { parse } from '../../grammar/src/parser.ts'
import { readFixture, writeFixture } from '../support/fixtures.ts'

/** The doors of the grammar's tests. */
export const fileText = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

export const sampleFiles = ['examples/digits.assay', 'examples/stones.assay', 'test/grammar/everything.assay']

/** Parses a fixture and compares the problems with those it carries. */
export const problems = (annotated: string): void => {
  const { text, expected } = readFixture(annotated)
  expect(writeFixture(text, parse(text).problems, expected)).toBe(annotated.replace(/^\n/, ''))
}

/** The one declaration of a text without problems. */
export const declaration = (text: string): ast.Declaration => {
  const { ast: file, problems: found } = parse(text)
  expect(found).toEqual([])
  expect(file.declarations).toHaveLength(1)
  return file.declarations[0]!
}

/** An expression as the condition of a slice. */
export const expression = (text: string): ast.Expr => {
  const slice = declaration(`slice s on t where ${text}`)
  if (slice.kind !== 'slice' || slice.where === undefined) throw new Error('No slice')
  return slice.where
}

/** A tree without its places in the text. */
export const bare = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(bare)
  if (typeof node !== 'object' || node === null) return node
  const places = ['start', 'end', 'keyword']
  return Object.fromEntries(Object.entries(node).flatMap(([key, value]) => (places.includes(key) ? [] : [[key, bare(value)]])))
}

/** A tree as a short text: names as written, numbers as numbers, nested things in brackets. */
export const brief = (expr: ast.Expr): string => {
  switch (expr.kind) {
    case 'column':
      return `${expr.table ? `${expr.table.text}.` : ''}${expr.name.text}`
    case 'number':
    case 'percent':
      return String(expr.value)
    case 'duration':
      return `${expr.value}s`
    case 'string':
      return `'${expr.value}'`
    case 'boolean':
      return String(expr.value)
    case 'null':
      return 'null'
    case 'star':
      return expr.table ? `${expr.table.text}.*` : '*'
    case 'call':
      return `${expr.callee.text}(${expr.distinct ? 'distinct ' : ''}${expr.args.map((one) => (one.label ? `${one.label.text}: ` : '') + brief(one.value)).join(', ')})`
    case 'unary':
      return `[${expr.op} ${brief(expr.operand)}]`
    case 'binary':
      return `[${brief(expr.left)} ${expr.op} ${brief(expr.right)}]`
    case 'logical':
      return `[${expr.operands.map(brief).join(` ${expr.op} `)}]`
    case 'between':
      return `[${brief(expr.value)} ${expr.negated ? 'not ' : ''}between ${brief(expr.low)} ${brief(expr.high)}]`
    case 'in':
      return `[${brief(expr.value)} ${expr.negated ? 'not ' : ''}in ${expr.query ? 'select' : (expr.list ?? []).map(brief).join(' ')}]`
    case 'like':
      return `[${brief(expr.value)} ${expr.negated ? 'not ' : ''}like ${brief(expr.pattern)}]`
    case 'is_null':
      return `[${brief(expr.value)} is ${expr.negated ? 'not ' : ''}null]`
    case 'case':
      return `case(${expr.subject ? brief(expr.subject) : ''}; ${expr.whens.map((one) => `${brief(one.when)} → ${brief(one.then)}`).join('; ')}; ${expr.otherwise ? brief(expr.otherwise) : ''})`
    case 'cast':
      return `cast(${brief(expr.value)}, ${expr.type.text})`
    case 'exists':
      return 'exists(select)'
    case 'list':
      return `list(${expr.items.map(brief).join(', ')})`
  }
}
