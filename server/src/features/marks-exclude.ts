import { type CodeAction, CodeActionKind } from 'vscode-languageserver'
import type * as ast from '../../../grammar/src/ast.ts'
import { format, printExpr, printName, printText } from '../../../grammar/src/printer.ts'
import { walk } from '../../../grammar/src/walker.ts'
import { fold, sameName } from '../check/names.ts'
import type { AssertSpec, SourceSpec, Spec } from '../check/spec.ts'
import type { Key, Result } from '../protocol/results.ts'
import { inert } from '../report/inert.ts'
import { flaggedBy } from '../workspace/flagged.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'

/** A list of keys longer than this is no text for people. */
const mostKeys = 1000

/**
 * Leaves out what a rule flags, in a source beside the one that it speaks of: files of data are never edited. By the rule itself where that says exactly the same, and by the
 * keys of the rows. Where neither can be done the action says why.
 */
export function excludeActions(snapshot: Snapshot, rule: string): CodeAction[] {
  const decl = snapshot.ast.declarations.find((one) => one.name !== undefined && sameName(one.name.text, rule))
  const last = decl?.name && snapshot.last(decl.name.text)
  const { spec } = snapshot.checked
  if (!decl || !last || !canFlag(last.result)) return []
  const flagged = flaggedBy(spec, last.result)
  const source = flagged && spec.declarations.find((one) => one.kind === 'source' && sameName(one.name, flagged.source))
  if (flagged === undefined || source?.kind !== 'source') return []
  const noun = flagged.rule.kind === 'complaint' ? 'suspect' : 'flagged row'
  const n = flagged.total
  const what = `${n === 1 ? 'the' : `the ${n}`} ${noun}${n === 1 ? '' : 's'}`
  if (flagged.rule.kind === 'assert' && flagged.rule.each.kind !== 'row') return []
  const insert = (condition: string, title: string, isPreferred: boolean): CodeAction => {
    const behind = { start: decl.end, end: decl.end }
    const newText = `\n\n${keptSource(snapshot, source, condition)}`
    return {
      title,
      kind: CodeActionKind.QuickFix,
      isPreferred,
      edit: { changes: { [snapshot.uri(snapshot.path)]: [{ range: rangeOf(snapshot, behind), newText }] } },
    }
  }
  const holds = flagged.rule.kind === 'assert' ? exactCondition(spec, flagged.rule) : undefined
  const byRule =
    holds === undefined ? [] : [insert(holds, `Exclude flagged rows: keep those that pass \`${inert(flagged.rule.name, 60)}\``, true)]
  const conditions =
    n > mostKeys || n > flagged.rows.length
      ? undefined
      : keyCondition(
          source,
          flagged.rows.map((row) => row.key),
        )
  if (conditions !== undefined) return [...byRule, insert(`not (${conditions})`, `Exclude ${what}, by key`, false)]
  if (byRule.length > 0) return byRule
  const why =
    n > mostKeys || n > flagged.rows.length
      ? `There are ${n} of them, more than the ${Math.min(mostKeys, flagged.rows.length)} that can be listed by key, and the rule is not one that a view can repeat. Narrow the rule, or write the view by hand.`
      : 'Their keys cannot be written down. Declare a `key` of numbers or short texts.'
  return [{ title: `Exclude ${what}`, kind: CodeActionKind.QuickFix, disabled: { reason: why } }]
}

const canFlag = (result: Result) => result.kind === 'assert' || result.kind === 'complaint'

/** Everything that a model needs of the source stays: its key, order, label and splits. */
function keptSource(snapshot: Snapshot, source: SourceSpec, condition: string): string {
  const known = snapshot.checked.reached.get(fold(source.name))
  const text = (known && snapshot.files.get(known.path)?.text) ?? ''
  const clauses = (known?.decl.clauses ?? []) as readonly ast.AnyClause[]
  const kept = clauses.filter((one) => /^(key|order|label|split)$/.test(one.word)).map((one) => `  ${text.slice(one.start, one.end)}`)
  const name = freeName(snapshot, `${source.name}_kept`)
  const from = `  from (select * from ${printName({ text: source.name })} where ${condition})`
  return format([`source ${printName({ text: name })} {`, from, ...kept, '}'].join('\n')).text.trimEnd()
}

/** The rule as a condition of a view that keeps exactly what it does not flag (unknown rows pass); undefined where a view cannot say it. */
function exactCondition(spec: Spec, rule: AssertSpec): string | undefined {
  if (rule.severity || rule.later || rule.each.kind !== 'row') return undefined
  let isPlain = true
  for (const expr of rule.require)
    walk(expr, (inner) => {
      const meaning = spec.meanings.get(inner)
      const plain =
        meaning === undefined
          ? inner.kind !== 'column' && inner.kind !== 'call' && inner.kind !== 'exists' && !(inner.kind === 'in' && inner.query)
          : meaning.kind === 'column'
            ? inner.kind !== 'column' || inner.table === undefined
            : meaning.kind === 'function' && !meaning.aggregate && !volatile.test(meaning.name)
      if (!plain) isPlain = false
    })
  if (!isPlain) return undefined
  const holds = rule.require.length === 1 ? printExpr(rule.require[0]!) : rule.require.map((one) => `(${printExpr(one)})`).join(' and ')
  const passes = `coalesce(${holds}, true)`
  return rule.on.split === undefined ? passes : `coalesce(split <> ${printText(rule.on.split)}, true) or ${passes}`
}
const volatile = /random|uuid|^(now|today|current_|transaction_timestamp|nextval)/

/** `key in (…)`, or for keys of several columns one condition a row; undefined where a key cannot be written. */
function keyCondition(source: SourceSpec, keys: readonly Key[]): string | undefined {
  const declared = source.key ?? []
  if (declared.length > 1) {
    const rows = keys.map((key) => {
      if (typeof key !== 'object' || key.length !== declared.length) return undefined
      const parts = declared.map((name, i) => {
        const value = key[i]
        if (value === null || value === undefined) return `${printName({ text: name })} is null`
        const literal = literalOf(value)
        return literal === undefined ? undefined : `${printName({ text: name })} = ${literal}`
      })
      return parts.includes(undefined) ? undefined : `(${parts.join(' and ')})`
    })
    return rows.includes(undefined) ? undefined : rows.join(' or ')
  }
  const literals = keys.map((key) => (typeof key === 'object' ? undefined : literalOf(key)))
  if (literals.includes(undefined)) return undefined
  const column = source.schema.find((one) => sameName(one.name, declared[0] ?? ''))
  // Dates and long integers come as texts: so does the pseudo-column.
  const asText = column && keys.some((key) => typeof key === 'string') && column.type !== 'text'
  const hidden = source.schema.some((one) => fold(one.name) === 'key')
  if (asText && hidden) return undefined
  return `${asText || column === undefined ? 'key' : printName({ text: column.name })} in (${literals.join(', ')})`
}

function literalOf(value: string | number | boolean): string | undefined {
  // A text ends on its line.
  if (typeof value === 'string') return /[\r\n]/.test(value) ? undefined : printText(value)
  return String(value)
}

export function freeName(snapshot: Snapshot, wanted: string): string {
  const { reached } = snapshot.checked
  let name = wanted
  for (let i = 2; reached.has(fold(name)); i++) name = `${wanted}_${i}`
  return name
}
