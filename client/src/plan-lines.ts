import type { Result } from '../../server/src/protocol/results.ts'
import { inertText } from './inert-text.ts'

const mostLines = 12

/** The steps of a plan, and what they cost together. */
export function planLines({ steps = [] }: Pick<Result, 'steps'>): string[] {
  const lines = steps.slice(0, mostLines).map((step, i) => {
    const facts = [step.rows === null ? '' : `${step.rows} rows`, step.cost === undefined ? '' : `cost ${step.cost}`].filter((part) => part)
    return `${i + 1}. ${inertText(step.what, 200)}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`
  })
  const costs = steps.flatMap((step) => (step.cost === undefined ? [] : [step.cost]))
  const total = costs.reduce((sum, cost) => sum + cost, 0)
  return [
    ...lines,
    ...(steps.length > mostLines ? [`and ${steps.length - mostLines} more steps`] : []),
    ...(costs.length > 0 ? [`Altogether at most ${Number(total.toPrecision(10))}.`] : []),
  ]
}
