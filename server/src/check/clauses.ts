import type * as ast from '../../../grammar/src/ast.ts'

/** The first clause that a word begins; repeated ones are reported by their rule. */
export function clauseOf<C extends { readonly word: string }, W extends C['word']>(
  decl: { readonly clauses: readonly C[] },
  word: W,
): Extract<C, { readonly word: W }> | undefined {
  return decl.clauses.find((clause) => clause.word === word) as unknown as Extract<C, { readonly word: W }> | undefined
}
export function clausesOf<C extends { readonly word: string }, W extends C['word']>(
  decl: { readonly clauses: readonly C[] },
  word: W,
): readonly Extract<C, { readonly word: W }>[] {
  return decl.clauses.filter((clause) => clause.word === word) as unknown as readonly Extract<C, { readonly word: W }>[]
}

export const nameSpan = (decl: ast.Declaration): ast.Span => decl.name ?? decl.keyword
