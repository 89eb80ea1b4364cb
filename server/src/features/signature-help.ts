import type { SignatureHelp } from 'vscode-languageserver'
import type { Token } from '../../../grammar/src/lexer.ts'
import { settingOf } from '../../../grammar/src/setting-table.ts'
import { functionNamed } from '../check/function-signatures.ts'
import type { Position } from '../workspace/documents.ts'
import { offsetOf, type Snapshot } from '../workspace/snapshot.ts'
import { type Enclosing, enclosing, isWordToken, lower, placeAt } from './place.ts'
import { optionText, type SignatureText, signaturesOf } from './signatures.ts'
import { groupOf, optionTable } from './wants.ts'

/** The function, setting or list of options whose brackets the position is in. */
export function signatureHelp(snapshot: Snapshot, at: Position): SignatureHelp | undefined {
  const offset = offsetOf(snapshot, at)
  const place = placeAt(snapshot, offset)
  const before =
    place.kind === 'header'
      ? place.before
      : place.kind === 'clause'
        ? place.before
        : place.kind === 'clauses'
          ? place.clause?.before
          : undefined
  const bracket = before && enclosing(before)
  if (before === undefined || bracket === undefined || bracket.open.image !== '(') return undefined
  if (place.kind === 'clause' || place.kind === 'clauses') {
    const clause = place.kind === 'clause' ? place : place.clause
    const help = clause && ofSetting(clause.decl, clause.word, before, bracket)
    if (help) return help
  }
  return bracket.callee && isWordToken(bracket.callee) ? ofFunction(lower(bracket.callee), bracket) : undefined
}

type InClauseArgs = Parameters<typeof optionTable>

function ofSetting(decl: InClauseArgs[0], word: string, before: readonly Token[], bracket: Enclosing): SignatureHelp | undefined {
  const options = optionTable(decl, word, before, bracket)
  if (options === undefined || options.length === 0) return undefined
  const name = lower(bracket.callee) || word
  const group = groupOf(decl, word, before)
  const says = group && settingOf(group, name)?.says
  const texts = options.map(optionText)
  const named = options.findIndex((one) => one.name === bracket.label)
  return help(
    [{ label: `${name}(${texts.join(', ')})`, parameters: texts }],
    named >= 0 ? named : bracket.argument,
    says,
    options.map((one) => one.says),
  )
}

function ofFunction(name: string, bracket: Enclosing): SignatureHelp | undefined {
  const own = ownSignatures[name]
  if (own) return help([own], bracket.argument, undefined)
  const known = functionNamed(name)
  if (known === undefined) return undefined
  const all = signaturesOf(known)
  const fits = all.findIndex((one) => one.parameters.length > bracket.argument || one.parameters.at(-1)?.endsWith('…'))
  return { ...help(all, bracket.argument, undefined), activeSignature: Math.max(fits, 0) }
}

const ownSignatures: Readonly<Record<string, SignatureText>> = {
  predict: { label: 'predict(column, model)', parameters: ['column', 'model'] },
  score: { label: 'score(column, class, model)', parameters: ['column', 'class', 'model'] },
  ask: { label: 'ask(oracle, column)', parameters: ['oracle', 'column'] },
}

function help(
  signatures: readonly SignatureText[],
  argument: number,
  says: string | undefined,
  about: readonly (string | undefined)[] = [],
): SignatureHelp {
  return {
    signatures: signatures.map(({ label, parameters }) => {
      // As offsets: the same word may stand in the label twice.
      let from = label.indexOf('(') + 1
      const marked = parameters.map((text, i) => {
        const start = label.indexOf(text, from)
        from = start + text.length
        return { label: [start, from] as [number, number], documentation: about[i] }
      })
      const last = parameters.length - 1
      return { label, documentation: says, parameters: marked, activeParameter: Math.max(0, Math.min(argument, last)) }
    }),
    activeSignature: 0,
    activeParameter: argument,
  }
}
