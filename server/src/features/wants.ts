import type { DeclarationKind } from '../../../grammar/src/ast.ts'
import type { Token } from '../../../grammar/src/lexer.ts'
import {
  type OptionWord,
  readerOptions,
  type SettingGroup,
  settingOf,
  trainOptions,
  treeOptions,
} from '../../../grammar/src/setting-table.ts'
import { Comma, Text } from '../../../grammar/src/vocabulary.ts'
import { type Enclosing, enclosing, type InClause, isOperator, isWordToken, lower } from './place.ts'

/** What may stand at a place in a clause or a header. */
export type Want =
  | { readonly kind: 'columns' | 'splits' | 'suspects' | 'outputs' | 'functions' }
  /** An operand over the rows of the declaration's source, over a query's tables, or over a result. */
  | { readonly kind: 'operand'; readonly of: 'rows' | 'query' | 'result' | 'words' }
  | { readonly kind: 'declarations'; readonly kinds: readonly DeclarationKind[] }
  | { readonly kind: 'settings'; readonly group: SettingGroup }
  | { readonly kind: 'options'; readonly options: readonly OptionWord[]; readonly used: readonly string[] }
  | { readonly kind: 'values'; readonly option: OptionWord }
  | { readonly kind: 'words'; readonly words: readonly string[] }

const words = (...some: string[]): Want => ({ kind: 'words', words: some })
const declarations = (...kinds: DeclarationKind[]): Want => ({ kind: 'declarations', kinds })
const columns: Want = { kind: 'columns' }
const splits: Want = { kind: 'splits' }
const settings = (group: SettingGroup): Want => ({ kind: 'settings', group })

/** What may follow in a header, behind the name of its declaration. */
export function wantsInHeader(decl: DeclarationKind | 'import', before: readonly Token[]): readonly Want[] {
  const last = lower(before.at(-1))
  if (decl === 'import') return last === '}' ? [words('from')] : []
  if (before.length === 0) return []
  const listed = before.at(-1)?.tokenType === Comma
  const clause = before.map(lower).findLast((word, i) => i > 0 && ['on', 'using', 'against', 'for', 'where'].includes(word))
  if (clause === 'where') return expression(before.slice(before.map(lower).lastIndexOf('where') + 1), 'rows')
  if (last === 'on') return [declarations('source')]
  if (last === 'using' || last === 'against' || last === 'for' || (listed && clause === 'using')) return [declarations('model')]
  const follows: Readonly<Record<string, readonly string[]>> = {
    oracle: ['on'],
    model: ['on'],
    partition: ['on'],
    acquire: ['for'],
    cycle: ['for'],
  }
  const all: Readonly<Record<string, readonly string[]>> = {
    ...follows,
    slice: ['on', 'where'],
    discover: ['on', 'using', 'against'],
    assert: ['on', 'using'],
    review: ['on', 'using'],
    complaint: ['using'],
    find: ['on', 'using'],
    estimate: ['on', 'using'],
  }
  const seen = before.map(lower)
  const next = (all[decl] ?? []).find((word) => !seen.includes(word))
  return next === undefined ? [] : [words(next)]
}

/** What may stand behind `before` in a clause; several where the grammar leaves the choice. */
export function wantsIn({ decl, word, before }: Pick<InClause, 'decl' | 'word' | 'before'>): readonly Want[] {
  const bracket = enclosing(before)
  const last = lower(before.at(-1))
  const first = before.length === 0
  const listed = first || before.at(-1)?.tokenType === Comma
  const inOptions = bracket && optionsIn(decl, word, before, bracket)
  if (inOptions) return inOptions
  switch (`${decl} ${word}`) {
    case 'source from':
      if (lower(before[0]) === '(') return query(before)
      if (first) return [settings('reader'), words("''", '(select )')]
      return before.at(-1)?.tokenType === Text && before.length === 1 ? [words('with')] : []
    case 'source order':
      return first ? [words('by')] : [...expression(before.slice(1), 'rows'), words('asc', 'desc')]
    case 'source names':
      return [words('as_is', 'snake')]
    case 'source split': {
      if (bracket) return [columns]
      const seen = before.map(lower)
      const where = seen.lastIndexOf('where')
      if (where > seen.lastIndexOf(',')) return expression(before.slice(where + 1), 'rows')
      return listed ? [] : last === 'by' ? [words('hash')] : [words('where', 'by', 'seed')]
    }
    case 'source key':
    case 'source label':
    case 'model predict':
    case 'model from':
    case 'oracle ask':
      return listed ? [columns] : []
    case 'oracle from':
      return first ? [words('column')] : last === 'column' ? [columns] : []
    case 'oracle cost':
    case 'acquire cost':
      if (first && decl === 'acquire') return [declarations('slice', 'partition')]
      return last === 'per' ? [words('row')] : before.length > 0 ? [words('per')] : []
    case 'model kind':
      return first ? [settings('model kind')] : []
    case 'model train':
    case 'model validate':
      return first ? [words('on')] : last === 'on' ? [splits] : word === 'train' && before.length === 2 ? [words('with')] : []
    case 'partition by':
    case 'discover over':
      return listed ? [columns] : [words('bins')]
    case 'partition minimum':
    case 'acquire minimum':
      return first ? [] : [words('rows')]
    case 'discover support':
      return first ? [words('>=')] : []
    case 'discover control':
      return first ? [words('fdr')] : []
    case 'assert each':
      return each(before, last, listed)
    case 'assert level':
      return [words('error', 'warning', 'info')]
    case 'assert warn':
    case 'assert fail':
      return first ? [words('above')] : []
    case 'assert correct':
      return first ? [words('with')] : last === 'with' ? [settings('correct')] : []
    case 'assert learn':
      if (first) return [words('likelihood', 'unlikelihood')]
      if (bracket) return expression(before.slice(bracket.at + 1), 'rows')
      return last === 'on' ? [declarations('source')] : last === 'given' ? [columns] : last === ')' ? [words('given', 'on')] : []
    case 'review flagged':
      return first ? [words('by')] : listed || last === 'by' ? [declarations('assert')] : []
    case 'review strategy':
      return first ? [settings('review strategy')] : []
    case 'review ask':
      return [declarations('oracle')]
    case 'complaint query':
      return query(before)
    case 'complaint expect':
      return expectation(before, last)
    case 'complaint blame':
      return suspects(before, last)
    case 'complaint explain':
      return first
        ? [words('by')]
        : last === 'by'
          ? [words('slices')]
          : last === 'slices'
            ? [words('over')]
            : last === 'over' || listed
              ? [columns]
              : [words('bins')]
    case 'complaint method':
    case 'find method':
    case 'estimate method':
      return first ? [settings(`${decl as 'complaint' | 'find' | 'estimate'} method`)] : []
    case 'intervene for':
      return [declarations('complaint')]
    case 'intervene retrain':
      return listed ? [declarations('model')] : []
    case 'intervene compare':
      if (last === 'on') return [declarations('source')]
      return listed ? [declarations('complaint'), words('accuracy', 'loss', 'rmse', 'auc')] : [words('on')]
    case 'intervene remove':
      return first ? [words('top', 'where')] : lower(before[0]) === 'where' ? expression(before.slice(1), 'rows') : suspects(before, last)
    case 'intervene relabel':
    case 'intervene denoise':
    case 'intervene replace':
      return first ? [words('top')] : suspects(before, last)
    case 'intervene set': {
      if (first) return [columns]
      const on = before.map(lower).lastIndexOf('on')
      return on > 0 ? suspects(before.slice(on + 1), last) : [...expression(before.slice(2), 'rows'), words('where', 'on')]
    }
    case 'acquire slices':
      return listed ? [declarations('slice', 'partition', 'discover')] : []
    case 'acquire want':
      return first ? [declarations('slice', 'partition')] : before.length > 1 ? [words('rows')] : []
    case 'acquire from':
      return supply(before, last)
    case 'acquire minimize':
      return first ? [words('loss')] : last === '*' ? [words('unfairness')] : [words('+')]
    case 'acquire strategy':
      return first ? [settings('acquire strategy')] : []
    case 'acquire curve':
    case 'acquire sampling':
      return first ? [settings(word as 'curve' | 'sampling')] : []
    case 'acquire stop':
    case 'cycle stop':
      return first ? [words('when')] : expression(before.slice(1), 'words')
    case 'cycle discover':
      return [declarations('discover')]
    case 'cycle acquire':
      return [declarations('acquire')]
    case 'find budget':
    case 'estimate budget':
    case 'review budget':
      return first ? [] : [words('labels')]
    default:
      if (/^(recall|precision|error)$/.test(word) && decl !== 'discover') return promise(word, before, last)
      if (/^(require|severity|error|where|proxy|value)$/.test(word)) return expression(before, 'rows')
      return []
  }
}

function optionsIn(decl: DeclarationKind, word: string, before: readonly Token[], bracket: Enclosing): readonly Want[] | undefined {
  const table = optionTable(decl, word, before, bracket)
  if (table === undefined) return undefined
  const value = bracket.label === undefined ? undefined : table.find((one) => one.name === bracket.label)
  if (value) return /^(columns?|embedding)$/.test(value.type) ? [columns] : [{ kind: 'values', option: value }]
  const open: Want = { kind: 'options', options: table, used: bracket.labels }
  const positional = table.filter((one) => one.positional)[bracket.argument]
  return positional?.type === 'column' ? [columns, open] : [open]
}

/** The options of what a bracket belongs to, where it belongs to a setting and not to an expression. */
export function optionTable(
  decl: DeclarationKind,
  word: string,
  before: readonly Token[],
  bracket: Enclosing,
): readonly OptionWord[] | undefined {
  const callee = lower(bracket.callee)
  if (bracket.open.image !== '(') return undefined
  if (callee === 'with' && word === 'train') return trainOptions
  if (callee === 'with' && word === 'from' && decl === 'source') return readerOptions
  if (word === 'tree' && bracket.at === 0) return treeOptions
  const group = groupOf(decl, word, before)
  return group && settingOf(group, callee)?.options
}

/** The group that a setting in a clause is of. */
export function groupOf(decl: DeclarationKind, word: string, before: readonly Token[]): SettingGroup | undefined {
  if (decl === 'source' && word === 'from') return 'reader'
  if (word === 'kind') return 'model kind'
  if (word === 'method') return `${decl as 'complaint' | 'find' | 'estimate'} method`
  if (word === 'strategy') return decl === 'review' ? 'review strategy' : 'acquire strategy'
  if (word === 'curve' || word === 'sampling' || word === 'correct') return word
  if (word === 'denoise') return before.some((token) => lower(token) === 'with') ? 'denoise' : 'treatment'
  if (/^(blame|remove|relabel|replace|set)$/.test(word)) return 'treatment'
  return undefined
}

/** Where an operand may stand, that; behind an operand, what joins it to the next. */
function expression(before: readonly Token[], of: 'rows' | 'query' | 'result' | 'words'): readonly Want[] {
  const last = before.at(-1)
  const open =
    last === undefined ||
    isOperator(last) ||
    /^[([,]$|^(where|on|having|by|when|then|else|case|and|or|not|in|distinct|select)$/i.test(last.image)
  if (open) return [{ kind: 'operand', of }]
  if (last.image === '.') return [{ kind: 'operand', of }]
  const more = ['and', 'or', 'not', 'in', 'between', 'like', 'is null', 'is not null']
  if (before.some((token) => lower(token) === 'case')) more.push('when', 'then', 'else', 'end')
  return isWordToken(last) || /^[)\]]$|^['"\d]/.test(last.image) ? [words(...more)] : []
}

function query(before: readonly Token[]): readonly Want[] {
  const last = lower(before.at(-1))
  if (before.length === 0) return [words('select')]
  if (last === '(' && before.length === 1) return [words('select')]
  if (last === 'from' || last === 'join') return [declarations('source')]
  if (last === 'as') return []
  const seen = before.map(lower)
  const from = seen.lastIndexOf('from')
  const open = expression(before, 'query')
  if (open.some((one) => one.kind === 'operand')) return open
  if (from < seen.lastIndexOf('select')) return [words('from', 'as'), ...open]
  const more = ['where', 'group by', 'having', 'order by', 'limit', 'join', 'left join', 'on', 'as']
  return [words(...more), ...(seen.some((one) => one === 'where' || one === 'on' || one === 'having') ? open : [])]
}

function each(before: readonly Token[], last: string, listed: boolean): readonly Want[] {
  const scope = lower(before[0])
  if (before.length === 0) return [words('row', 'table', 'group by', 'window of', 'track by')]
  if (scope === 'group') return last === 'group' ? [words('by')] : expression(before.slice(2), 'rows')
  if (last === 'window') return [words('of')]
  if (last === 'by' && scope === 'track' && before.length === 2) return [columns, settings('track')]
  if (last === 'by' || (listed && before.some((token) => lower(token) === 'by'))) return [columns]
  if (scope === 'window') return [words('rows', 'step', 'by', 'order by')]
  return scope === 'track' ? [words('order by')] : []
}

function expectation(before: readonly Token[], last: string): readonly Want[] {
  const result: Want = { kind: 'operand', of: 'result' }
  if (before.length === 0) return [{ kind: 'outputs' }, words('no row where', 'row where', 'lower', 'higher')]
  if (last === 'lower' || last === 'higher') return [{ kind: 'outputs' }]
  if (last === 'no') return [words('row')]
  if (last === 'row') return [words('where')]
  const open = expression(before, 'result')
  return open.some((one) => one.kind === 'operand') ? [result] : [...open, words('where')]
}

/** `top 25 rows of train by influence of relabel(to: 1)`. */
function suspects(before: readonly Token[], last: string): readonly Want[] {
  if (before.length === 0) return [words('top')]
  if (last === 'of') return before.some((token) => lower(token) === 'by') ? [settings('treatment')] : [{ kind: 'suspects' }]
  if (last === 'by') return [words('influence', 'loss', 'confidence', 'self_influence', 'random')]
  if (last === 'influence') return [words('of')]
  if (last === 'with') return [declarations('source'), settings('denoise')]
  if (last === 'rows') return [words('of')]
  if (before.length === 2) return [words('rows')]
  return before.length === 5 ? [words('by', 'to', 'with')] : []
}

function supply(before: readonly Token[], last: string): readonly Want[] {
  if (before.length === 0) return [declarations('source')]
  const where = before.findIndex((token) => lower(token) === 'where')
  if (where >= 0) return expression(before.slice(where + 1), 'rows')
  if (last === 'per') return [words('row', 'draw')]
  if (last === 'row' || last === 'draw') return [words('limit', 'where')]
  if (/^\d/.test(last)) return before.some((token) => lower(token) === 'limit') ? [words('rows')] : [words('per')]
  return last === 'rows' ? [words('where')] : last === 'cost' || last === 'limit' ? [] : [words('cost')]
}

function promise(word: string, before: readonly Token[], last: string): readonly Want[] {
  if (before.length === 0) return [words(word === 'error' ? '<=' : '>=')]
  return last === 'with' ? [words('confidence')] : before.length === 2 ? [words('with')] : []
}
