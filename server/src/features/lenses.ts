import type { CodeLens } from 'vscode-languageserver'
import type { DeclarationKind } from '../../../grammar/src/ast.ts'
import { type CommandName, commands } from '../protocol/messages.ts'
import { count, figure } from '../report/figures.ts'
import { inert } from '../report/inert.ts'
import { measureName, metricFigure, verdict } from '../report/wording.ts'
import { type LastResult, rangeOf, type Snapshot } from '../workspace/snapshot.ts'

interface Action {
  readonly title: string
  readonly command: CommandName
}
const run = (title: string): Action => ({ title, command: commands.run })
const sql: Action = { title: 'Show SQL', command: commands.plan }
const plan: Action = { title: 'Show plan', command: commands.plan }

const actions: Readonly<Record<DeclarationKind, readonly Action[]>> = {
  source: [{ title: 'Preview rows', command: commands.preview }, sql, run('Count')],
  slice: [{ title: 'Preview rows', command: commands.preview }, sql, run('Count')],
  partition: [run('Count'), sql],
  model: [run('Train'), { title: 'Preview predictions', command: commands.preview }, plan],
  discover: [run('Discover'), plan],
  assert: [run('Check'), sql],
  complaint: [run('Explain'), { title: 'Preview query', command: commands.preview }, plan],
  intervene: [run('Try'), plan],
  acquire: [{ title: 'Plan acquisition', command: commands.plan }, run('Run acquisition')],
  cycle: [run('Next round'), plan],
  find: [run('Find'), plan],
  estimate: [run('Estimate'), plan],
  review: [run('Review'), plan],
  oracle: [],
}

/** What can be done with each declaration, and what became of it when it last was. Nothing runs to make them. */
export function codeLenses(snapshot: Snapshot): CodeLens[] {
  return snapshot.ast.declarations.flatMap((decl) => {
    if (!decl.name || decl.name.text === '') return []
    const range = rangeOf(snapshot, decl.keyword)
    const name = decl.name.text
    const uri = snapshot.uri(snapshot.path)
    const lenses: CodeLens[] = actions[decl.kind].map(({ title, command }) => {
      const argument = command === commands.preview ? { uri, name } : { uri, names: [name] }
      return { range, command: { title, command, arguments: [argument] } }
    })
    const last = snapshot.last(name)
    if (last) lenses.push({ range, command: { title: lastTitle(last), command: commands.result, arguments: [{ uri, name }] } })
    return lenses
  })
}

/** `fails: 20 of 53 940 (the data has changed since)`. */
export function lastTitle({ result, state }: LastResult): string {
  const since = state === 'current' ? '' : ` (${state === 'spec changed' ? 'the spec' : 'the data'} has changed since)`
  return `${verdict(result)}${figureOf(result)}${since}`
}

/** After the verdict, what it is about, in a few words. */
function figureOf(result: LastResult['result']): string {
  switch (result.kind) {
    case 'assert':
      return result.failed === undefined ? '' : `: ${figure(result.failed)} of ${figure(result.checked)}`
    case 'complaint': {
      const { expectations = [] } = result
      if (expectations.length === 1) return `: ${figure(result.actual)}, expected ${inert(expectations[0]!.expect, 60)}`
      const unmet = expectations.filter((one) => !one.satisfied).length
      return unmet === 0 ? '' : `: ${figure(unmet)} of ${figure(expectations.length)} expectations not met`
    }
    case 'intervene': {
      const [name] = Object.keys(result.before ?? {})
      return name === undefined ? '' : `: ${measureName(name)} ${figure(result.before?.[name])} → ${figure(result.after?.[name])}`
    }
    case 'source':
    case 'slice':
      return result.rows === undefined ? '' : `: ${count(result.rows, 'row')}`
    case 'discover':
    case 'partition':
      return result.slices === undefined ? '' : `: ${count(result.slices.length, 'slice')}`
    case 'model': {
      const [name, value] = Object.entries(result.metrics ?? {})[0] ?? []
      return name === undefined || value === undefined ? '' : `: ${measureName(name)} ${metricFigure(name, value)}`
    }
    default:
      return ''
  }
}
