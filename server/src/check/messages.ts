import type { Problem, Severity, Span } from '../../../grammar/src/ast.ts'
import type { ColumnType } from '../sql/tree.ts'
import { articled } from './types.ts'

/**
 * Every sentence about the meaning of a spec: a code maps to what its sentence needs to say. What is wrong, where, and what to do about it.
 * Sentences about syntax are grammar's, about data the data layer's, about results `report/wording.ts`'s.
 */
export interface ProblemData {
  // names and files
  'duplicate-name': { name: string; kind: string }
  'reserved-word': { name: string }
  'unknown-name': { name: string; wanted: readonly string[]; nearest?: string; known: readonly string[] }
  'wrong-kind': { name: string; is: string; wanted: readonly string[] }
  'needs-itself': { name: string; through: string }
  circular: { name: string; through: string }
  'too-long-chain': { limit: number }
  'import-itself': { path: string }
  'import-circle': { path: string }
  'import-missing': { path: string }
  'import-unknown': { name: string; path: string; nearest?: string }
  'import-broken': { name: string; path: string; reason?: string }
  'import-clash': { name: string; path: string; through: string }
  // clauses
  'missing-clause': { kind: string; word: string; name?: string }
  'missing-one-of': { kind: string; groups: readonly (readonly string[])[] }
  'missing-some-of': { kind: string; words: readonly string[] }
  'repeated-clause': { kind: string; word: string }
  'clauses-exclude': { kind: string; one: string; other: string }
  'missing-using': { kind: string; why: string }
  // settings and numbers
  'unknown-setting': { name: string; group: string; nearest?: string; known: readonly string[] }
  'unknown-option': { option: string; of: string; nearest?: string; known: readonly string[] }
  'missing-option': { option: string; of: string }
  'repeated-option': { option: string }
  'too-many-values': { of: string; most: number }
  'wrong-option': { option: string; wanted: string }
  'out-of-range': { what: string; wanted: string }
  'edges-not-rising': { column: string }
  // sources
  'unknown-format': { path: string }
  'unknown-reader': { name: string; nearest?: string }
  'option-not-for-format': { option: string; format: string }
  'not-a-key': { column: string; type: ColumnType }
  'secret-without-database': object
  'split-above-whole': { percent: number }
  'split-empty': { split: string }
  'repeated-split': { split: string }
  'hash-without-percent': object
  'seed-without-percent': object
  'split-hidden': { source: string }
  'unknown-split': { split: string; source: string; nearest?: string; known: readonly string[] }
  'repeated-column': { column: string }
  'unusable-column': { column: string; type: ColumnType; role: string; remedy: string }
  // expressions
  'unknown-column': { column: string; tables: readonly string[]; nearest?: string }
  'unknown-table': { table: string; nearest?: string; known: readonly string[] }
  'ambiguous-column': { column: string; tables: readonly string[] }
  'not-for-columns': { name: string; kind: string }
  'slice-elsewhere': { name: string; kind: string; of: string; source: string; column: string }
  'shadowed-name': { name: string; kind: string; source: string }
  'not-comparable': { left: ColumnType; right: ColumnType; remedy: string }
  'no-arithmetic': { op: string; left: ColumnType; right?: ColumnType }
  'not-boolean': { what: string; type: ColumnType }
  'not-number': { what: string; type: ColumnType }
  'not-text': { what: string; type: ColumnType }
  'mixed-types': { what: string; types: readonly ColumnType[] }
  'unknown-type': { type: string; nearest?: string }
  'misplaced-star': object
  'one-column-query': { count: number }
  'unknown-function': { name: string; nearest?: string }
  'refused-function': { name: string; why: 'outside' | 'changing' | 'window' | 'table' | 'lambda' }
  'wrong-argument-count': { name: string; wanted: string; given: number }
  'wrong-argument': { name: string; position: number; wanted: string; type: ColumnType }
  'label-not-allowed': { name: string; label: string }
  'distinct-scalar': { name: string }
  'misplaced-aggregate': { name: string; where: string }
  'nested-aggregate': { name: string; outer: string }
  'not-grouped': { what: string; scope: string }
  'assertion-aggregate-elsewhere': { name: string }
  'needs-order': { name: string; source: string }
  // models in expressions
  'misplaced-predict': { name: string; where: string }
  'no-models': { name: string; kind: string }
  'predict-target': { column: string; known: readonly string[]; nearest?: string }
  'predict-ambiguous': { column: string; models: readonly string[] }
  'predict-argument': { name: string; wanted: string }
  'predict-table': { column: string; tables: readonly string[] }
  'missing-input': { model: string; input: string; source: string }
  'input-type': { model: string; input: string; source: string; is: ColumnType; wanted: ColumnType }
  'score-regression': { model: string }
  'score-class': object
  'misplaced-ask': { name: string }
  'oracle-column': { oracle: string; column: string; known: readonly string[]; nearest?: string }
  // selects
  'no-table': object
  'repeated-table': { name: string }
  'repeated-output': { name: string }
  'output-needs-name': object
  'bad-position': { position: number; items: number }
  'having-without-group': object
  // models
  'leaking-target': { column: string }
  'leaking-column': { column: string; target: string; source: string }
  'target-from-input': { column: string; target: string }
  'key-as-input': { column: string }
  'wrong-target': { kind: string; column: string; type: ColumnType; remedy: string }
  'number-as-classes': { column: string; sqlType: string }
  'train-missing': { kind: string }
  'patience-without-validate': object
  'validates-on-training': { split: string }
  'needs-no-inputs': { kind: string }
  'scores-and-labels': object
  // slices, partitions, discover
  'bins-need-number': { column: string; type: ColumnType }
  'against-needs-target': { one: string; other: string }
  'over-target': { column: string }
  'control-empty': object
  // assertions
  'warn-above-fail': object
  'constant-require': object
  // complaints and interventions
  'no-influence': object
  'order-in-complaint': { word: string }
  'jumping-aggregate': { name: string }
  'not-relaxable': { what: string; why: string }
  'blame-silent': { model: string }
  'expect-form': object
  'expect-output': { column: string; known: readonly string[]; nearest?: string }
  'expect-group': { column: string }
  'expect-not-number': { column: string; type: ColumnType }
  'blame-elsewhere': { of: string; source: string; model: string }
  'blame-unknown': { of: string; source: string; nearest?: string; known: readonly string[] }
  'blame-untrained': { of: string; train: string }
  'relabel-value': { type: ColumnType; target: string; wanted: ColumnType }
  'no-image': { model: string; inputs: readonly string[] }
  'replace-keyless': { source: string }
  'replace-key': { key: string; source: string; of: string }
  'replace-type': { column: string; source: string; is: ColumnType; wanted: ColumnType }
  'retrain-other': { model: string; complaint: string; known: readonly string[] }
  'set-type': { column: string; is: ColumnType; wanted: ColumnType }
  'unknown-measure': { name: string; nearest?: string }
  'measure-place': { name: string }
  'measure-task': { name: string; task: string; instead: string }
  'measure-column': { name: string; column: string; source: string }
  // acquire, find, estimate
  'budget-below-cheapest': { budget: number; cheapest: number }
  'repeated-slice-cost': { slice: string }
  'slice-not-wanted': { slice: string }
  'other-model': { name: string; kind: string; model: string }
  'promise-range': { what: string }
  'promise-kind': { kind: string; word: string; wanted: string }
  'range-order': object
  'oracle-needed': { kind: string }
  later: { what: string }
}
export type ProblemCode = keyof ProblemData

const q = (name: string): string => `\`${name}\``
const meant = (nearest: string | undefined): string => (nearest === undefined ? '' : ` Did you mean ${q(nearest)}?`)
const list = (words: readonly string[], last = 'or'): string => {
  const shown = words.slice(0, 8).map(q)
  if (words.length > 8) shown.push('others')
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} ${last} ${shown.at(-1)}`
}
const known = (words: readonly string[], nearest: string | undefined, otherwise: string): string => {
  if (nearest !== undefined) return meant(nearest)
  return words.length === 0 ? ` ${otherwise}` : ` There ${words.length === 1 ? 'is' : 'are'} ${list(words, 'and')}.`
}
/** A declaration as a thing: an `assert` is an assertion. */
const noun = (kind: string): string => NOUNS.get(kind) ?? kind
const NOUNS: ReadonlyMap<string, string> = new Map([
  ['assert', 'assertion'],
  ['discover', 'discovery'],
  ['intervene', 'intervention'],
  ['acquire', 'acquisition'],
  ['find', 'search'],
])
const article = (kind: string): string => `${/^[aeiou]/.test(noun(kind)) ? 'an' : 'a'} ${noun(kind)}`
const anyOf = (kinds: readonly string[]): string => kinds.map(article).join(' or ')
const groupText = (group: readonly string[]): string => group.map(q).join(' with ')

const sentences: { readonly [C in ProblemCode]: (data: ProblemData[C]) => string } = {
  'duplicate-name': ({ name, kind }) =>
    `${q(name)} is already the name of ${article(kind)}: names are unique in a file, whatever they name. Choose another.`,
  'reserved-word': ({ name }) => `${q(name)} has a meaning of its own in expressions: choose another name.`,
  'unknown-name': ({ name, wanted, nearest, known: names }) =>
    `No ${wanted.map(noun).join(' or ')} is called ${q(name)}.${known(names, nearest, `Declare it, or import it from another file.`)}`,
  'wrong-kind': ({ name, is, wanted }) => `${q(name)} is ${article(is)}; ${anyOf(wanted)} is wanted here.`,
  'needs-itself': ({ name }) => `${q(name)} is defined by means of itself: say what it is without naming it.`,
  circular: ({ name, through }) => `${q(name)} and ${q(through)} need each other: define one of them without the other.`,
  'too-long-chain': ({ limit }) =>
    `More than ${limit} declarations stand on one another here: shorten the chain, or declare them in the order of need.`,
  'import-itself': ({ path }) => `${q(path)} is this file itself: remove the import.`,
  'import-circle': ({ path }) => `${q(path)} imports this file in turn: move what both need into a third file.`,
  'import-missing': ({ path }) => `The file ${q(path)} cannot be read: its path is relative to the folder of this file.`,
  'import-unknown': ({ name, path, nearest }) =>
    `${q(path)} declares no ${q(name)}.${nearest ? meant(nearest) : ' Only what a file declares itself can be imported from it.'}`,
  'import-broken': ({ name, path, reason }) => `${q(name)} has an error in ${q(path)}${reason ? `: ${reason}` : '.'}`,
  'import-clash': ({ name, path, through }) =>
    `${q(through)} brings along ${q(name)} of ${q(path)}, and another ${q(name)} is declared here: rename one of them.`,
  'missing-clause': ({ kind, word }) => `This ${noun(kind)} needs the clause ${q(word)}.`,
  'missing-one-of': ({ kind, groups }) => `This ${noun(kind)} needs ${groups.map(groupText).join(' or ')}.`,
  'missing-some-of': ({ kind, words }) => `This ${noun(kind)} needs ${words.length === 1 ? 'the clause' : 'one of'} ${list(words)}.`,
  'repeated-clause': ({ kind, word }) => `${article(kind).replace(/^a/, 'A')} has ${q(word)} at most once: remove this one.`,
  'clauses-exclude': ({ kind, one, other }) => `In ${article(kind)}, ${q(one)} and ${q(other)} exclude each other: remove one of them.`,
  'missing-using': ({ kind, why }) => `This ${noun(kind)} needs a model: write \`using MODEL\` behind its source, ${why}.`,
  'unknown-setting': ({ name, group, nearest, known: names }) =>
    `${q(name)} is no ${group}.${nearest ? meant(nearest) : ` There are ${list(names, 'and')}.`}`,
  'unknown-option': ({ option, of, nearest, known: names }) =>
    names.length === 0
      ? `${q(of)} takes no options: remove ${q(option)}.`
      : `${q(of)} has no option ${q(option)}.${nearest ? meant(nearest) : ` It has ${list(names, 'and')}.`}`,
  'missing-option': ({ option, of }) => `${q(of)} needs ${q(option)}.`,
  'repeated-option': ({ option }) => `${q(option)} is given twice: remove one.`,
  'too-many-values': ({ of, most }) =>
    most === 0
      ? `${q(of)} takes no value without a name.`
      : `${q(of)} takes ${most} value${most === 1 ? '' : 's'} without a name: name the others.`,
  'wrong-option': ({ option, wanted }) => `${q(option)} is ${wanted}.`,
  'out-of-range': ({ what, wanted }) => `${what} must be ${wanted}.`,
  'edges-not-rising': ({ column }) => `The edges of ${q(column)}'s bins must rise, and there must be two at least: sort them, each once.`,
  'unknown-format': ({ path }) =>
    `The ending of ${q(path)} names no format that can be read: rename it, or write \`with (format: csv)\` (csv, tsv, parquet, json, jsonl).`,
  'unknown-reader': ({ name, nearest }) =>
    `${q(name)} reads nothing: there are files in quotes, a select in parentheses, ${q('idx')}, ${q('images')} and ${q('database')}.${meant(nearest)}`,
  'option-not-for-format': ({ option, format }) => `${q(option)} means nothing for ${format} files: remove it.`,
  'not-a-key': ({ column, type }) => `${q(column)} is ${articled(type)} and cannot be a key: name columns of numbers, text or times.`,
  'secret-without-database': () => 'A `secret` opens a database, and this source reads none: remove it.',
  'split-above-whole': ({ percent }) => `The shares add up to ${percent} %: make them 100 % at most.`,
  'split-empty': ({ split }) => `${q(split)} has a share of 0 % and will be empty.`,
  'repeated-split': ({ split }) => `There are two splits ${q(split)}: give one another name.`,
  'hash-without-percent': () => '`by hash` spreads rows over shares, and these splits have conditions: remove it.',
  'seed-without-percent': () => 'A `seed` spreads rows over shares, and these splits have conditions: remove it.',
  'split-hidden': ({ source }) =>
    `In expressions over ${q(source)}, \`split\` is its own column of that name; its splits are reached as \`${source}.NAME\`.`,
  'unknown-split': ({ split, source, nearest, known: names }) =>
    `${q(source)} has no split ${q(split)}.${known(names, nearest, `Give it one: \`split ${split} 80%\`.`)}`,
  'repeated-column': ({ column }) => `${q(column)} stands here twice: remove one.`,
  'unusable-column': ({ column, type, role, remedy }) => `${q(column)} is ${articled(type)} and cannot be ${role}: ${remedy}.`,
  'unknown-column': ({ column, tables, nearest }) =>
    tables.length === 0
      ? `No column ${q(column)} is known here.${meant(nearest)}`
      : `No column ${q(column)} in ${list(tables)}.${meant(nearest)}`,
  'unknown-table': ({ table, nearest, known: names }) =>
    `${q(table)} is no table of this query.${known(names, nearest, 'Name it in `from`.')}`,
  'ambiguous-column': ({ column, tables }) => `${q(column)} is in ${list(tables, 'and')}: write which, as \`${tables[0]}.${column}\`.`,
  'not-for-columns': ({ name, kind }) =>
    `${q(name)} is ${article(kind)}, which has no value in a row: only columns, slices and partitions have.`,
  'slice-elsewhere': ({ name, kind, of, source, column }) =>
    `${q(name)} is ${article(kind)} of ${q(of)}, and ${q(source)} has no fitting column ${q(column)}: use it where that column is.`,
  'shadowed-name': ({ name, kind, source }) =>
    `${q(source)} has a column ${q(name)}, which hides this ${noun(kind)} in expressions: rename the ${noun(kind)}.`,
  'not-comparable': ({ left, right, remedy }) =>
    left === 'image' || right === 'image'
      ? 'Images cannot be compared: compare a column computed from them.'
      : `${capital(articled(left))} cannot be compared with ${articled(right)}${remedy ? `: ${remedy}` : ''}.`,
  'no-arithmetic': ({ op, left, right }) =>
    right === undefined
      ? `${q(op)} needs a number or a duration, and this is ${articled(left)}.`
      : `${q(op)} does not join ${articled(left)} and ${articled(right)}${left === 'text' || right === 'text' ? ': join text with `||`, or make a number of it with `cast(… as double)`' : ''}.`,
  'not-boolean': ({ what, type }) => `${what} must be true or false, and this is ${articled(type)}: compare it with something.`,
  'not-number': ({ what, type }) => `${what} must be a number, and this is ${articled(type)}.`,
  'not-text': ({ what, type }) => `${what} must be text, and this is ${articled(type)}: write \`cast(… as varchar)\`.`,
  'mixed-types': ({ what, types }) =>
    `${what} would be ${types.map(articled).join(' in one place and ')} in another: cast them to one type.`,
  'unknown-type': ({ type, nearest }) =>
    `${q(type)} is no type of the database.${nearest ? meant(nearest) : ' Common ones are `integer`, `double`, `varchar`, `boolean`, `date` and `timestamp`.'}`,
  'misplaced-star': () => 'A `*` stands only in a select list and in `count(*)`: name a column.',
  'one-column-query': ({ count }) => `The query behind \`in\` gives ${count} columns: select exactly one.`,
  'unknown-function': ({ name, nearest }) => `There is no function ${q(name)}.${meant(nearest)}`,
  'refused-function': ({ name, why }) => `${q(name)} ${REFUSED[why]}`,
  'wrong-argument-count': ({ name, wanted, given }) =>
    `${q(name)} takes ${wanted}, and ${given === 0 ? 'none is' : given === 1 ? 'one is' : `${given} are`} given.`,
  'wrong-argument': ({ name, position, wanted, type }) =>
    `${POSITIONS[position] ?? `Argument ${position + 1}`} of ${q(name)} must be ${wanted}, and this is ${articled(type)}.${
      type === 'boolean' && wanted.includes('number') ? ' Write `case when … then 1 else 0 end`.' : ''
    }`,
  'label-not-allowed': ({ name, label }) => `${q(name)} has no argument called ${q(label)}: write the value alone.`,
  'distinct-scalar': ({ name }) => `\`distinct\` belongs to aggregates, and ${q(name)} is none: remove it.`,
  'misplaced-aggregate': ({ name, where }) => `${q(name)} speaks of many rows, and ${where} speaks of one.`,
  'nested-aggregate': ({ name, outer }) => `${q(name)} stands within ${q(outer)}: an aggregate cannot hold another.`,
  'not-grouped': ({ what, scope }) =>
    `${what} differs within ${scope}: group by it, or put it into an aggregate such as \`min\` or \`any_value\`.`,
  'assertion-aggregate-elsewhere': ({ name }) =>
    `${q(name)} belongs to assertions over several rows: it stands in \`require\` and \`severity\` with \`each group\`, \`table\`, \`window\` or \`track\`.`,
  'needs-order': ({ name, source }) => `${q(name)} needs to know which row follows which: give ${q(source)} an \`order by\`.`,
  'misplaced-predict': ({ name, where }) => `${q(name)} cannot stand in ${where}: no model is at hand there.`,
  'no-models': ({ name, kind }) => `${q(name)} needs a model: write \`using MODEL\` in the head of this ${noun(kind)}.`,
  'predict-target': ({ column, known: names, nearest }) =>
    `No model in \`using\` predicts ${q(column)}.${nearest ? meant(nearest) : ` ${names.length === 1 ? 'It predicts' : 'They predict'} ${list(names, 'and')}.`}`,
  'predict-ambiguous': ({ column, models }) =>
    `${list(models, 'and')} all predict ${q(column)}: write which, as \`predict(${column}, ${models[0]})\`.`,
  'predict-argument': ({ name, wanted }) => `${q(name)} takes ${wanted}.`,
  'predict-table': ({ column, tables }) =>
    `Whose ${q(column)}? ${tables.length === 0 ? 'No table of this query has the inputs of the model.' : `Name the table: \`${tables[0]}.${column}\`.`}`,
  'missing-input': ({ model, input, source }) =>
    `${q(model)} needs the input ${q(input)}, which ${q(source)} does not have: query a source that has it.`,
  'input-type': ({ model, input, source, is, wanted }) =>
    `${q(model)} learned ${q(input)} as ${articled(wanted)}; in ${q(source)} it is ${articled(is)}: cast it in a view.`,
  'score-regression': ({ model }) => `${q(model)} predicts a number and has no classes to score: use \`predict\`.`,
  'score-class': () => 'The class in `score` is a literal: a number, text, true or false.',
  'misplaced-ask': ({ name }) =>
    `${q(name)} costs an answer of an oracle: it stands only in the \`where\` and \`value\` of find and estimate.`,
  'oracle-column': ({ oracle, column, known: names, nearest }) =>
    `${q(oracle)} is not asked for ${q(column)}.${known(names, nearest, 'Add it to its `ask`.')}`,
  'no-table': () => 'This select needs a `from` with a source.',
  'repeated-table': ({ name }) => `Two tables of this query are called ${q(name)}: give one another name with \`as\`.`,
  'repeated-output': ({ name }) => `Two columns of the result are called ${q(name)}: list the columns, and name one with \`as\`.`,
  'output-needs-name': () => 'A computed column needs a name: write `as NAME` behind it.',
  'bad-position': ({ position, items }) => `There is no column ${position}: this select lists ${items}.`,
  'having-without-group': () => '`having` speaks of groups: add `group by`, or use `where`.',
  'leaking-target': ({ column }) =>
    `${q(column)} is what the model is to predict: an input that holds it gives the answer away. Remove it from \`from\`.`,
  'leaking-column': ({ column, target, source }) =>
    `${q(column)} of ${q(source)} is computed from ${q(target)}, which the model is to predict: it gives the answer away. Remove it from \`from\`.`,
  'target-from-input': ({ column, target }) =>
    `${q(target)} is computed from what ${q(column)} holds: the model may only learn that formula.`,
  'key-as-input': ({ column }) => `${q(column)} is the key: it tells rows apart and says nothing about others.`,
  'wrong-target': ({ kind, column, type, remedy }) =>
    `A ${q(kind)} model cannot predict ${q(column)}, which is ${articled(type)}: ${remedy}.`,
  'number-as-classes': ({ column, sqlType }) =>
    `${q(column)} is a ${sqlType}: every value becomes a class of its own. Use \`linear\` to predict a number.`,
  'train-missing': ({ kind }) => `A ${q(kind)} model learns: say from which rows, as \`train on SPLIT\`.`,
  'patience-without-validate': () => '`patience` waits for the loss on other rows: add `validate on SPLIT`.',
  'validates-on-training': ({ split }) => `The model is measured on ${q(split)}, which it learned from: its figures will flatter it.`,
  'needs-no-inputs': ({ kind }) => `A ${q(kind)} model takes no inputs: remove \`from\`.`,
  'scores-and-labels': () => "Name every score column's class, as `scores: [cat: a, dog: b]`, or none.",
  'bins-need-number': ({ column, type }) => `Only numbers have bins, and ${q(column)} is ${articled(type)}: remove \`bins\`.`,
  'against-needs-target': ({ one, other }) => `${q(one)} and ${q(other)} predict different columns and cannot be set against each other.`,
  'over-target': ({ column }) => `${q(column)} is what the model predicts: slices over it show which classes fail, not where.`,
  'control-empty': () => 'A rate of 0 % allows no slice at all: allow some false discoveries, as `control fdr 5%`.',
  'warn-above-fail': () => 'The share that warns lies above the share that fails: it would never warn. Swap them.',
  'constant-require': () => 'This speaks of no column and is the same for every row: name a column.',
  'no-influence': () => 'No model influences this query: use `predict(…)` in its select list or in `where`.',
  'order-in-complaint': ({ word }) => `A complaint is about all rows of a result: remove \`${word}\`.`,
  'jumping-aggregate': ({ name }) =>
    `${q(name)} of predictions changes in jumps, so no row's influence on it can be told: use \`count\`, \`sum\` or \`avg\`.`,
  'not-relaxable': ({ what, why }) => `No row’s influence on ${q(what)} can be told: ${why}.`,
  'blame-silent': ({ model }) =>
    `Rows of ${q(model)} are blamed, and it has no say in this query: name the model to blame first behind \`using\`.`,
  'expect-form': () => 'An expectation compares a column of the result with a number, as `n <= 100`, or is `lower n` or `higher n`.',
  'expect-output': ({ column, known: names, nearest }) =>
    `The query gives no column ${q(column)}.${known(names, nearest, 'Name it with `as`.')}`,
  'expect-group': ({ column }) => `${q(column)} names the groups; expect something of a number, and choose groups with \`where\`.`,
  'expect-not-number': ({ column, type }) => `${q(column)} is ${articled(type)}: expect something of a number.`,
  'blame-elsewhere': ({ of, source, model }) =>
    `${q(model)} learned from ${q(source)}, and ${q(of)} holds none of its rows: blame a split of ${q(source)}.`,
  'blame-unknown': ({ of, source, nearest, known: names }) =>
    `${q(of)} is no split of ${q(source)}, and no source.${known(names, nearest, 'Write the name of the source itself.')}`,
  'blame-untrained': ({ of, train }) =>
    `The model learned from ${q(train)}, not from ${q(of)}: rows that it did not see have no influence. Blame ${q(train)}.`,
  'relabel-value': ({ type, target, wanted }) => `${q(target)} is ${articled(wanted)}; it cannot be relabelled to ${articled(type)}.`,
  'no-image': ({ model, inputs }) =>
    `${q(model)} reads no image${inputs.length > 0 ? `, but ${list(inputs)}` : ''}: there is nothing to filter. Use \`remove\`, \`set\` or \`replace\`.`,
  'replace-keyless': ({ source }) => `Rows are replaced by their key, and ${q(source)} declares none: give it a \`key\`.`,
  'replace-key': ({ key, source, of }) => `Rows are replaced by their key, and ${q(source)} has no column ${q(key)}, the key of ${q(of)}.`,
  'replace-type': ({ column, source, is, wanted }) =>
    `${q(column)} is ${articled(is)} in ${q(source)} and ${articled(wanted)} in the rows that are to be replaced: cast it in a view.`,
  'retrain-other': ({ model, complaint, known: names }) => `${q(complaint)} is not about ${q(model)}: retrain ${list(names)}.`,
  'set-type': ({ column, is, wanted }) => `${q(column)} is ${articled(wanted)}; it cannot be set to ${articled(is)}.`,
  'unknown-measure': ({ name, nearest }) =>
    `${q(name)} is neither a complaint nor a metric.${nearest ? meant(nearest) : ' The metrics are `accuracy`, `loss`, `rmse` and `auc`.'}`,
  'measure-place': ({ name }) => `A complaint is measured by its own query: write ${q(name)} alone.`,
  'measure-task': ({ name, task, instead }) => `${q(name)} does not measure ${task}: use ${instead}.`,
  'measure-column': ({ name, column, source }) => `${q(name)} cannot be measured on ${q(source)}: it has no column ${q(column)}.`,
  'budget-below-cheapest': ({ budget, cheapest }) => `The budget of ${budget} buys nothing: the cheapest row costs ${cheapest}. Raise it.`,
  'repeated-slice-cost': ({ slice }) => `The cost of ${q(slice)} is given twice: remove one.`,
  'slice-not-wanted': ({ slice }) => `No rows are bought for ${q(slice)}: add it to \`slices\`.`,
  'other-model': ({ name, kind, model }) => `${q(name)} is ${article(kind)} of another model than ${q(model)}.`,
  'promise-range': ({ what }) => `${what} lies between 0 % and 100 %, both excluded.`,
  'promise-kind': ({ kind, word, wanted }) => `${capital(article(kind))} cannot promise ${q(word)}: promise ${wanted}.`,
  'range-order': () => 'A range goes from the smaller to the larger number: swap them.',
  'oracle-needed': ({ kind }) => `This ${noun(kind)} asks nobody: name an oracle's answer, as \`ask(ORACLE, COLUMN)\`.`,
  later: ({ what }) => `This version cannot run ${what}.`,
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const POSITIONS = ['The first argument', 'The second argument', 'The third argument', 'The fourth argument']
const REFUSED = {
  outside: 'reaches outside the data, into files, the system or the session: read files with a `source`.',
  changing: 'answers differently each time, so no result could be repeated: write the value, or use a column.',
  window: 'looks at neighbouring rows through a window, which expressions here do not have: compute it before, in the file.',
  table: 'makes several rows of one: prepare the rows before, in the file.',
  lambda: 'needs a function as its argument, which expressions here do not have.',
} as const

const WARNINGS: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'split-empty',
  'split-hidden',
  'shadowed-name',
  'target-from-input',
  'key-as-input',
  'number-as-classes',
  'validates-on-training',
  'warn-above-fail',
  'constant-require',
  'over-target',
  'blame-untrained',
])

export function problem<C extends ProblemCode>(code: C, span: Span, data: ProblemData[C]): Problem {
  const severity: Severity = WARNINGS.has(code) ? 'warning' : 'error'
  const { start, end } = span
  const message = sentences[code](data)
  const hint = 'nearest' in data ? data.nearest : undefined
  return hint === undefined ? { code, severity, message, start, end } : { code, severity, message, start, end, hint }
}
