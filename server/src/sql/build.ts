import type { SqlBinaryOp, SqlExpr } from './tree.ts'

/** Nodes in fewer words. */
export const call = (name: string, ...args: readonly SqlExpr[]): SqlExpr => ({ kind: 'call', name, args })
export const column = (name: string, table?: string): SqlExpr => ({ kind: 'column', table, name })
export const literal = (value: string | number | boolean | bigint | null): SqlExpr => ({ kind: 'literal', value })
export const binary = (left: SqlExpr, op: SqlBinaryOp, right: SqlExpr): SqlExpr => ({ kind: 'binary', op, left, right })
export const when = (condition: SqlExpr, then: SqlExpr) => ({ when: condition, then })
export const star: SqlExpr = { kind: 'star' }
