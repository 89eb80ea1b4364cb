import type { ComplaintResult, ComplaintStrength, GroupEffect, InterveneResult } from '../protocol/results.ts'
import { count, figure, share } from './figures.ts'

/** How far a complaint's ranking can be trusted, and what its suspects come to together. */
export function trustSentences({ strength, together, ranking = [], expectations = [] }: ComplaintResult): string[] {
  if (ranking.length === 0) return []
  return [...(strength ? strengthSentences(strength, ranking.length) : []), ...(together ? [togetherSentence(together, expectations)] : [])]
}

function strengthSentences({ level, stability, rows, deviations }: ComplaintStrength, suspects: number): string[] {
  const carried = `about ${count(Math.max(1, Math.round(rows)), 'row')} of the query ${Math.round(rows) <= 1 ? 'carries' : 'carry'} it`
  const same = suspects === 1 ? 'the suspect would be the same' : `${share(stability)} of these suspects would be the same`
  const how =
    stability === undefined ? carried : `with the queried rows drawn anew, ${same}${stability === 1 ? '' : ' on average'}; ${carried}`
  const sentence =
    level === undefined
      ? [`Of the complaint, ${carried}.`]
      : level === 'weak'
        ? [`The complaint is too weak for its ranking to be trusted: ${how}. Query more rows, or expect more of them.`]
        : [`The complaint is ${level === 'strong' ? 'strong' : 'of fair strength'}: ${how}.`]
  const chance =
    deviations !== undefined && deviations < 2
      ? [
          `The number is ${figure(deviations, 2)} standard deviations from what is expected, as far as the model’s own uncertainty moves it: it may be off by chance, with nothing wrong in the training rows.`,
        ]
      : []
  return [...sentence, ...chance]
}

/** `All 25 suspects treated at once are predicted to bring …`. */
function togetherSentence({ rows, sum, predicted, expectations = [] }: GroupEffect, before: ComplaintResult['expectations'] = []): string {
  const unmet = before.findIndex((e) => !e.satisfied)
  const then = expectations[unmet]
  const who = rows === 1 ? 'The suspect, treated as shown, is' : `All ${figure(rows)} suspects treated at once are`
  const worth = `improve the query’s relaxed value by ${figure(predicted, 3)}${rows === 1 ? '' : ` (their influences add up to ${figure(sum, 3)})`}`
  if (then === undefined || unmet < 0) return `${who} predicted to ${worth}.`
  const met = then.satisfied ? 'which is as expected' : 'which is still not as expected'
  return `${who} predicted to ${worth}: the query would then give ${figure(then.actual)} instead of ${figure(before[unmet]?.actual)}, ${met}. Only training again tells: \`intervene\`.`
}

/** Beside what came out, what was predicted. */
export function predictionSentence({ predicted, after }: InterveneResult): string[] {
  if (!predicted || !after) return []
  const names = Object.keys(after).filter((name) => typeof predicted[name] === 'number' && typeof after[name] === 'number')
  if (names.length === 0) return []
  return ['Predicted, before training: one step from the old parameters, in the span of the debugging index.']
}
