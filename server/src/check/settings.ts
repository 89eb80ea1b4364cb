import type * as ast from '../../../grammar/src/ast.ts'
import { nearest } from '../../../grammar/src/nearest.ts'
import { type OptionType, type OptionWord, type SettingGroup, settingOf, settings } from '../../../grammar/src/setting-table.ts'
import { repeated } from './names.ts'
import { report, type Site } from './scope.ts'

/** Options that have been found right, each by its name; where one was not given, `number` and `word` fall back to the table's default. */
export interface CheckedOptions {
  readonly values: ReadonlyMap<string, ast.Value>
  number(name: string): number | undefined
  text(name: string): string | undefined
}
export interface CheckedSetting extends CheckedOptions {
  readonly name: string
}

/** A setting of a group, `mlp(hidden: [64])`: its name, its options, their types and ranges. */
export function checkSetting(setting: ast.Setting, group: SettingGroup, site: Site): CheckedSetting | undefined {
  const word = settingOf(group, setting.name.text)
  if (word === undefined) {
    const known = settings[group].map((one) => one.name)
    report(site, 'unknown-setting', setting.name, {
      name: setting.name.text,
      group: GROUPS[group],
      nearest: nearest(setting.name.text, known),
      known,
    })
    return undefined
  }
  return { name: word.name, ...checkOptions(setting.args, setting, word.options, word.name, site, word.rest) }
}

const GROUPS: Readonly<Record<SettingGroup, string>> = {
  reader: 'reader',
  'model kind': 'kind of model',
  'complaint method': 'method of complaints',
  treatment: 'treatment of rows',
  'acquire strategy': 'strategy of acquisition',
  curve: 'kind of curve',
  sampling: 'way of sampling',
  'review strategy': 'strategy of review',
  correct: 'correction',
  denoise: 'filter',
  track: 'way to follow a track',
  'find method': 'method of find',
  'estimate method': 'method of estimate',
}

export function checkOptions(
  args: readonly ast.ValueArg[],
  at: ast.Span,
  words: readonly OptionWord[],
  of: string,
  site: Site,
  rest?: OptionType,
): CheckedOptions {
  const values = new Map<string, ast.Value>()
  const positional = words.filter((word) => word.positional)
  let position = 0
  for (const arg of args) {
    if (arg.label === undefined) {
      const word = positional[position++]
      if (word) checkOption(arg, word, values, site)
      else if (rest === undefined) {
        report(site, 'too-many-values', arg, { of, most: positional.length })
        break
      } else if (rest === 'column' && !isName(arg.value)) report(site, 'wrong-option', arg, { option: of, wanted: WANTED.column })
      continue
    }
    const name = arg.label.text.toLowerCase()
    const word = words.find((one) => one.name === name)
    if (word) checkOption(arg, word, values, site)
    else if (rest === undefined || rest === 'column') {
      const known = words.map((one) => one.name)
      report(site, 'unknown-option', arg.label, { option: arg.label.text, of, nearest: nearest(name, known), known })
    }
  }
  const labelled = args.filter((arg) => arg.label !== undefined)
  for (const { again } of repeated(labelled, (arg) => arg.label!.text))
    report(site, 'repeated-option', again, { option: again.label!.text })
  for (const word of words) {
    const given = values.has(word.name) || args.some((arg) => arg.label?.text.toLowerCase() === word.name)
    if (word.required && !given && !(word.positional && position > 0)) report(site, 'missing-option', at, { option: word.name, of })
  }
  const fallback = (name: string) => words.find((one) => one.name === name)?.default
  return {
    values,
    number: (name) => {
      const value = values.get(name)
      if (value) return value.kind === 'number' ? value.value : undefined
      const text = fallback(name)
      return text !== undefined && /^[\d.]+$/.test(text) ? Number(text) : undefined
    },
    text: (name) => {
      const value = values.get(name)
      if (value === undefined) return fallback(name)
      return value.kind === 'string' ? value.value : value.kind === 'setting' ? value.name.text : undefined
    },
  }
}

function checkOption(arg: ast.ValueArg, word: OptionWord, values: Map<string, ast.Value>, site: Site): void {
  const { value } = arg
  const fits = isWord(value, word.words) || FITS[word.type](value) || (word.name === 'nullstr' && isList(value, isText))
  if (!fits) {
    report(site, 'wrong-option', value, { option: word.name, wanted: wantedText(word) })
    return
  }
  const range = RANGES[word.name]
  if (range && !inRange(value, range.holds)) {
    report(site, 'out-of-range', value, { what: `\`${word.name}\``, wanted: range.wanted })
    return
  }
  values.set(word.name, value)
}

const isWord = (value: ast.Value, words: readonly string[] | undefined): boolean =>
  words !== undefined && isName(value) && words.includes(value.name.text.toLowerCase())
export const isName = (value: ast.Value): value is ast.Setting => value.kind === 'setting' && !value.called
const isText = (value: ast.Value): boolean => value.kind === 'string'
const isWhole = (value: ast.Value): boolean => value.kind === 'number' && Number.isInteger(value.value)
const isList = (value: ast.Value, of: (item: ast.Value) => boolean): boolean =>
  value.kind === 'values' && value.items.length > 0 && value.items.every((item) => of(item.value))

const FITS: Readonly<Record<OptionType, (value: ast.Value) => boolean>> = {
  number: (value) => value.kind === 'number',
  integer: isWhole,
  text: isText,
  column: isName,
  columns: (value) => isList(value, isName),
  embedding: (value) => value.kind === 'setting' && (!value.called || value.name.text.toLowerCase() === 'onnx'),
  source: isName,
  value: (value) => value.kind !== 'setting' && value.kind !== 'values',
  values: (value) => isList(value, (item) => isName(item) || ['string', 'number', 'boolean'].includes(item.kind)),
  integers: (value) => isWhole(value) || isList(value, isWhole),
  duration: (value) => value.kind === 'duration',
  boolean: (value) => value.kind === 'boolean',
  word: () => false,
  struct: (value) => value.kind === 'values' && value.items.every((item) => item.label !== undefined),
}

const WANTED: Readonly<Record<OptionType, string>> = {
  number: 'a number',
  integer: 'a whole number',
  text: 'text in single quotes',
  column: 'the name of a column',
  columns: 'a list of columns, as `[a, b]`',
  embedding: "the name of a column, or `onnx('file')`",
  source: 'the name of a source',
  value: 'a literal',
  values: "a list of values, as `['cat', 'dog']`",
  integers: 'a list of whole numbers, as `[64]`',
  duration: 'a duration, as `5 s`',
  boolean: '`true` or `false`',
  word: 'a word',
  struct: 'a list with names, as `[price: DOUBLE]`',
}

function wantedText(word: OptionWord): string {
  const words = word.words?.map((one) => `\`${one}\``).join(', ')
  if (word.type === 'word') return `one of ${words}`
  return words ? `${WANTED[word.type]} or ${words}` : WANTED[word.type]
}

interface Range {
  readonly wanted: string
  holds(value: number): boolean
}
const atLeast = (least: number): Range => ({ wanted: `${least} or more`, holds: (value) => value >= least })
const RANGES: Readonly<Record<string, Range>> = {
  l2: atLeast(0),
  hidden: atLeast(1),
  epochs: atLeast(1),
  batch: atLeast(1),
  seed: { wanted: 'between 0 and 4294967295', holds: (value) => value >= 0 && value < 2 ** 32 },
  patience: atLeast(1),
  folds: atLeast(2),
  k: atLeast(1),
  iterations: atLeast(1),
  damping: atLeast(0),
  size: { wanted: 'an odd number from 3 on', holds: (value) => value >= 3 && value % 2 === 1 },
  step: { wanted: 'above 0', holds: (value) => value > 0 },
  factor: { wanted: 'above 1', holds: (value) => value > 1 },
  points: atLeast(3),
  repeats: atLeast(1),
  threshold: { wanted: 'above 0 and at most 1', holds: (value) => value > 0 && value <= 1 },
  skip: atLeast(0),
  sample_size: { wanted: 'a number of rows, or -1 for all', holds: (value) => value === -1 || value >= 1 },
}

function inRange(value: ast.Value, holds: (value: number) => boolean): boolean {
  if (value.kind === 'number') return holds(value.value)
  return value.kind !== 'values' || value.items.every((item) => inRange(item.value, holds))
}

/** The literal of an option, for values that go into data. */
export function literalValue(value: ast.Value | undefined): string | number | boolean | undefined {
  if (value === undefined || value.kind === 'null' || value.kind === 'setting' || value.kind === 'values') return undefined
  return value.value
}
