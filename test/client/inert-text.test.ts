import { describe, expect, test } from 'vitest'
import { inertText, markdownCell } from '../../client/src/inert-text.ts'

describe('what notifications and markdown are given is inert', () => {
  test.each([
    ['a link that would run a command', '[quit](command:workbench.action.quit)', '[quit] (command:workbench.action.quit)'],
    ['lines and control characters', 'one\ntwo\u001b[31m', 'one two [31m'],
    ['a direction mark', 'left \u202e tfel', 'left   tfel'],
    ['nothing special', 'No column `vists`.', 'No column `vists`.'],
  ])('%s', (_what, given, expected) => expect(inertText(given)).toBe(expected))

  test('what is long is cut', () => expect(inertText('x'.repeat(10_000_000), 100)).toHaveLength(100))

  test.each([
    ['cells and code', 'a | b ` c', '`a ¦ b ˋ c`'],
    ['a picture from elsewhere', '![x](https://example.org/x.png)', '`![x] (https://example.org/x.png)`'],
    ['markup', '<img src=x onerror=alert(1)>', '`<img src=x onerror=alert(1)>`'],
    ['nothing', '', ' '],
  ])('a cell with %s is code', (_what, given, expected) => expect(markdownCell(given)).toBe(expected))
})
