/**
 * What treating a whole group of training rows at once does to the parameters, in the span of the Hessian's eigenvectors. Sums of single influences leave
 * out that the curvature goes with the rows (Koh, Ang, Teo & Liang 2019; Basu, You & Feizi 2020, whose second-order term is the first of the series below).
 * One Newton step of the new objective, started from the old optimum, has it whole: with g = Σ_gone ∇ℓ − Σ_came ∇ℓ and D = Σ_gone ∇²ℓ − Σ_came ∇²ℓ, both projected,
 * δ = (Λ − D)⁻¹·g = Λ⁻¹g + Λ⁻¹DΛ⁻¹g + …; relabelling leaves D = 0 for models that are linear in θ, so there the sum is the step.
 */
export interface GroupRows {
  readonly rows: number
  /** Probabilities, rows × classes; values, rows × 1. */
  readonly p: Float32Array
  /** Classes by their place, or values. */
  readonly y: Int32Array | Float32Array
  readonly classes: number
  /** ⟨v_l, ∇z_c⟩ of the outputs before the softmax: k × rows × classes. */
  readonly tangents: Float32Array
}

export interface GroupChange {
  /** Eigenvalues of the Hessian of the sum, positive, falling. */
  readonly values: ArrayLike<number>
  /** Rows that leave the objective, and rows that come in. */
  readonly gone: readonly GroupRows[]
  readonly came: readonly GroupRows[]
  /** The penalty is a share of each row's loss, so it goes and comes with them: `along` is ⟨v_l, θ⟩. */
  readonly penalty: { readonly l2: number; readonly along: ArrayLike<number> }
}

export interface GroupStep {
  /** Coordinates of the change of θ over the eigenvectors. */
  readonly step: Float64Array
  /** The same by the sum of single influences, the penalty included. */
  readonly sum: Float64Array
  /** `as before`: so much curvature would go that no minimum is left in the span; the step is then the sum. */
  readonly curvature: 'reduced' | 'as before'
}

/** O(rows·classes·k²) and O(k³). Curvature is that of Gauss and Newton: exact for linear models, positive for all. */
export function groupStep({ values, gone, came, penalty }: GroupChange): GroupStep {
  const k = values.length
  const gradient = new Float64Array(k)
  const curvature = new Float64Array(k * k)
  let leaving = 0
  for (const [sign, groups] of [
    [1, gone],
    [-1, came],
  ] as const) {
    for (const group of groups) {
      leaving += sign * group.rows
      addRows(group, sign, gradient, curvature)
    }
  }
  for (let l = 0; l < k; l++) {
    gradient[l]! += leaving * penalty.l2 * penalty.along[l]!
    curvature[l * k + l]! += leaving * penalty.l2
  }
  const sum = Float64Array.from(gradient, (g, l) => g / values[l]!)
  for (let i = 0; i < curvature.length; i++) curvature[i] = -curvature[i]!
  for (let l = 0; l < k; l++) curvature[l * k + l]! += values[l]!
  const step = solvePositive(curvature, gradient)
  return step ? { step, sum, curvature: 'reduced' } : { step: sum, sum, curvature: 'as before' }
}

function addRows({ rows, p, y, classes, tangents }: GroupRows, sign: 1 | -1, gradient: Float64Array, curvature: Float64Array): void {
  const k = gradient.length
  const centred = new Float64Array(k * classes)
  for (let i = 0; i < rows; i++) {
    const at = i * classes
    for (let l = 0; l < k; l++) {
      const own = (l * rows + i) * classes
      if (classes === 1) {
        const t = tangents[own]!
        gradient[l]! += sign * (p[at]! - y[i]!) * t
        centred[l] = t
        continue
      }
      let mean = 0
      for (let c = 0; c < classes; c++) mean += p[at + c]! * tangents[own + c]!
      gradient[l]! += sign * (mean - tangents[own + y[i]!]!)
      for (let c = 0; c < classes; c++) centred[l * classes + c] = Math.sqrt(p[at + c]!) * (tangents[own + c]! - mean)
    }
    for (let l = 0; l < k; l++) {
      for (let m = 0; m <= l; m++) {
        let product = 0
        for (let c = 0; c < classes; c++) product += centred[l * classes + c]! * centred[m * classes + c]!
        curvature[l * k + m]! += sign * product
        if (m !== l) curvature[m * k + l]! += sign * product
      }
    }
  }
}

/** By Cholesky's factors; `undefined` where the matrix is not clearly positive definite. */
function solvePositive(matrix: Float64Array, right: Float64Array): Float64Array | undefined {
  const k = right.length
  const factor = matrix.slice()
  for (let j = 0; j < k; j++) {
    const before = matrix[j * k + j]!
    for (let i = j; i < k; i++) {
      let sum = factor[i * k + j]!
      for (let m = 0; m < j; m++) sum -= factor[i * k + m]! * factor[j * k + m]!
      if (i > j) {
        factor[i * k + j] = sum / factor[j * k + j]!
        continue
      }
      if (!(sum > 1e-9 * Math.abs(before)) || !(sum > 0)) return undefined
      factor[j * k + j] = Math.sqrt(sum)
    }
  }
  const solution = right.slice()
  for (let i = 0; i < k; i++) {
    for (let m = 0; m < i; m++) solution[i]! -= factor[i * k + m]! * solution[m]!
    solution[i]! /= factor[i * k + i]!
  }
  for (let i = k - 1; i >= 0; i--) {
    for (let m = i + 1; m < k; m++) solution[i]! -= factor[m * k + i]! * solution[m]!
    solution[i]! /= factor[i * k + i]!
  }
  return solution
}
