import type { Problem, Span } from './ast.ts'
import { type ProblemCode, type ProblemData, problem } from './messages.ts'

/** Deeper nesting is refused, so that nothing that walks a tree can run out of stack. */
export const maxDepth = 64

/** Thrown by a rule that knows better than "expected …"; caught where a clause is read. */
export class Refusal {
  readonly problem: Problem
  constructor(refused: Problem) {
    this.problem = refused
  }
}

export const refuse = <C extends ProblemCode>(code: C, span: Span, data: ProblemData[C]): never => {
  throw new Refusal(problem(code, span, data))
}
