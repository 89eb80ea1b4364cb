import type { Hover } from 'vscode-languageserver'
import type * as ast from '../../../grammar/src/ast.ts'
import { readerOptions, settingOf, trainOptions, treeOptions } from '../../../grammar/src/setting-table.ts'
import { clausesOf, declarationWord } from '../../../grammar/src/tokens.ts'
import type { Reached } from '../check/check.ts'
import { functionNamed } from '../check/function-signatures.ts'
import { fold } from '../check/names.ts'
import type { Info, SourceInfo } from '../check/scope.ts'
import { count, figure, share } from '../report/figures.ts'
import { inert } from '../report/inert.ts'
import { columnFactsText, provenanceText, sentences, verdict } from '../report/wording.ts'
import type { Position } from '../workspace/documents.ts'
import { type LastResult, offsetOf, rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import type { Target } from '../workspace/target.ts'
import { occurrenceAt } from './at.ts'
import { nounOf } from './kinds.ts'
import { optionText, signatureTexts } from './signatures.ts'

/** What a name stands for, in Markdown: as written, what its author says of it, facts. What is not known is counted in the background, for the next time. */
export function hover(snapshot: Snapshot, at: Position): Hover | undefined {
  const found = occurrenceAt(snapshot, at)
  const parts = found ? textOf(snapshot, found.target) : undefined
  if (found && parts) return { contents: { kind: 'markdown', value: parts.join('\n\n') }, range: rangeOf(snapshot, found) }
  return keywordHover(snapshot, offsetOf(snapshot, at))
}

function textOf(snapshot: Snapshot, target: Target): string[] | undefined {
  const { reached } = snapshot.checked
  const source = (name: string): SourceInfo | undefined => {
    const info = reached.get(fold(name))?.info
    return info?.kind === 'source' ? info : undefined
  }
  switch (target.kind) {
    case 'declaration':
      return declarationText(snapshot, target.path, target.name)
    case 'column': {
      const info = sourceOfColumn(snapshot, target.source)
      const column = info?.columns.get(fold(target.name))
      if (!info || !column) return undefined
      const facts = [`${column.type} · \`${inert(column.sqlType)}\` · column of \`${inert(info.name)}\``]
      if (info.label !== undefined && fold(info.label) === fold(column.name)) facts.push('Holds the truth (`label`).')
      if (info.key.some((one) => fold(one) === fold(column.name))) facts.push('Identifies a row (`key`).')
      const known = snapshot.facts(info.name)
      if (known === 'counting') facts.push('counting …')
      const own = typeof known === 'object' ? known.columns.find((one) => fold(one.name) === fold(column.name)) : undefined
      if (own && typeof known === 'object') facts.push(markdownInert(columnFactsText(own, known)))
      return [code(inert(column.name)), ...facts]
    }
    case 'split': {
      const last = snapshot.last(target.source)
      const rows = last?.result.kind === 'source' ? last.result.splits?.[target.name] : undefined
      return [
        code(`${target.source}.${target.name}`),
        `split of \`${inert(target.source)}\`${rows === undefined ? '' : ` · ${count(rows, 'row')}`}`,
      ]
    }
    case 'pseudo':
      return [code(target.name), pseudoText(target.name, source(target.source))]
    case 'output':
      return [code(target.name), `column of the result of \`${inert(target.owner)}\``]
    case 'alias':
      return [code(target.name), 'another name of a table in this query']
    case 'function': {
      const ours = ownFunctions[target.name]
      if (ours) return [code(ours[0]), ours[1]]
      const known = functionNamed(target.name)
      if (!known) return undefined
      return [
        code(signatureTexts(known).slice(0, 6).join('\n')),
        known.aggregate ? 'aggregate of the database' : 'function of the database',
      ]
    }
    case 'setting': {
      const known = settingOf(target.group, target.name)
      if (!known) return undefined
      return [code(known.options.length > 0 ? `${known.name}(${known.options.map(optionText).join(', ')})` : known.name), known.says]
    }
    case 'option': {
      const option = [...trainOptions, ...readerOptions, ...treeOptions].find((one) => one.name === target.name)
      return [code(option ? optionText(option) : target.name), option?.says ?? `option of \`${target.of}\``]
    }
    case 'file':
      return undefined
  }
}

function declarationText(snapshot: Snapshot, path: string, name: string): string[] | undefined {
  const found = snapshot.checked.reached.get(fold(name))
  const file = snapshot.files.get(path)
  if (!found || !file) return undefined
  const { decl } = found
  const parts = [code(cut(file.text.slice(decl.start, decl.end)))]
  if (decl.doc) parts.push(markdownInert(decl.doc))
  const facts = factsOf(found)
  if (facts) parts.push(facts)
  const last = snapshot.last(found.name)
  if (last) parts.push(lastText(last))
  const counts = decl.kind === 'slice' || decl.kind === 'source'
  if (counts && last?.state !== 'current' && snapshot.counting(found.name)) parts.push('counting rows …')
  return parts
}

/** `source · 11 columns · key frame_id · splits train, valid`. */
function factsOf({ decl, info }: Reached): string | undefined {
  const facts: string[] = [nounOf(decl.kind)]
  if (info?.kind === 'source') facts.push(...sourceFacts(info))
  if (info?.kind === 'model') {
    if (info.source) facts.push(`on \`${inert(info.source.name)}\``)
    facts.push(info.task, `predicts \`${inert(info.targetName)}\`${info.target ? ` (${info.target.type})` : ''}`)
    if (info.inputs.length > 0) facts.push(`from ${count(info.inputs.length, 'column')}`)
  }
  if ((info?.kind === 'slice' || info?.kind === 'partition') && info.source) facts.push(`of \`${inert(info.source.name)}\``)
  return facts.join(' · ')
}

function sourceFacts(info: SourceInfo): string[] {
  const facts = [info.open && info.schema.length === 0 ? 'columns not known yet' : count(info.schema.length, 'column')]
  if (info.key.length > 0) facts.push(`key ${info.key.map((one) => `\`${inert(one)}\``).join(', ')}`)
  if (info.splits.length > 0) facts.push(`splits ${info.splits.map((one) => inert(one)).join(', ')}`)
  return facts
}

/** The last result, in the words of the report. */
export function lastText({ result, state }: LastResult): string {
  const said = sentences(result).slice(0, 3)
  const size = result.kind === 'slice' && result.rows !== undefined ? [`${figure(result.rows)} rows, ${share(result.share)}`] : []
  const stale = state === 'current' ? '' : ` (before ${state === 'spec changed' ? 'the spec' : 'the data'} changed)`
  const from = provenanceText(result.provenance)
  return [`**${verdict(result)}**${stale}: ${[...size, ...said].map(markdownInert).join(' ')}`, from ? `*${from}*` : '']
    .filter((part) => part)
    .join('  \n')
}

function sourceOfColumn(snapshot: Snapshot, name: string): SourceInfo | undefined {
  const infoOf = (info: Info | undefined): SourceInfo | undefined => {
    if (info?.kind === 'source') return info
    return info && 'source' in info ? info.source : undefined
  }
  for (const one of snapshot.checked.reached.values()) {
    const info = infoOf(one.info)
    if (info && fold(info.name) === fold(name)) return info
  }
  return undefined
}

function pseudoText(name: string, source: SourceInfo | undefined): string {
  if (name === 'split')
    return `pseudo-column: the split that the row is in${source && source.splits.length > 0 ? ` (${source.splits.join(', ')})` : ''}`
  return name === 'key' ? "pseudo-column: the row's key as text" : 'pseudo-column: the position of the row in its file, from 0'
}

const ownFunctions: Readonly<Record<string, readonly [string, string]>> = {
  predict: ['predict(column [, model])', 'The class or value that a model gives for its target.'],
  score: ['score(column, class [, model])', 'The probability that a model gives to a class.'],
  ask: ['ask(oracle, column)', 'The answer of an oracle; each costs.'],
  agree: ['agree(x)', 'Whether all rows of a group have the same value.'],
  transitions: ['transitions(x)', 'How often the value changes from one row to the next.'],
  gap: ['gap(x)', 'The longest stretch without a value between two that have one.'],
  blips: ['blips(x [, within: duration])', 'How often a value appears or vanishes for a moment.'],
}

/** A word of the language: what it says, and what follows it. */
function keywordHover(snapshot: Snapshot, offset: number): Hover | undefined {
  const decl = snapshot.ast.declarations.find((one) => one.start <= offset && offset <= one.end)
  if (decl === undefined) return undefined
  const inside = (span: ast.Span) => span.start <= offset && offset <= span.end
  const show = (span: ast.Span, syntax: string, says: string): Hover => ({
    contents: { kind: 'markdown', value: [code(syntax), says].join('\n\n') },
    range: rangeOf(snapshot, span),
  })
  if (inside(decl.keyword)) {
    const word = declarationWord(decl.kind)
    return word && show(decl.keyword, `${word.word} ${word.header}`, word.says)
  }
  const clause = (decl.clauses as readonly ast.AnyClause[]).find((one) => inside(one.keyword))
  const word = clause && clausesOf(decl.kind).get(clause.word)
  return clause && word && show(clause.keyword, `${word.word} ${word.syntax}`, word.says)
}

/** A fence longer than any run of backticks inside, so that nothing in the text ends it. */
function code(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const shown = text.split('\n').map((line) => inert(line, 400))
  return `${fence}assay\n${shown.join('\n')}\n${fence}`
}

function cut(text: string): string {
  const lines = text.split(/\r\n|\r|\n/)
  const shown = lines.length > 20 ? [...lines.slice(0, 18), '  …'] : lines
  return shown.map((line) => inert(line, 200)).join('\n')
}

/** Text that Markdown takes as it is: no markup, no links, no images. */
export function markdownInert(text: string): string {
  const lines = text.split('\n').map((line) => inert(line, 500).replace(/[\\*_{}[\]<>#|!~]/g, '\\$&'))
  return lines.join('  \n')
}
