import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { checkFile, names } from '../support/check-file.ts'

const example = (name: string) => readFileSync(new URL(`../../examples/${name}.assay`, import.meta.url), 'utf8')

describe('the examples', () => {
  it.each([
    ['digits', 'digits mislabelled mail reader too_many_sevens drop_suspects'],
    ['stones', 'stones dealer auction grader colours weak_spots solid fair_grader'],
  ])('%s is clean', (name, expected) => {
    const checked = checkFile(example(name))
    expect([...checked.syntax, ...checked.problems]).toEqual([])
    expect(names(checked)).toBe(expected)
  })

  it('survive the loss of any token', () => {
    for (const name of ['digits', 'stones']) {
      const text = example(name)
      for (const token of text.matchAll(/[\w.]+|'[^']*'|[^\s\w]/g)) {
        const cut = text.slice(0, token.index) + text.slice(token.index + token[0].length)
        const { spec } = checkFile(cut)
        for (const declaration of spec.declarations) expect(declaration.name).not.toBe('')
      }
    }
  })
})
