import type * as ast from '../../../../grammar/src/ast.ts'
import { walk } from '../../../../grammar/src/walker.ts'
import type { Spec } from '../../check/spec.ts'
import type { NamedClass } from '../plan.ts'
import { modelNamed } from '../tables.ts'

/** The constants that a query compares a model's predicted class with, each once: `predict(c) = 7`, `<>`, `in (7, 9)`, `case predict(c) when 7`. Linear in the query. */
export function namedClasses(spec: Spec, exprs: readonly (ast.Expr | undefined)[]): NamedClass[] {
  const found = new Map<string, NamedClass>()
  const note = (predicted: ast.Expr, others: readonly ast.Expr[]) => {
    const meaning = spec.meanings.get(predicted)
    if (meaning?.kind !== 'predict') return
    const model = modelNamed(spec, meaning.model)
    if (model.task === 'regression') return
    for (const other of others) {
      const value = constant(other)
      if (value !== undefined) found.set(JSON.stringify([model.name, value]), { model: model.name, value })
    }
  }
  const visit = (expr: ast.Expr) => {
    if (expr.kind === 'binary' && (expr.op === '=' || expr.op === '<>')) {
      note(expr.left, [expr.right])
      note(expr.right, [expr.left])
    }
    if (expr.kind === 'in' && expr.list) note(expr.value, expr.list)
    if (expr.kind === 'case' && expr.subject)
      note(
        expr.subject,
        expr.whens.map((w) => w.when),
      )
  }
  for (const expr of exprs) if (expr) walk(expr, visit)
  return [...found.values()]
}

function constant(expr: ast.Expr): string | number | boolean | undefined {
  if (expr.kind === 'string' || expr.kind === 'number' || expr.kind === 'boolean') return expr.value
  if (expr.kind === 'unary' && expr.op === '-' && expr.operand.kind === 'number') return -expr.operand.value
  return undefined
}
