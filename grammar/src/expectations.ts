/** Chevrotain's message provider, reduced to what was expected, in words; `syntax-error.ts` makes the sentence. */
import type { IParserErrorMessageProvider, TokenType } from 'chevrotain'
import { Name, Prefix, word } from './vocabulary.ts'

const label = (type: TokenType): string => type.LABEL ?? type.name

const oneOf = (paths: readonly TokenType[][]): string => {
  if (paths.some(([first]) => first === Prefix))
    return paths.some(([first]) => first === word('select')) ? '`select` or an expression' : 'an expression'
  const labels = [...new Set(paths.map((path) => (path[0] === undefined ? 'the end of the clause' : label(path[0]))))]
  const last = labels.pop()
  return labels.length === 0 ? (last ?? 'something else') : `${labels.join(', ')} or ${last}`
}

export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => label(expected),
  buildNotAllInputParsedMessage: () => '',
  buildNoViableAltMessage: ({ expectedPathsPerAlt, customUserDescription }) => customUserDescription ?? oneOf(expectedPathsPerAlt.flat()),
  buildEarlyExitMessage: ({ expectedIterationPaths, customUserDescription }) => {
    if (customUserDescription !== undefined) return customUserDescription
    // The paths of a list of names hold the one token type `Name`; those of a list of expressions all that can begin one.
    return expectedIterationPaths.every(([first]) => first === Name) ? label(Name) : oneOf(expectedIterationPaths)
  },
}
