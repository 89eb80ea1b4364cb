import type { ComplaintResult } from '../protocol/results.ts'
import { finite, number, rowCounts, type Table, table, text } from './fields.ts'
import { figure, figures, probability } from './figures.ts'
import { explanationNote, predicateText } from './wording.ts'

/** What the suspects of a complaint have in common, best first. */
export function explanationTable({ explanation = [] }: ComplaintResult): Table[] {
  if (explanation.length === 0) return []
  const ranks = explanation.map((_, i) => i + 1)
  const conditions = explanation.map((one) => predicateText(one.predicates))
  const counts = (of: (one: (typeof explanation)[number]) => number) =>
    [explanation.map(of), explanation.map((one) => figure(of(one)))] as const
  const shares = (of: (one: (typeof explanation)[number]) => number) =>
    [explanation.map((one) => finite(of(one))), explanation.map((one) => of(one).toFixed(2))] as const
  const scores = explanation.map((one) => one.score)
  return [
    table({ id: 'explanation', title: 'What the suspects have in common', keys: ranks, note: explanationNote }, [
      number('#', ranks, ranks.map(String)),
      text('condition', conditions, conditions),
      number('suspects', ...counts((one) => one.suspects)),
      explanation.length > 1 ? number('more', ...counts((one) => one.adds)) : undefined,
      rowCounts(explanation.map((one) => one.rows)),
      number('precision', ...shares((one) => one.precision)),
      number('coverage', ...shares((one) => one.coverage)),
      number('score', scores.map(finite), figures(scores, 3)),
      number(
        'q',
        explanation.map((one) => finite(one.qValue)),
        explanation.map((one) => probability(one.qValue)),
      ),
    ]),
  ]
}
