import { describe, expect, test } from 'vitest'
import type * as ast from '../../grammar/src/ast.ts'
import { lex, spanOf } from '../../grammar/src/lexer.ts'
import { parse } from '../../grammar/src/parser.ts'
import { format } from '../../grammar/src/printer.ts'
import { makeRandom } from '../support/random-text.ts'
import { fileText, sampleFiles } from './grammar-file.ts'

const label = (declaration: ast.Declaration): string => `${declaration.kind} ${declaration.name?.text}`

/** Everything that a problem or a node says about places must be a place in the text. Plain throws: `expect` is slow in ten thousand rounds. */
const checkPlaces = (text: string, { ast: file, problems }: { ast: ast.File; problems: readonly ast.Problem[] }): void => {
  for (const one of problems) {
    const placed =
      Number.isInteger(one.start) && Number.isInteger(one.end) && one.start >= 0 && one.start < one.end && one.end <= text.length
    if (!placed || !/[.?]$/.test(one.message) || /undefined|NaN|\[object/.test(one.message)) throw new Error(JSON.stringify(one))
  }
  const visit = (node: object): void => {
    const { start, end } = node as Partial<ast.Span>
    if (start !== undefined && end !== undefined && !(start >= 0 && start <= end && end <= text.length))
      throw new Error(`Bad span ${start}–${end}`)
    for (const child of Object.values(node)) if (typeof child === 'object' && child !== null) visit(child)
  }
  visit(file)
}

/** Kind, name and clauses of what could be read without an error. */
const sound = (file: ast.File): Set<string> =>
  new Set(file.declarations.flatMap((one) => (one.broken ? [] : [`${label(one)} ${one.clauses.map((clause) => clause.word).join(' ')}`])))

describe.each(sampleFiles)('%s', (path) => {
  const text = fileText(path)
  const whole = parse(text)

  test('has no problems', () => {
    expect(whole.problems).toEqual([])
    checkPlaces(text, whole)
  })

  test('loses no other declaration when any one token is deleted', () => {
    const expected = [...sound(whole.ast)]
    for (const token of lex(text).tokens) {
      const { start, end } = spanOf(token)
      const rest = text.slice(end)
      // Without its blanks what follows moves to where the token stood: into the first column, for one.
      const variants = token.standing === 'inside' ? [rest] : [rest, rest.replace(/^[ \t]+/, '')]
      for (const variant of variants) {
        const read = parse(text.slice(0, start) + variant)
        checkPlaces(text, read)
        const left = sound(read.ast)
        const lost = expected.filter((one) => !left.has(one))
        if (lost.length > 1) throw new Error(`${token.image} at ${start}: ${lost.join('; ')}`)
      }
    }
  })

  test('ends anywhere without a throw, keeping what stands before', () => {
    for (let end = 0; end < text.length; end += 13) {
      const cut = text.slice(0, end)
      const read = parse(cut)
      checkPlaces(cut, read)
      const before = whole.ast.declarations.filter((one) => one.end <= end)
      const names = read.ast.declarations.map(label)
      if (before.some((one, index) => names[index] !== label(one))) throw new Error(`${end}: ${names.join(', ')}`)
    }
  })

  test('survives random edits', () => {
    const random = makeRandom(7)
    const pieces = [
      '(',
      ')',
      '{',
      '}',
      '[',
      ']',
      ',',
      ';',
      "'",
      '"',
      '\n',
      '--',
      '---',
      '%',
      ' ',
      '.',
      ':',
      'select',
      'from',
      'source',
      '\nmodel x',
      '7',
      '\u0000',
      'ß',
      '/*',
    ]
    for (let round = 0; round < 120; round++) {
      let edited = text
      for (let edit = 0; edit < 1 + (round % 4); edit++) {
        const at = random(edited.length)
        edited = edited.slice(0, at) + pieces[random(pieces.length)] + edited.slice(at + random(3))
      }
      checkPlaces(edited, parse(edited))
      const formatted = format(edited)
      if (formatted.problems.length > 0) expect(formatted.text).toBe(edited)
      else expect(format(formatted.text)).toEqual({ text: formatted.text, problems: [] })
    }
  })
})

test('a declaration that has an error is marked, the others are not', () => {
  const { ast: file } = parse("source a {\n  lable x\n  from 'a'\n}\nsource b { from 'b' }\nslice s on a where")
  expect(file.declarations.map((one) => one.broken)).toEqual([true, undefined, true])
})

test('a clause that cannot be read is absent, its neighbours stay', () => {
  const { ast: file } = parse("source a {\n  from 'a'\n  key\n  label x\n}")
  expect(file.declarations[0]?.clauses.map((one) => one.word)).toEqual(['from', 'label'])
})

test('text that is no spec at all', () => {
  for (const text of [
    '',
    '\n',
    '\uFEFF',
    '\uFEFF\n',
    '\0\0\0',
    '{}{}{}',
    '))))',
    'x'.repeat(10_000),
    '\ud800',
    '"',
    "'",
    '--',
    '---',
    '/*',
    '%%%',
    '\r\r\r',
    '\n'.repeat(1000),
    '};{',
  ])
    checkPlaces(text, parse(text))
})
