import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult, Result } from '../../server/src/protocol/results.ts'
import { htmlReport } from '../../server/src/report/html.ts'
import { textReport } from '../../server/src/report/text.ts'
import { reportOf, viewOf } from '../report/samples.ts'
import { openPanels, tableOf } from './panels-door.ts'

/** What suspects have in common, as reports and panels show it; some cats are labelled as dogs. */
function blobs(rows: number, seed: number, corrupted: boolean): string {
  const rng = createRng(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next())
  const lines = ['id,x,y,colour,label']
  for (let id = 0; id < rows; id++) {
    const yes = rng.next() < 0.5
    const colour = rng.next() < 0.4 ? 'red' : "bl'ue"
    const accident = corrupted && yes && colour === 'red' && rng.next() < 0.75
    lines.push(`${id},${(normal() + (yes ? 1.5 : -1.5)).toFixed(4)},${normal().toFixed(4)},${colour},${yes && !accident ? 'cat' : 'dog'}`)
  }
  return `${lines.join('\n')}\n`
}
const files = { 'train.csv': blobs(400, 1, true), 'mail.csv': blobs(200, 2, false) }
const spec = `source past {
  from  'train.csv'
  key   id
  label label
  split train 100%
}
source mail { from 'mail.csv'; key id }
model reader on past {
  predict label
  from    x, y
  kind    logistic(l2: 0.001)
  train   on train
}

complaint few using reader {
  query   select count(*) as n from mail where predict(label) = 'cat'
  expect  n >= 105
  blame   top 40 rows of train by influence
  explain by slices over colour, label, x bins 3
}
`

describe('a panel', () => {
  const { run, page, act, insert } = openPanels(files, spec)

  test('says it in a sentence and shows it below the suspects; a condition is kept as a slice, and its rows are shown', async () => {
    const { results } = await run('few')
    const { explanation } = results.at(-1) as ComplaintResult
    expect(explanation![0]!.predicates).toMatchObject({ label: 'dog' })
    const shown = (await page('few'))!
    const { suspects, where, precision, coverage } = explanation![0]!
    expect(shown.sentences).toContain(
      `${suspects} of 40 suspects have \`${where}\` (precision ${precision.toFixed(2)}, coverage ${coverage.toFixed(2)}).`,
    )
    expect(shown.sections.map((one) => one.id)).toEqual(['suspects', 'chart-0', 'explanation', 'expected'])
    const table = tableOf(shown, 'explanation')
    expect(table.rows).toHaveLength(explanation!.length)
    expect(table.actions.map((one) => one.id)).toEqual(['keep-slice', 'preview-slice'])
    const rows = await act(shown, 'preview-slice', [0], 'explanation')
    expect(rows.open).toMatchObject({ name: 'past', what: 'preview', where })
    const preview = await page('past', { what: 'preview', where: rows.open!.where! })
    expect(tableOf(preview, 'rows').rows).toHaveLength(explanation![0]!.rows)
    const kept = await act(shown, 'keep-slice', [0], 'explanation')
    expect(kept.insert!.text).toContain('slice few_1 on past where')
    insert(kept)
  })
})

describe('reports', () => {
  const of = (where: string): Result => {
    const provenance = { dataHash: 'd', planHash: 'p', seed: 7, rows: 3, elapsedMs: 1 }
    const figures = { rows: 8, suspects: 5, adds: 5, precision: 0.625, coverage: 0.714285, score: 0.31, pValue: 1e-5, qValue: 2e-3 }
    return {
      kind: 'complaint',
      name: 'few',
      status: 'violated',
      provenance,
      expectations: [{ expect: 'n >= 1', actual: 0, relaxed: 0.1, expected: 1, satisfied: false }],
      ranking: Array.from({ length: 7 }, (_, i) => ({ key: i, rank: i + 1, influence: 1 / (i + 1) })),
      explanation: [
        { predicates: { workclass: 'Private', age: '[25, 32)' }, where, ...figures },
        { predicates: { sex: null }, where: 'sex is null', ...figures, adds: 2 },
      ],
    }
  }

  test('text', () => {
    const said = textReport(reportOf([viewOf(of("workclass = 'Private' and age >= 25 and age < 32"))]), { colour: false, width: 200 })
    expect(said.replaceAll(/\s+/g, ' ')).toContain(
      "5 of 7 suspects have `workclass = 'Private' and age >= 25 and age < 32` (precision 0.63, coverage 0.71).",
    )
    expect(said).toContain('What the suspects have in common')
    expect(said).toMatch(/1 +workclass = Private and age in \[25, 32\) +5 +5 +8 +0\.63 +0\.71/)
    expect(said).toContain('sex is null')
  })

  test('HTML, which nothing in the data can change', async () => {
    const page = await htmlReport(reportOf([viewOf(of("workclass = '<script>x</script>`'"))]))
    expect(page).toContain('What the suspects have in common')
    expect(page).not.toContain('<script')
  })
})
