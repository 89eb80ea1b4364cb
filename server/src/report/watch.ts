import type { WatchLine, WatchUpdate } from '../protocol/watch.ts'
import { bytes, cell, count, duration, figure, figures, keyText } from './figures.ts'
import { inert, inertJson, widthOf } from './inert.ts'
import { expectedText } from './wording.ts'

/** What is said of a complaint that is followed: a few lines an update, or a line of JSON. */
export function watchText(line: WatchLine, time: string): string {
  if (line.event === 'notice') return `${time}  ${inert(line.message, 2000)}\n`
  const added = line.added === 0 ? '' : `${line.added > 0 ? '+' : ''}${count(line.added, 'row')}, `
  const how = `${added}${line.how === 'batch' ? 'added in' : 'evaluated as a whole in'}`
  const rows = `${inert(line.complaint, 60)}: ${line.satisfied ? 'as expected' : 'not as expected'}, ${count(line.rows, 'row')} (${how} ${spell(line)})`
  const waits = line.unfinished === undefined ? [] : [`A last line of ${bytes(line.unfinished)} has no end yet: it is not counted.`]
  const notes = (line.notes ?? []).map((note) => inert(note, 2000))
  const body = [...expectations(line), ...ranking(line), ...waits, ...notes].map((text) => `          ${text}`)
  return `${[`${time}  ${rows}`, ...body].join('\n')}\n`
}

export const watchJson = (line: WatchLine): string => `${inertJson(JSON.stringify(line))}\n`

const spell = ({ elapsedMs }: WatchUpdate) => (elapsedMs >= 1 && elapsedMs < 100 ? `${figure(elapsedMs, 2)} ms` : duration(elapsedMs))

const MOST_GROUPS = 20

function expectations({ expectations }: WatchUpdate): string[] {
  const shown = expectations.slice(0, MOST_GROUPS).map((one) => {
    const group = one.group
      ? `${Object.entries(one.group)
          .map(([name, value]) => `${inert(name, 40)} = ${cell(value, 40)}`)
          .join(', ')}: `
      : ''
    const verdict = one.satisfied ? 'as expected' : `expected ${expectedText(one)}`
    return `${group}${inert(one.expect, 80)}: ${figure(one.actual)} (relaxed ${figure(one.relaxed)}), ${verdict}`
  })
  const rest = expectations.length - shown.length
  return rest > 0 ? [...shown, `… and ${count(rest, 'group')} more`] : shown
}

function ranking({ ranking, method }: WatchUpdate): string[] {
  if (ranking.length === 0) return []
  const influence = figures(ranking.map((row) => row.influence))
  const cells = ranking.map((row, i) => [
    String(row.rank),
    keyText(row.key),
    cell(row.label, 40),
    influence[i]!,
    inert(row.treatment ?? '', 40),
  ])
  const table = [['#', 'key', 'label', 'influence', 'treatment'], ...cells]
  const widths = table[0]!.map((_, c) => Math.max(...table.map((row) => widthOf(row[c]!))))
  const padded = table.map((row) =>
    row
      .map((text, c) => text + ' '.repeat(widths[c]! - widthOf(text)))
      .join('  ')
      .trimEnd(),
  )
  return [`blamed first, by ${inert(method ?? '', 60)}:`, ...padded.map((text) => `  ${text}`)]
}
