import { describe, expect, test } from 'vitest'
import { declaredAt, declaredOf, spends } from '../../client/src/declarations.ts'

const text = `--- People of the shop.
source people { from 'people.csv' }

--- Nobody is older than 120.
--- Really.
assert plausible on people {
  each row
}

-- the end
`
const lines = text.split('\n')
const span = (from: number, to: number) => ({ start: { line: from, character: 0 }, end: { line: to, character: 1 } })
const declared = declaredOf([
  { name: 'people', detail: 'source', range: span(1, 1), selectionRange: span(1, 1) },
  { name: 'plausible', detail: 'assert · people', range: span(5, 7), selectionRange: span(5, 5) },
])

test('the outline tells names and kinds', () => {
  expect(declared.map(({ name, kind }) => [name, kind])).toEqual([
    ['people', 'source'],
    ['plausible', 'assert'],
  ])
})

describe('the declaration at a line', () => {
  test.each([
    [0, 'people'],
    [1, 'people'],
    [2, undefined],
    [3, 'plausible'],
    [4, 'plausible'],
    [6, 'plausible'],
    [8, undefined],
    [9, undefined],
    [10, undefined],
  ])('line %i is in %s', (line, name) => expect(declaredAt(declared, line, (at) => lines[at] ?? '')?.name).toBe(name))
})

test('only acquisitions and cycles spend', () => {
  expect(['source', 'assert', 'acquire', 'cycle', 'estimate'].filter(spends)).toEqual(['acquire', 'cycle'])
})
