/** Visiting what a tree holds. Trees are at most as deep as the parser lets them be, so recursion is safe; each visit is linear in the nodes visited. */
import type * as ast from './ast.ts'

/** The expressions directly inside an expression, in the order of the text; those of a subquery included. */
export const childrenOf = (expr: ast.Expr): readonly ast.Expr[] => {
  switch (expr.kind) {
    case 'number':
    case 'percent':
    case 'duration':
    case 'string':
    case 'boolean':
    case 'null':
    case 'column':
    case 'star':
      return []
    case 'call':
      return expr.args.map((argument) => argument.value)
    case 'unary':
      return [expr.operand]
    case 'binary':
      return [expr.left, expr.right]
    case 'logical':
      return expr.operands
    case 'between':
      return [expr.value, expr.low, expr.high]
    case 'in':
      return [expr.value, ...(expr.list ?? []), ...(expr.query ? expressionsOfSelect(expr.query) : [])]
    case 'like':
      return [expr.value, expr.pattern]
    case 'is_null':
    case 'cast':
      return [expr.value]
    case 'case':
      return [
        ...(expr.subject ? [expr.subject] : []),
        ...expr.whens.flatMap((one) => [one.when, one.then]),
        ...(expr.otherwise ? [expr.otherwise] : []),
      ]
    case 'exists':
      return expressionsOfSelect(expr.query)
    case 'list':
      return expr.items
  }
}

/** An expression and all inside it, outermost first. `visit` answers 'skip' to leave out what is inside. */
export const walk = (expr: ast.Expr, visit: (expr: ast.Expr) => unknown): void => {
  if (visit(expr) === 'skip') return
  for (const child of childrenOf(expr)) walk(child, visit)
}

/** The expressions of a select, not those inside them. */
export const expressionsOfSelect = (select: ast.Select): readonly ast.Expr[] => [
  ...select.items.map((item) => item.value),
  ...select.joins.map((join) => join.on),
  ...(select.where ? [select.where] : []),
  ...select.groupBy,
  ...(select.having ? [select.having] : []),
  ...select.orderBy.map((item) => item.value),
]

/** The selects directly inside an expression. */
export const selectsOf = (expr: ast.Expr): readonly ast.Select[] => {
  if (expr.kind === 'exists') return [expr.query]
  if (expr.kind === 'in' && expr.query) return [...selectsOf(expr.value), expr.query]
  return childrenOf(expr).flatMap(selectsOf)
}

/** The table references of a select, not those of its subqueries. */
export const tablesOf = (select: ast.Select): readonly ast.TableRef[] => [
  ...(select.from ? [select.from] : []),
  ...select.joins.map((join) => join.table),
]

/** The outermost expressions of a clause; a select's are among them. */
export const expressionsOf = (clause: ast.AnyClause): readonly ast.Expr[] => {
  switch (clause.word) {
    case 'from':
      if ('from' in clause) return clause.from.kind === 'view' ? expressionsOfSelect(clause.from.select) : []
      return 'ref' in clause && clause.where ? [clause.where] : []
    case 'order':
      return clause.items.map((item) => item.value)
    case 'split':
      return clause.parts.flatMap((part) => (part.where ? [part.where] : []))
    case 'error':
      return 'value' in clause ? [clause.value] : []
    case 'value':
    case 'proxy':
    case 'severity':
      return [clause.value]
    case 'each':
      return expressionsOfScope(clause.scope)
    case 'learn':
      return clause.of
    case 'require':
    case 'where':
      return [clause.condition]
    case 'query':
      return expressionsOfSelect(clause.select)
    case 'expect':
      return expressionsOfExpectation(clause.expectation)
    case 'set':
      return [clause.value, ...expressionsOfTarget(clause.target)]
    case 'remove':
    case 'relabel':
    case 'denoise':
    case 'replace':
      return expressionsOfTarget(clause.target)
    case 'stop':
      return [clause.when]
    default:
      return []
  }
}

/** The outermost expressions of a declaration, its header's included. */
export const expressionsOfDeclaration = (declaration: ast.Declaration): readonly ast.Expr[] => {
  if (declaration.kind === 'slice') return declaration.where ? [declaration.where] : []
  return declaration.clauses.flatMap(expressionsOf)
}

const expressionsOfScope = (scope: ast.Scope): readonly ast.Expr[] => {
  if (scope.kind === 'group') return scope.by
  if (scope.kind === 'window' || scope.kind === 'track') return scope.orderBy.map((item) => item.value)
  return []
}

const expressionsOfExpectation = (expectation: ast.Expectation): readonly ast.Expr[] => {
  const condition = expectation.kind === 'condition' ? [expectation.condition] : []
  return expectation.where ? [...condition, expectation.where] : condition
}

const expressionsOfTarget = (target: ast.FixTarget): readonly ast.Expr[] => (target.kind === 'where' ? [target.where] : [])
