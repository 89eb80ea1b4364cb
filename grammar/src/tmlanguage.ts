/** The TextMate grammar, made from the keyword table; `scripts/generate-grammar.mjs` writes it to `assay.tmLanguage.json`. */
import { settings } from './setting-table.ts'
import { declarationWords, durationUnits, reservedWords } from './tokens.ts'

interface Rule {
  readonly name?: string
  readonly match?: string
  readonly begin?: string
  readonly end?: string
  readonly include?: string
  readonly captures?: Readonly<Record<string, { readonly name: string }>>
  readonly beginCaptures?: Readonly<Record<string, { readonly name: string }>>
  readonly endCaptures?: Readonly<Record<string, { readonly name: string }>>
  readonly patterns?: readonly Rule[]
}

export interface TmLanguage {
  readonly name: string
  readonly scopeName: string
  readonly fileTypes: readonly string[]
  readonly patterns: readonly Rule[]
  readonly repository: Readonly<Record<string, Rule>>
}

const word = String.raw`[\p{L}_][\p{L}\p{M}\p{N}_]*`
const quoted = '"(?:[^"]|"")*"'
const anyOf = (words: Iterable<string>): string => [...new Set(words)].join('|')
const openers = anyOf([...declarationWords.map((one) => one.word), 'import'])
/** A rule over several lines ends at the latest where the next declaration begins, so that one lost bracket colours no more than its declaration. */
const nextDeclaration = String.raw`(?=^(?i:${openers})\b)`
const literals = ['true', 'false', 'null']
const operators = ['and', 'or', 'not', 'in', 'between', 'is', 'like', 'exists']
const include = (name: string): Rule => ({ include: `#${name}` })
const capture = (...names: readonly string[]): Rule['captures'] =>
  Object.fromEntries(names.flatMap((name, index) => (name === '' ? [] : [[String(index + 1), { name }]])))

const settingNames = anyOf(Object.values(settings).flatMap((group) => group.map((one) => one.name)))
const settingClauses = ['kind', 'strategy', 'method', 'curve', 'sampling']

const declarationRule = (kind: (typeof declarationWords)[number]): Rule => {
  const clauses = kind.clauses.map((one) => one.word)
  const opening = String.raw`(?:^\s+|(?<=[{;])\s*)`
  const clauseRule: Rule = {
    match: String.raw`${opening}(?i:(${anyOf(clauses)}))\b(?!\s*[.:])`,
    captures: capture('keyword.control.clause.assay'),
  }
  const chosen = clauses.filter((one) => settingClauses.includes(one))
  const settingRule: Rule = {
    match: String.raw`${opening}(?i:(${anyOf(chosen)})[ \t]+(${settingNames}))\b`,
    captures: capture('keyword.control.clause.assay', 'support.function.setting.assay'),
  }
  // `lower n`, and not the column of that name in `lower in (1, 2)`.
  const directionRule: Rule = {
    match: String.raw`${opening}(?i:(expect)[ \t]+(lower|higher))(?=[ \t]+(?!(?i:${anyOf(operators)})\b)[\p{L}_"])`,
    captures: capture('keyword.control.clause.assay', 'keyword.other.assay'),
  }
  return {
    name: `meta.declaration.${kind.word}.assay`,
    begin: String.raw`^(?i:(${kind.word}))\b(?:[ \t]+(${word}|${quoted}))?`,
    beginCaptures: capture('storage.type.declaration.assay', 'entity.name.type.assay'),
    end: nextDeclaration,
    patterns: [
      { match: String.raw`(?i:\b(on|using|against|for)\b)(?=[^{]*\{|[^{]*\bwhere\b)`, captures: capture('keyword.other.assay') },
      ...(chosen.length > 0 ? [settingRule] : []),
      ...(clauses.includes('expect') ? [directionRule] : []),
      ...(clauses.length > 0 ? [clauseRule] : []),
      include('expression'),
    ],
  }
}

export const tmLanguage = (): TmLanguage => ({
  name: 'Assay',
  scopeName: 'source.assay',
  fileTypes: ['assay'],
  patterns: [include('comments'), include('import'), ...declarationWords.map((one) => include(one.word)), include('expression')],
  repository: {
    import: {
      begin: String.raw`^(?i:(import))\b`,
      beginCaptures: capture('keyword.control.import.assay'),
      end: `$|${nextDeclaration}`,
      patterns: [{ match: String.raw`(?i:\b(from)\b)`, captures: capture('keyword.control.from.assay') }, include('expression')],
    },
    ...Object.fromEntries(declarationWords.map((one) => [one.word, declarationRule(one)])),
    comments: {
      patterns: [
        { name: 'comment.line.documentation.assay', match: String.raw`^\s*---(?!-).*$` },
        { name: 'comment.line.double-dash.assay', match: '--.*$' },
      ],
    },
    expression: {
      patterns: [
        include('comments'),
        include('brackets'),
        include('strings'),
        include('numbers'),
        { match: String.raw`(?<=\.)(${word})`, name: 'variable.other.property.assay' },
        { match: String.raw`(${word})(?=\s*:)`, name: 'variable.parameter.assay' },
        {
          match: String.raw`\b(?i:(influence[ \t]+of|with)[ \t]+(${settingNames}))\b`,
          captures: capture('keyword.other.assay', 'support.function.setting.assay'),
        },
        { match: String.raw`\b(?i:(top))(?=\s+\d)`, captures: capture('keyword.other.assay') },
        { match: String.raw`(?<=\d)\s+(?i:(rows|labels))\b`, captures: capture('keyword.other.unit.assay') },
        { match: String.raw`\b(?i:(per)\s+(row|draw))\b`, captures: capture('keyword.other.assay', 'keyword.other.unit.assay') },
        { match: String.raw`\b(?i:(seed|bins|step))(?=\s+[\d\[])`, captures: capture('keyword.other.assay') },
        { match: String.raw`\b(?i:(by)\s+(hash))\b`, captures: capture('keyword.other.assay', 'keyword.other.assay') },
        { match: String.raw`\b(?i:(with)\s+(confidence))\b`, captures: capture('keyword.other.assay', 'keyword.other.assay') },
        {
          match: String.raw`\b(?i:${anyOf(['predict', 'score', 'ask', 'agree', 'transitions', 'gap', 'blips'])})(?=\()`,
          name: 'support.function.assay',
        },
        { match: String.raw`(${word})(?=\()`, name: 'entity.name.function.assay' },
        { match: String.raw`\b(?i:${anyOf(literals)})\b`, name: 'constant.language.assay' },
        { match: String.raw`\b(?i:${anyOf(operators)})\b`, name: 'keyword.operator.word.assay' },
        {
          match: String.raw`\b(?i:${anyOf(reservedWords.filter((one) => !literals.includes(one) && !operators.includes(one)))})\b`,
          name: 'keyword.other.sql.assay',
        },
        { match: String.raw`<>|!=|<=|>=|\|\||[-+*/%=<>]`, name: 'keyword.operator.assay' },
      ],
    },
    brackets: {
      patterns: [
        { begin: String.raw`\(`, end: String.raw`\)|${nextDeclaration}`, patterns: [include('expression')] },
        { begin: String.raw`\[`, end: String.raw`\]|${nextDeclaration}`, patterns: [include('expression')] },
      ],
    },
    strings: {
      patterns: [
        { name: 'string.quoted.single.assay', match: "'(?:[^']|'')*('|$)" },
        { name: 'variable.other.quoted.assay', match: '"(?:[^"]|"")*("|$)' },
      ],
    },
    numbers: {
      patterns: [
        {
          name: 'constant.numeric.percent.assay',
          match: String.raw`(?<![\p{L}\p{N}_.])\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?%(?![\p{L}\p{N}_('"])`,
        },
        {
          match: String.raw`(?<![\p{L}\p{N}_.])(\d[\d_]*(?:\.\d[\d_]*)?)[ \t]*(?i:(${anyOf(Object.keys(durationUnits))}))\b(?!\()`,
          captures: capture('constant.numeric.duration.assay', 'keyword.other.unit.assay'),
        },
        { name: 'constant.numeric.assay', match: String.raw`(?<![\p{L}\p{N}_])(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?` },
      ],
    },
  },
})
