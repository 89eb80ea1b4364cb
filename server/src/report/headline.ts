import type { Figure } from '../protocol/pages.ts'
import type { Result } from '../protocol/results.ts'
import { figure, share } from './figures.ts'
import { expectedText, measuredWhere, measureName, metricFigure } from './wording.ts'

/** The figures of a result that matter most, to be shown large: at most four. */
export function headline(result: Result): Figure[] {
  switch (result.kind) {
    case 'complaint': {
      const first = result.expectations?.[0]
      if (!first) return []
      return [
        said('actual', figure(first.actual), first.satisfied ? 'good' : 'bad'),
        said('expected', expectedText(first)),
        said("by the model's probabilities", figure(first.relaxed)),
      ]
    }
    case 'model':
      return Object.entries(result.metrics ?? {})
        .slice(0, 4)
        .map(([name, value]) => said(`${measureName(name)}${measuredWhere(result)}`, metricFigure(name, value)))
    case 'assert': {
      if (result.checked === undefined) return []
      const failed = result.failed ?? 0
      return [
        said('checked', figure(result.checked)),
        said('fail', figure(failed), failed === 0 ? 'good' : result.status === 'ok' ? 'warn' : 'bad'),
        said('unknown', figure(result.unknown ?? 0)),
      ]
    }
    case 'source':
    case 'slice': {
      // A preview's rows are counted at their table.
      if (result.rows === undefined || result.preview !== undefined) return []
      const part = result.kind === 'slice' && result.share !== undefined ? [said('of its source', share(result.share))] : []
      return [said('rows', figure(result.rows)), ...part]
    }
    default:
      return []
  }
}

const said = (name: string, value: string, mood: Figure['mood'] = 'quiet'): Figure => ({ name, value, mood })

/** The SQL behind a result, as a user would want to copy it. */
export function writtenSql(result: Result): string | undefined {
  return result.kind === 'assert' ? result.sql : result.kind === 'complaint' ? result.query : undefined
}
