/**
 * Every sentence about the syntax of a spec, in one place: a code maps to the parameters that its sentence needs, so that none can be raised
 * without them. Sentences about names, types and data are `check`'s.
 */
import type { Problem, Severity, Span } from './ast.ts'

export interface ProblemData {
  'unknown-character': { character: string }
  'unterminated-string': { quote: string }
  'block-comment': object
  'number-touches-word': { number: string; word: string }
  'empty-name': object
  'unknown-declaration': { word: string; nearest?: string }
  'unindented-line': { word: string }
  'indented-declaration': { word: string }
  'outside-declaration': { found: string }
  'missing-block': { kind: string; found: string }
  'unclosed-block': { kind: string; name?: string }
  'stray-brace': object
  'unclosed-bracket': { bracket: string; close: string }
  'unknown-clause': { kind: string; word: string; nearest?: string; known: readonly string[] }
  'clause-after-comma': { word: string }
  'missing-separator': { word: string }
  'missing-as': { alias: string }
  'blank-before-percent': { text: string }
  'blank-inside-percent': { number: string }
  'reserved-name': { word: string }
  'string-for-name': { text: string }
  'name-for-string': { text: string; what: string }
  'outside-subset': { construct: string; remedy: string }
  'too-deep': { limit: number }
  'too-long': { limit: number }
  'chained-comparison': { operator: string }
  'between-without-and': object
  'misplaced-star': object
  'not-whole-number': { text: string }
  'positional-after-named': object
  /** `name`: a reserved word that may have been meant as a name. */
  expected: { expected: string; found: string; name?: string }
}

export type ProblemCode = keyof ProblemData

const quote = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ')
const withArticle = (kind: string): string => `${/^[aeiou]/.test(kind) ? 'An' : 'A'} ${kind}`
const meant = (nearest: string | undefined): string => (nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`)

const sentences: { readonly [C in ProblemCode]: (data: ProblemData[C]) => string } = {
  'unknown-character': ({ character }) =>
    `The character \`${character}\` has no meaning here: remove it, or quote the name or text that it belongs to.`,
  'unterminated-string': ({ quote: mark }) =>
    mark === '"'
      ? 'This quoted name has no end: close it with `"` on the same line.'
      : "This text has no end: close it with `'` on the same line.",
  'block-comment': () => 'There are no `/* */` comments: begin each line of the comment with `--`.',
  'number-touches-word': ({ number, word }) =>
    `A name cannot begin with a digit: put a blank between \`${number}\` and \`${word}\`, or quote the name.`,
  'empty-name': () => 'A quoted name needs at least one character.',
  'unknown-declaration': ({ word, nearest }) => `No kind of declaration is called \`${word}\`.${meant(nearest)}`,
  'unindented-line': ({ word }) => `\`${word}\` cannot open a declaration: indent this line if it continues the one above.`,
  'indented-declaration': ({ word }) => `A declaration begins in the first column: remove the blanks before \`${word}\`.`,
  'outside-declaration': ({ found }) =>
    found.startsWith('`')
      ? `${found} stands outside every declaration: remove it, or put it into a block.`
      : `This ${found} stands outside every declaration: remove it.`,
  'missing-block': ({ kind, found }) => `The block of this ${kind} is missing: expected \`{\`, found ${found}.`,
  'unclosed-block': ({ kind, name }) =>
    `The block of ${kind}${name === undefined ? '' : ` \`${name}\``} is not closed: write \`}\` at its end.`,
  'stray-brace': () => 'This `}` closes nothing: remove it.',
  'unclosed-bracket': ({ bracket, close }) => `This \`${bracket}\` is not closed: write \`${close}\`.`,
  'unknown-clause': ({ kind, word, nearest, known }) =>
    known.length === 0
      ? `${withArticle(kind)} has no clauses: remove \`${word}\`.`
      : `${withArticle(kind)} has no clause \`${word}\`.${nearest === undefined ? ` It may have ${quote(known)}.` : meant(nearest)}`,
  'clause-after-comma': ({ word }) => `\`${word}\` begins a clause, but the comma before it promises one more item: remove the comma.`,
  'missing-separator': ({ word }) => `\`${word}\` begins a clause: put it on a line of its own, or \`;\` before it.`,
  'missing-as': ({ alias }) => `An alias needs \`as\`: write \`as ${alias}\`.`,
  'blank-before-percent': ({ text }) => `\`${text}\` is a percentage: put a blank before % to take the remainder of a division.`,
  'blank-inside-percent': ({ number }) => `A percentage has no blank inside: write \`${number}%\`.`,
  'reserved-name': ({ word }) => `\`${word}\` is a reserved word: write \`"${word}"\` to use it as a name.`,
  'string-for-name': ({ text }) => `Single quotes are for text; a name is bare or in double quotes: write \`"${text}"\`.`,
  'name-for-string': ({ text, what }) => `Expected ${what}: write \`'${text}'\`.`,
  'outside-subset': ({ construct, remedy }) => `${construct} outside the SQL that Assay reads: ${remedy}.`,
  'too-deep': ({ limit }) => `This is nested deeper than ${limit} levels: name a part of it as a slice or a source, and use the name.`,
  'too-long': ({ limit }) => `More than ${limit} operators stand in one chain: compute a part of it in a source, and use its column.`,
  'chained-comparison': ({ operator }) => `Comparisons do not chain: join two of them with \`and\` instead of a second \`${operator}\`.`,
  'between-without-and': () => 'A `between` needs two bounds: write `between 1 and 2`.',
  'misplaced-star': () => 'A `*` for all columns stands only in a select list and in `count(*)`.',
  'not-whole-number': ({ text }) => `A whole number is needed here, and \`${text}\` is none.`,
  'positional-after-named': () => 'An option without a name stands before the named ones: move it to the front, or name it.',
  expected: ({ expected, found, name }) =>
    `Expected ${expected}, found ${found}.${name === undefined ? '' : ` If it is a name, write \`"${name}"\`.`}`,
}

/** A problem with its sentence. `hint` is the text that would mend the span, where that is known. */
export const problem = <C extends ProblemCode>(code: C, span: Span, data: ProblemData[C], hint?: string): Problem => {
  const severity: Severity = 'error'
  const { start, end } = span
  const message = sentences[code](data)
  return hint === undefined ? { code, severity, message, start, end } : { code, severity, message, hint, start, end }
}
