import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import type { ExprScope } from './expression-scope.ts'
import { type FunctionWord, functionNamed, functionNames, refusal, type Signature } from './function-signatures.ts'
import { typeOfAsk, typeOfPredict, typeOfScore } from './model-calls.ts'
import { report } from './scope.ts'
import {
  articled,
  BIGINT,
  BLOB,
  BOOLEAN,
  DATE,
  DOUBLE,
  INTERVAL,
  isTime,
  isWhole,
  LIST,
  literalFits,
  STRUCT,
  TEXT,
  TIMESTAMP,
  type Typed,
  UNKNOWN,
  unify,
} from './types.ts'

type TypeOf = (expr: ast.Expr, scope: ExprScope, within?: string) => Typed

/** A call: one of the language's own (predict, score, ask, the assertion aggregates) or a function of the database. */
export function typeOfCall(expr: ast.Call, scope: ExprScope, within: string | undefined, typeOf: TypeOf): Typed {
  const name = expr.callee.text.toLowerCase()
  switch (name) {
    case 'predict':
      return typeOfPredict(expr, scope)
    case 'score':
      return typeOfScore(expr, scope, typeOf)
    case 'ask':
      return typeOfAsk(expr, scope)
    case 'agree':
    case 'transitions':
    case 'gap':
    case 'blips':
      return typeOfAssertionAggregate(expr, name, scope, within, typeOf)
  }
  const found = functionNamed(name)
  if (found === undefined) {
    for (const { value } of expr.args) if (value.kind !== 'star') typeOf(value, scope, within)
    const why = refusal(name)
    if (why) report(scope.site, 'refused-function', expr.callee, { name, why })
    else
      report(scope.site, 'unknown-function', expr.callee, {
        name,
        nearest: nearest(name, [...functionNames(), 'predict', 'score', 'agree']),
      })
    return UNKNOWN
  }
  scope.site.meanings.set(expr, { kind: 'function', name, aggregate: found.aggregate })
  if (found.aggregate) checkAggregate(expr, name, scope, within)
  else if (expr.distinct) report(scope.site, 'distinct-scalar', expr.callee, { name })
  for (const { label } of expr.args) if (label) report(scope.site, 'label-not-allowed', label, { name, label: label.text })
  return typeOfFunction(expr, found, scope, found.aggregate ? name : within, typeOf)
}

function checkAggregate(expr: ast.Call, name: string, scope: ExprScope, within: string | undefined): void {
  if (within !== undefined) report(scope.site, 'nested-aggregate', expr, { name, outer: within })
  else if (scope.noAggregates !== undefined) report(scope.site, 'misplaced-aggregate', expr, { name, where: scope.noAggregates })
}

function typeOfAssertionAggregate(expr: ast.Call, name: string, scope: ExprScope, within: string | undefined, typeOf: TypeOf): Typed {
  const { site } = scope
  if (!scope.assertion || scope.noAggregates !== undefined) report(site, 'assertion-aggregate-elsewhere', expr.callee, { name })
  else if (within !== undefined) report(site, 'nested-aggregate', expr, { name, outer: within })
  else if (name !== 'agree' && !scope.ordered)
    report(site, 'needs-order', expr.callee, { name, source: scope.tables[0]?.source.name ?? '' })
  else site.meanings.set(expr, { kind: 'assertion_aggregate', name })
  const plain = expr.args.filter((argument) => argument.label === undefined)
  if (plain.length !== 1) report(site, 'wrong-argument-count', expr, { name, wanted: 'one argument', given: plain.length })
  for (const { label, value } of expr.args) {
    const typed = typeOf(value, scope, name)
    if (label === undefined) {
      if (name === 'gap' && typed.type !== 'number' && !isTime(typed.type) && typed.type !== 'unknown') {
        report(site, 'wrong-argument', value, { name, position: 0, wanted: 'a number or a time', type: typed.type })
      }
    } else if (name !== 'blips' || label.text.toLowerCase() !== 'within') {
      report(site, 'label-not-allowed', label, { name, label: label.text })
    } else if (typed.type !== 'duration' && typed.type !== 'number') {
      report(site, 'wrong-argument', value, { name, position: 1, wanted: 'a duration, as `within: 5 s`', type: typed.type })
    }
  }
  if (name === 'agree') return BOOLEAN
  if (name !== 'gap') return BIGINT
  const type = plain[0] && site.types.get(plain[0].value)
  return type !== undefined && isTime(type) ? INTERVAL : DOUBLE
}

function typeOfFunction(expr: ast.Call, called: FunctionWord, scope: ExprScope, within: string | undefined, typeOf: TypeOf): Typed {
  const { name } = called
  const values = expr.args.map((argument) => argument.value)
  if (values.length === 1 && values[0]?.kind === 'star') {
    if (name === 'count') return BIGINT
    report(scope.site, 'misplaced-star', values[0], {})
    return UNKNOWN
  }
  const parts = values.map((node) => ({ node, typed: typeOf(node, scope, within) }))
  const given = parts.length
  const counted = called.signatures.filter((signature) => takes(signature, given))
  if (counted.length === 0) {
    report(scope.site, 'wrong-argument-count', expr, { name, wanted: countText(called.signatures), given })
    return UNKNOWN
  }
  const fitting = counted.filter((signature) => parts.every((part, i) => fits(letterAt(signature, i), part.typed, part.node)))
  const best = fitting.find((signature) => parts.every((part, i) => exactly(letterAt(signature, i), part.typed))) ?? fitting[0]
  if (best === undefined) {
    reportArguments(name, counted, parts, scope)
    return UNKNOWN
  }
  const parts2 = MIXING.has(name) ? parts.slice(name === 'if' ? 1 : 0) : undefined
  if (parts2) {
    const common = unify(parts2)
    if (common === undefined)
      report(scope.site, 'mixed-types', expr, { what: `\`${name}\``, types: [...new Set(parts2.map((p) => p.typed.type))] })
    return common ?? UNKNOWN
  }
  if (best.returns === 'A') {
    const at = parts.findIndex((_, i) => letterAt(best, i) === 'A')
    return parts[at]?.typed ?? UNKNOWN
  }
  if (parts.some((part) => part.typed.type === 'unknown') && new Set(fitting.map((f) => f.returns)).size > 1) return UNKNOWN
  return RETURNS[best.returns] ?? UNKNOWN
}

const MIXING: ReadonlySet<string> = new Set(['coalesce', 'ifnull', 'if', 'greatest', 'least'])

/** What may be repeated is there at least once. */
function takes({ parameters, rest }: Signature, given: number): boolean {
  return rest === undefined ? given === parameters.length : given >= Math.max(1, parameters.length)
}
const letterAt = (signature: Signature, i: number): string => signature.parameters[i] ?? signature.rest ?? 'A'

const RETURNS: Readonly<Record<string, Typed>> = {
  I: BIGINT,
  N: DOUBLE,
  T: TEXT,
  B: BOOLEAN,
  D: DATE,
  S: TIMESTAMP,
  V: INTERVAL,
  Y: BLOB,
  L: LIST,
  U: STRUCT,
}
const LETTERS: Readonly<Record<string, string>> = {
  number: 'N',
  text: 'T',
  boolean: 'B',
  date: 'D',
  timestamp: 'S',
  duration: 'V',
  blob: 'Y',
  image: 'Y',
  list: 'L',
  struct: 'U',
}

function exactly(letter: string, typed: Typed): boolean {
  if (letter === 'I') return isWhole(typed)
  if (letter === 'N') return typed.type === 'number' && !isWhole(typed)
  return letter === LETTERS[typed.type]
}

/** Lenient where DuckDB casts by itself: whole numbers and fractions, dates and timestamps, text literals that are dates. */
function fits(letter: string, typed: Typed, node: ast.Expr): boolean {
  if (letter === 'A' || typed.type === 'unknown') return true
  const own = LETTERS[typed.type]
  if (letter === own) return true
  if (letter === 'I') return typed.type === 'number'
  if (letter === 'S' || letter === 'D') return isTime(typed.type) ? letter === 'S' : literalFits('date', node)
  return letter === 'Y' && node.kind === 'string'
}

function reportArguments(
  name: string,
  signatures: readonly Signature[],
  parts: readonly { readonly node: ast.Expr; readonly typed: Typed }[],
  scope: ExprScope,
): void {
  const bad = parts.findIndex((part, i) => !signatures.some((signature) => fits(letterAt(signature, i), part.typed, part.node)))
  const position = Math.max(0, bad)
  const part = parts[position]!
  const letters = new Set(signatures.map((signature) => letterAt(signature, position)))
  const wanted = [...new Set([...letters].map((letter) => WANTED[letter] ?? 'another type'))].join(' or ')
  report(scope.site, 'wrong-argument', part.node, { name, position, wanted, type: part.typed.type })
}

const WANTED: Readonly<Record<string, string>> = {
  I: articled('number'),
  N: articled('number'),
  T: articled('text'),
  B: articled('boolean'),
  D: articled('date'),
  S: articled('timestamp'),
  V: articled('duration'),
  Y: articled('blob'),
  L: articled('list'),
  U: articled('struct'),
}

function countText(signatures: readonly Signature[]): string {
  const counts = [...new Set(signatures.map((signature) => signature.parameters.length))].sort((a, b) => a - b)
  const open = signatures.some((signature) => signature.rest !== undefined)
  if (open) return `${words(counts[0] ?? 0)} or more`
  return counts.length === 1 ? words(counts[0]!) : `${counts.slice(0, -1).join(', ')} or ${counts.at(-1)} arguments`
}
const words = (count: number): string => (count === 0 ? 'no argument' : count === 1 ? 'one argument' : `${count} arguments`)
