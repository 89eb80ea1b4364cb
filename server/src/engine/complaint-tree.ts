import { normalUpper } from '../methods/slices/distributions.ts'
import type { OutputTree } from '../plan/plan.ts'

/** An answer from the slots of a group, and its derivative by each slot in reverse. NaN where it is not defined, as an average over nothing. O(nodes). */
export function treeValue(tree: OutputTree, slots: ArrayLike<number>): number {
  switch (tree.kind) {
    case 'slot':
      return slots[tree.slot]!
    case 'number':
      return tree.value
    case 'unary':
      return -treeValue(tree.operand, slots)
    case 'binary': {
      const left = treeValue(tree.left, slots)
      const right = treeValue(tree.right, slots)
      return tree.op === '+' ? left + right : tree.op === '-' ? left - right : tree.op === '*' ? left * right : left / right
    }
    case 'call':
      return CALLS[tree.name].value(treeValue(tree.operand, slots))
    case 'deviation': {
      const variance = treeValue(tree.variance, slots)
      return Number.isNaN(variance) ? variance : isRounding(variance, treeValue(tree.square, slots)) ? 0 : Math.sqrt(variance)
    }
    case 'coalesce':
      return treeValue(firstNumber(tree.operands, slots), slots)
    case 'nullif': {
      const left = treeValue(tree.left, slots)
      return left === treeValue(tree.right, slots) ? Number.NaN : left
    }
    case 'tail': {
      const { mean, deviation } = moments(tree, slots)
      if (deviation > 0) return normalUpper((tree.at - mean) / deviation)
      return mean > tree.at || (tree.closed && mean === tree.at) ? 1 : 0
    }
    case 'all':
      return tree.operands.reduce((chance, operand) => chance * treeValue(operand, slots), 1)
    case 'any':
      return 1 - tree.operands.reduce((none, operand) => none * (1 - treeValue(operand, slots)), 1)
  }
}

/** Reverse accumulation over the tree: adds `seed`·∂value/∂slot to `slopes`. */
export function addSlopes(tree: OutputTree, slots: ArrayLike<number>, seed: number, slopes: Float64Array): void {
  const value = (t: OutputTree) => treeValue(t, slots)
  const add = (t: OutputTree, by: number) => addSlopes(t, slots, seed * by, slopes)
  switch (tree.kind) {
    case 'slot':
      slopes[tree.slot]! += seed
      return
    case 'number':
      return
    case 'unary':
      add(tree.operand, -1)
      return
    case 'binary': {
      const { op, left, right } = tree
      add(left, op === '*' ? value(right) : op === '/' ? 1 / value(right) : 1)
      if (right.kind === 'number') return
      add(right, op === '+' ? 1 : op === '-' ? -1 : op === '*' ? value(left) : -value(left) / value(right) ** 2)
      return
    }
    case 'call':
      add(tree.operand, CALLS[tree.name].slope(value(tree.operand)))
      return
    case 'deviation': {
      const variance = value(tree.variance)
      if (!isRounding(variance, value(tree.square))) add(tree.variance, 0.5 / Math.sqrt(variance))
      return
    }
    case 'coalesce':
      add(firstNumber(tree.operands, slots), 1)
      return
    case 'nullif':
      add(tree.left, 1)
      return
    case 'tail': {
      const { mean, variance, deviation } = moments(tree, slots)
      if (!(deviation > 0)) return
      const z = (mean - tree.at) / deviation
      const density = Math.exp(-(Math.min(Math.abs(z), FARTHEST) ** 2) / 2) / Math.sqrt(2 * Math.PI)
      add(tree.mean, density / deviation)
      add(tree.variance, (-density * z) / (2 * variance))
      return
    }
    case 'all':
    case 'any': {
      const factors = tree.operands.map((operand) => (tree.kind === 'all' ? value(operand) : 1 - value(operand)))
      for (const [i, operand] of tree.operands.entries()) {
        add(
          operand,
          factors.reduce((others, factor, j) => (j === i ? others : others * factor), 1),
        )
      }
    }
  }
}

/** In deviations. Beyond, the derivative of a chance stays at what it is here, some 1e-9: a condition far from holding still says which way it lies. */
const FARTHEST = 6

const CALLS: Readonly<Record<Extract<OutputTree, { kind: 'call' }>['name'], { value(x: number): number; slope(x: number): number }>> = {
  sqrt: { value: Math.sqrt, slope: (x) => 0.5 / Math.sqrt(x) },
  ln: { value: Math.log, slope: (x) => 1 / x },
  log10: { value: Math.log10, slope: (x) => Math.LOG10E / x },
  log2: { value: Math.log2, slope: (x) => Math.LOG2E / x },
  exp: { value: Math.exp, slope: Math.exp },
  abs: { value: Math.abs, slope: Math.sign },
}

const firstNumber = (operands: readonly OutputTree[], slots: ArrayLike<number>): OutputTree =>
  operands.find((operand) => Number.isFinite(treeValue(operand, slots))) ?? operands.at(-1)!

const isRounding = (variance: number, square: number): boolean => variance <= 1e-12 * square

/** A variance that is nothing but rounding is zero. */
function moments(
  tree: Extract<OutputTree, { kind: 'tail' }>,
  slots: ArrayLike<number>,
): { mean: number; variance: number; deviation: number } {
  const mean = treeValue(tree.mean, slots)
  const variance = treeValue(tree.variance, slots)
  return { mean, variance, deviation: variance > 1e-13 * (1 + mean * mean) ? Math.sqrt(variance) : 0 }
}
