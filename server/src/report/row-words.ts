import type { FlaggedRow, Json, RankedRow, Result } from '../protocol/results.ts'
import { cell, count, figure, keyText } from './figures.ts'
import { inert } from './inert.ts'
import { scoreOf } from './ranking-wording.ts'
import { opinion } from './wording.ts'

/** What a rule holds against a row: a row that fails, the first of a group that does (`condition`: what must hold, as written), one of the suspects of a complaint. */
export type AboutRow =
  | { readonly kind: 'row' | 'group'; readonly row: FlaggedRow; readonly condition: string }
  | { readonly kind: 'suspect'; readonly row: RankedRow }

/** The same in words, with each value inert and cut by itself, so that none can take the place of the others. */
export function rowWords(rule: { readonly name: string; readonly total: number; readonly result: Result }, about: AboutRow): string {
  const name = `\`${inert(rule.name, 60)}\``
  switch (about.kind) {
    case 'row':
      return `${name} fails: ${valuesOf(about.row.values)}\`${inert(about.condition, 160)}\` must hold. Severity ${figure(about.row.severity)}.`
    case 'group': {
      const { row } = about
      const rows = row.rows.length >= 100 ? 'of 100 rows or more' : `of ${count(row.rows.length, 'row')}`
      return `${name} fails for the group of ${keyText(row.key)}, ${rows}, whose first this is: ${valuesOf(row.values)}\`${inert(about.condition, 160)}\` must hold. Severity ${figure(row.severity)}.`
    }
    case 'suspect': {
      const { row } = about
      const score = rule.result.kind === 'complaint' ? scoreOf(rule.result).name : 'influence'
      const opinionText = row.prediction === undefined ? '' : `; the model says ${opinion(row)}`
      const label = row.label === undefined ? '' : ` Labelled ${cell(row.label, 60)}${opinionText}.`
      return `Suspect ${figure(row.rank)} of ${figure(rule.total)} of the complaint ${name}: ${score} ${figure(row.influence)}.${label}`
    }
  }
}

function valuesOf(values: Readonly<Record<string, Json>>): string {
  const shown = Object.entries(values).slice(0, 4)
  return shown.length === 0 ? '' : `${shown.map(([name, value]) => `${inert(name, 60)} is ${cell(value, 60)}`).join(', ')}, and `
}
