import type { AssertResult, ComplaintResult, DiscoverResult, InterveneResult, ModelResult, PartitionResult } from '../protocol/results.ts'
import { count, figure } from './figures.ts'
import { inert } from './inert.ts'
import { scoreOf } from './ranking-wording.ts'
import { capital, measureName, metricFigure, partitionSentences } from './wording.ts'

/** One sentence for each chart: what it shows, for those who do not see it. */
export const chartSentences = {
  ranking: (result: ComplaintResult): string => {
    const ranking = result.ranking ?? []
    const first = ranking[0]
    const last = ranking.at(-1)
    if (!first || !last || ranking.length < 2) return 'Too few suspects for a curve.'
    const half = ranking.findIndex((row) => row.influence < first.influence / 2)
    const fall = half > 0 ? `; it is half of the first's at rank ${figure(half + 1)}` : ''
    const { name } = scoreOf(result)
    return `${name === 'influence' ? 'Predicted improvement' : capital(name)} by rank: from ${figure(first.influence)} for the first row to ${figure(last.influence)} for row ${figure(last.rank)}${fall}.`
  },
  measure: (result: InterveneResult, name: string): string => {
    const before = result.before?.[name]
    const after = result.after?.[name]
    return `${measureName(name)}: ${figure(before)} before, ${figure(after)} after, ${changeText(before, after)}.`
  },
  model: (result: ModelResult, metric: string): string => {
    const slices = [...(result.perSlice ?? [])].sort((a, b) => a.metric - b.metric)
    const low = slices[0]
    const high = slices.at(-1)
    if (!low || !high) return 'No slices.'
    return `${capital(metric)} by slice: lowest in ${inert(low.slice)} (${metricFigure(metric, low.metric)}, ${count(low.rows, 'row')}), highest in ${inert(high.slice)} (${metricFigure(metric, high.metric)}).`
  },
  partition: (result: PartitionResult): string => `Rows in each slice: ${partitionSentences(result)[0] ?? ''}`,
  discover: (result: DiscoverResult): string => {
    const slices = result.slices ?? []
    const sizes = slices.map((slice) => slice.size)
    return `Size against mean error of ${count(slices.length, 'slice')}, with intervals: from ${figure(Math.min(...sizes))} to ${count(Math.max(...sizes), 'row')}; the line is the mean error of all rows, ${figure(result.meanError)}.`
  },
  assertion: (result: AssertResult): string =>
    `Of ${count(result.checked ?? 0, 'row')}, ${figure((result.checked ?? 0) - (result.failed ?? 0) - (result.unknown ?? 0))} hold, ${figure(result.failed ?? 0)} fail and ${figure(result.unknown ?? 0)} are unknown.`,
}

export function changeText(before: number | null | undefined, after: number | null | undefined): string {
  if (before === null || before === undefined || after === null || after === undefined) return 'cannot be compared'
  const change = after - before
  if (change === 0) return 'unchanged'
  return `${change > 0 ? 'up' : 'down'} by ${figure(Math.abs(change))}`
}
