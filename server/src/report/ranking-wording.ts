import type { ComplaintResult } from '../protocol/results.ts'
import { count, duration, figure } from './figures.ts'
import { inert } from './inert.ts'

/** How suspects were found, above their list. */
export function rankingTitle(result: ComplaintResult): string {
  const n = result.ranking?.length ?? 0
  const method = result.method ? `, ranked by ${methodText(result.method)}` : ''
  return n === 1 ? `The top suspect${method}` : `The top ${figure(n)} suspects${method}`
}

/** `auto (k = 20)`: the automatic method, 20 directions. */
function methodText(method: string): string {
  const [, name = method, k] = /^(\w+) \(k = (\d+)\)$/.exec(method) ?? []
  const words = methods[name] ?? inert(name)
  return k === undefined ? words : `${words}, ${count(Number(k), 'direction')}`
}
const methods: Readonly<Record<string, string>> = {
  auto: 'the automatic method',
  spectral: 'the spectral method',
  loss: 'loss',
  confidence: 'confidence',
  self_influence: 'self-influence',
  random: 'chance',
}

export function rankingNote(result: ComplaintResult): string {
  const times = [
    result.indexMs === undefined ? undefined : `index ${duration(result.indexMs)}`,
    result.rankMs === undefined ? undefined : `ranking ${duration(result.rankMs)}`,
  ].filter((part) => part !== undefined)
  const stays = result.ranking?.some((row) => row.treatment === 'none') ? ' Treatment none: the row would stay as it is.' : ''
  return `${scoreOf(result).meaning}${stays}${times.length > 0 ? ` Took: ${times.join(', ')}.` : ''}`
}

/** What the column `influence` of a ranking holds: the baselines rank by something else. */
export function scoreOf(result: ComplaintResult): { readonly name: string; readonly meaning: string } {
  return baselines[result.method ?? ''] ?? influence
}
const influence = {
  name: 'influence',
  meaning: 'Influence is the predicted improvement of the complaint if the row is treated as shown; positive helps.',
}
const baselines: Readonly<Record<string, typeof influence>> = {
  loss: { name: 'loss', meaning: 'Ranked by the model’s loss on the row, whatever the complaint.' },
  confidence: {
    name: 'margin',
    meaning: 'Ranked by how much surer the model is of another class than of the row’s label, whatever the complaint.',
  },
  self_influence: {
    name: 'self-influence',
    meaning: 'Ranked by how much the row bears on the model’s answer for itself, whatever the complaint.',
  },
  random: { name: 'drawn', meaning: 'Rows drawn at random, for comparison.' },
}
