/** Chevrotain's token types, one for each word of the keyword table and one for each mark, made once for lexer and parser. */
import { createToken, EOF, type TokenType } from 'chevrotain'
import { allWords, durationUnits, isReserved } from './tokens.ts'

/** What may stand where a name is wanted: bare words that are not reserved, and quoted names. */
export const Name = createToken({ name: 'Name', label: 'a name' })
export const Unit = createToken({ name: 'Unit', label: 'a unit of time' })
export const Bare = createToken({ name: 'Bare', label: 'a name', categories: Name })
export const Quoted = createToken({ name: 'Quoted', label: 'a name', categories: Name })
/** The name of an argument, right before its colon; any word. */
export const Label = createToken({ name: 'Label', label: 'the name of an argument' })
export const Text = createToken({ name: 'Text', label: 'a text in single quotes' })
export const Digits = createToken({ name: 'Digits', label: 'a number' })
export const Percent = createToken({ name: 'Percent', label: 'a percentage such as `5%`' })
/** Characters that belong to other dialects, such as `::`; no rule accepts them, and the message names what they mean there. */
export const Foreign = createToken({ name: 'Foreign' })
/** Between two operands; told apart by their text, and sorted by precedence once a whole expression is read. */
export const Operator = createToken({ name: 'Operator', label: 'an operator' })
/** Before an operand. */
export const Prefix = createToken({ name: 'Prefix', label: 'a sign' })
export const Factor = createToken({ name: 'Factor', label: '`%`, `/` or `||`', categories: Operator })

const mark = (name: string, text: string, categories: TokenType[] = []): TokenType =>
  createToken({ name, label: `\`${text}\``, categories })
export const LeftParen = mark('LeftParen', '(')
export const RightParen = mark('RightParen', ')')
export const LeftBracket = mark('LeftBracket', '[')
export const RightBracket = mark('RightBracket', ']')
export const LeftBrace = mark('LeftBrace', '{')
export const RightBrace = mark('RightBrace', '}')
export const Comma = mark('Comma', ',')
export const Semicolon = mark('Semicolon', ';')
export const Colon = mark('Colon', ':')
export const Dot = mark('Dot', '.')
export const Star = mark('Star', '*', [Operator])
export const Plus = mark('Plus', '+', [Operator, Prefix])
export const Minus = mark('Minus', '-', [Operator, Prefix])
export const Equal = mark('Equal', '=', [Operator])
export const AtLeast = mark('AtLeast', '>=', [Operator])
export const AtMost = mark('AtMost', '<=', [Operator])
export const OtherComparison = createToken({ name: 'OtherComparison', label: 'a comparison', categories: Operator })

const operatorWords = ['and', 'or', 'like', 'between']
const categoriesOf = (word: string): TokenType[] => {
  if (word === 'not') return [Prefix]
  if (operatorWords.includes(word)) return [Operator]
  if (isReserved(word)) return []
  return word in durationUnits ? [Name, Unit] : [Name]
}
const words = new Map<string, TokenType>(
  allWords.map((word) => [word, createToken({ name: `word ${word}`, label: `\`${word}\``, categories: categoriesOf(word) })]),
)

/** The type of a word of the language, which the table must hold. */
export const word = (text: string): TokenType => {
  const type = words.get(text)
  if (type === undefined) throw new Error(`The keyword table has no word ${text}`)
  return type
}

/** The type of a bare word as written, in either case. */
export const typeOfWord = (image: string): TokenType => words.get(image) ?? words.get(image.toLowerCase()) ?? Bare

const marks = [LeftParen, RightParen, LeftBracket, RightBracket, LeftBrace, RightBrace, Comma, Semicolon, Colon, Dot, Star, Plus, Minus]
const operators = [Operator, Prefix, Factor, Equal, AtLeast, AtMost, OtherComparison]
export const vocabulary: TokenType[] = [
  Name,
  Unit,
  Bare,
  Quoted,
  Label,
  Text,
  Digits,
  Percent,
  Foreign,
  EOF,
  ...marks,
  ...operators,
  ...words.values(),
]

const textOfType = new Map<TokenType, string>([...words].map(([text, type]) => [type, text]))

/** The language's word that a type stands for, in lower case; `undefined` for names and marks. */
export const wordOfType = (type: TokenType): string | undefined => textOfType.get(type)
