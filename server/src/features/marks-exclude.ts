import { type CodeAction, CodeActionKind } from 'vscode-languageserver'
import { printExpr, printText } from '../../../grammar/src/printer.ts'
import { walk } from '../../../grammar/src/walker.ts'
import { sameName } from '../check/names.ts'
import type { AssertSpec, Spec } from '../check/spec.ts'
import type { Result } from '../protocol/results.ts'
import { inert } from '../report/inert.ts'
import { flaggedBy } from '../workspace/flagged.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { keptSourceText, rowsWithKeys } from './written.ts'

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
    const newText = `\n\n${keptSourceText(snapshot, source, condition).trimEnd()}`
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
      : rowsWithKeys(
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
