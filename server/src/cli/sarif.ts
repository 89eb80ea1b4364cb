import { pathToFileURL } from 'node:url'
import { lineStarts, placeAt } from '../../../grammar/src/positions.ts'
import { type PlacedRow, placeRows } from '../data/place-rows.ts'
import type { Engine } from '../engine/events.ts'
import type { Result } from '../protocol/results.ts'
import { rowWords } from '../report/row-words.ts'
import type { SarifFacts, SarifPlace, SarifRow } from '../report/sarif.ts'
import { flaggedBy } from '../workspace/flagged.ts'
import type { Loaded } from '../workspace/load.ts'
import { askedFor, rangeFor } from './flagged-rows.ts'
import { version } from './version.ts'

/** What SARIF says besides results: where rules and flagged rows stand. Rows are looked for in the files, as the editor does. */
export async function sarifFacts(
  results: readonly Result[],
  loaded: Loaded,
  around: { readonly cwd: string; readonly shown: (path: string) => string; readonly engine: () => Engine },
): Promise<SarifFacts> {
  const rules = new Map<string, { place: SarifPlace; doc?: string }>()
  const rows: SarifRow[] = []
  const starts = new Map(loaded.files.map((file) => [file.path, lineStarts(file.text)]))
  for (const result of results) {
    const declared = loaded.spec.declarations.find((one) => one.name === result.name)
    if (declared)
      rules.set(result.name, {
        place: placeIn(starts.get(declared.path) ?? [0], declared.span, around.shown(declared.path)),
        doc: declared.doc,
      })
    const flagged = flaggedBy(loaded.spec, result)
    if (flagged === undefined) continue
    const asked = askedFor(flagged, flagged.rows)
    const placed: ReadonlyMap<string, PlacedRow> = asked
      ? await placeRows(asked, (positions) => around.engine().positions(positions)).catch(() => new Map())
      : new Map()
    const rule = { name: flagged.rule.name, total: flagged.total, result }
    for (const flag of flagged.rows) {
      const found = placed.get(flag.id)
      const { start, end } = found ? rangeFor(flagged, flag, found) : { start: undefined, end: undefined }
      rows.push({
        rule: result.name,
        key: flag.about.kind === 'group' ? flag.about.row.key : flag.key,
        text: rowWords(rule, flag.about),
        severity: flag.about.kind === 'suspect' ? flag.about.row.influence : flag.about.row.severity,
        level: flagged.level,
        place: found &&
          start && {
            file: around.shown(found.path),
            line: start.line + 1,
            column: start.character + 1,
            endLine: end.line + 1,
            endColumn: end.character + 1,
          },
      })
    }
  }
  return { ...bareFacts(around.cwd), rules, rows }
}

/** Where nothing was run. */
export function bareFacts(cwd: string): SarifFacts {
  const base = pathToFileURL(cwd).href
  return { version: version(), base: base.endsWith('/') ? base : `${base}/`, rules: new Map(), rows: [] }
}

function placeIn(starts: readonly number[], span: { readonly start: number; readonly end: number }, file: string): SarifPlace {
  const from = placeAt(starts, span.start)
  const to = placeAt(starts, span.end)
  return { file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column }
}
