import type { OptionWord } from '../../../grammar/src/setting-table.ts'
import type { FunctionWord } from '../check/function-signatures.ts'

const letters: Readonly<Record<string, string>> = {
  I: 'whole number',
  N: 'number',
  T: 'text',
  B: 'boolean',
  D: 'date',
  S: 'timestamp',
  V: 'duration',
  Y: 'blob',
  L: 'list',
  U: 'struct',
  A: 'any',
}
const wordOf = (letter: string): string => letters[letter] ?? 'any'

export interface SignatureText {
  readonly label: string
  readonly parameters: readonly string[]
}

/** A function's signatures in words: `round(number, whole number) → number`. */
export function signaturesOf(known: FunctionWord): SignatureText[] {
  return known.signatures.map(({ parameters, rest, returns }) => {
    const words = [...parameters].map(wordOf)
    if (rest !== undefined) words.push(`${wordOf(rest)} …`)
    return { label: `${known.name}(${words.join(', ')}) → ${wordOf(returns)}`, parameters: words }
  })
}
export const signatureTexts = (known: FunctionWord): string[] => signaturesOf(known).map((one) => one.label)

/** An option as it may be written: with its default, else with what it takes. */
export const optionText = (option: OptionWord): string =>
  option.positional ? option.name : `${option.name}: ${option.default ?? option.type}`
