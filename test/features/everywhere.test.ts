import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codeActions } from '../../server/src/features/code-actions.ts'
import { complete } from '../../server/src/features/completion.ts'
import { definition } from '../../server/src/features/definition.ts'
import { diagnosticsOf } from '../../server/src/features/diagnostics.ts'
import { hover } from '../../server/src/features/hover.ts'
import { codeLenses } from '../../server/src/features/lenses.ts'
import { references } from '../../server/src/features/references.ts'
import { prepareRename, rename } from '../../server/src/features/rename.ts'
import { semanticTokens } from '../../server/src/features/semantic-tokens.ts'
import { signatureHelp } from '../../server/src/features/signature-help.ts'
import { documentSymbols } from '../../server/src/features/symbols.ts'
import { positionAt } from '../../server/src/workspace/snapshot.ts'
import { makeRandom } from '../support/random-text.ts'
import { edited, snapshotOf } from './door.ts'

/** What every feature owes, wherever the cursor is and whatever is half-typed. */
const everything = readFileSync(new URL('../grammar/everything.assay', import.meta.url), 'utf8')
const stones = readFileSync(new URL('../../examples/stones.assay', import.meta.url), 'utf8')

function askAll(text: string, offset: number): void {
  const snapshot = snapshotOf(text)
  const at = positionAt(snapshot, offset)
  complete(snapshot, at, { snippets: true })
  hover(snapshot, at)
  definition(snapshot, at)
  references(snapshot, at, [], { includeDeclaration: true })
  prepareRename(snapshot, at)
  signatureHelp(snapshot, at)
  codeActions(snapshot, { start: at, end: at })
}

describe('wherever the cursor stands', () => {
  test.each([
    ['a file with every clause', everything],
    ['an example', stones],
  ])('%s: every feature answers', (_, text) => {
    const random = makeRandom(3)
    for (let i = 0; i < 150; i++) askAll(text, random(text.length + 1))
  })

  test('cut off anywhere, every feature answers', () => {
    const random = makeRandom(5)
    for (let i = 0; i < 120; i++) {
      const cut = random(everything.length + 1)
      const text = everything.slice(0, cut)
      askAll(text, text.length)
      const snapshot = snapshotOf(text)
      diagnosticsOf(snapshot)
      semanticTokens(snapshot)
      codeLenses(snapshot)
      documentSymbols(snapshot)
    }
  })

  test('renaming what can be renamed leaves the problems as they were', () => {
    const before = snapshotOf(stones)
    const codes = (text: string) => diagnosticsOf(snapshotOf(text)).map((one) => one.code)
    const wanted = codes(stones)
    for (const one of before.occurrences.filter((each) => each.defines)) {
      const answer = rename(before, positionAt(before, one.start), 'entirely new', [])
      if ('refused' in answer) throw new Error(answer.refused)
      expect(codes(edited(stones, answer.changes![before.uri(before.path)]!))).toEqual(wanted)
    }
  })
})
