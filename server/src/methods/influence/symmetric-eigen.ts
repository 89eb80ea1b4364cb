/**
 * All eigenpairs of a small symmetric matrix (row-major size²), values falling: Householder reduction to tridiagonal form, then QL with implicit
 * shifts (Golub & Van Loan, Matrix Computations, §8.3). About 9·size³ operations.
 */
export function symmetricEigen(matrix: Float64Array, size: number): { values: Float64Array; vectors: Float64Array[] } {
  // basis[j] holds row j of the matrix of transformations, so that column operations run along memory.
  const { diagonal, off, basis } = tridiagonalise(matrix, size)
  implicitQl(diagonal, off, basis)
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!)
  return { values: Float64Array.from(order, (index) => diagonal[index]!), vectors: order.map((index) => basis[index]!) }
}

/** A = QᵀTQ by reflections; basis[i] is row i of Q, an orthonormal vector. */
function tridiagonalise(matrix: Float64Array, size: number): { diagonal: Float64Array; off: Float64Array; basis: Float64Array[] } {
  const a = Array.from({ length: size }, (_, i) => matrix.slice(i * size, (i + 1) * size))
  const basis = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size)
    row[i] = 1
    return row
  })
  const reflector = new Float64Array(size)
  const image = new Float64Array(size)
  for (let column = 0; column + 2 < size; column++) {
    let norm = 0
    for (let i = column + 1; i < size; i++) norm = Math.hypot(norm, a[i]![column]!)
    if (norm === 0) continue
    const head = a[column + 1]![column]!
    const target = head > 0 ? -norm : norm
    let square = 0
    for (let i = column + 1; i < size; i++) {
      reflector[i] = a[i]![column]! - (i === column + 1 ? target : 0)
      square += reflector[i]! * reflector[i]!
    }
    if (square === 0) continue
    const factor = 2 / square
    // A ← A − u·wᵀ − w·uᵀ with w = p − (factor/2)(uᵀp)·u and p = factor·A·u.
    let along = 0
    for (let i = column; i < size; i++) {
      const row = a[i]!
      let sum = 0
      for (let j = column + 1; j < size; j++) sum += row[j]! * reflector[j]!
      image[i] = factor * sum
      if (i > column) along += reflector[i]! * image[i]!
    }
    for (let i = column + 1; i < size; i++) image[i] = image[i]! - (factor / 2) * along * reflector[i]!
    const first = a[column]!
    first[column + 1] = target
    a[column + 1]![column] = target
    for (let i = column + 2; i < size; i++) a[i]![column] = first[i] = 0
    for (let i = column + 1; i < size; i++) {
      const row = a[i]!
      for (let j = column + 1; j < size; j++) row[j] = row[j]! - reflector[i]! * image[j]! - image[i]! * reflector[j]!
    }
    // Q ← P·Q
    const sums = new Float64Array(size)
    for (let i = column + 1; i < size; i++) addScaled(sums, basis[i]!, reflector[i]!)
    for (let i = column + 1; i < size; i++) addScaled(basis[i]!, sums, -factor * reflector[i]!)
  }
  const diagonal = Float64Array.from({ length: size }, (_, i) => a[i]![i]!)
  const off = Float64Array.from({ length: size }, (_, i) => (i + 1 < size ? a[i + 1]![i]! : 0))
  return { diagonal, off, basis }
}

function implicitQl(diagonal: Float64Array, off: Float64Array, basis: readonly Float64Array[]): void {
  const size = diagonal.length
  for (let low = 0; low < size; low++) {
    for (let round = 0; round < 60; round++) {
      let split = low
      while (split + 1 < size) {
        const scale = Math.abs(diagonal[split]!) + Math.abs(diagonal[split + 1]!)
        if (Math.abs(off[split]!) <= Number.EPSILON * scale) break
        split++
      }
      if (split === low) break
      // Wilkinson's shift.
      const half = (diagonal[low + 1]! - diagonal[low]!) / (2 * off[low]!)
      const root = Math.hypot(half, 1)
      let bulge = diagonal[split]! - diagonal[low]! + off[low]! / (half + (half >= 0 ? root : -root))
      let [sine, cosine, shift] = [1, 1, 0]
      let index = split - 1
      for (; index >= low; index--) {
        const side = sine * off[index]!
        const rest = cosine * off[index]!
        const radius = Math.hypot(side, bulge)
        off[index + 1] = radius
        if (radius === 0) {
          diagonal[index + 1] = diagonal[index + 1]! - shift
          off[split] = 0
          break
        }
        sine = side / radius
        cosine = bulge / radius
        const moved = diagonal[index + 1]! - shift
        const turned = (diagonal[index]! - moved) * sine + 2 * cosine * rest
        shift = sine * turned
        diagonal[index + 1] = moved + shift
        bulge = cosine * turned - rest
        rotate(basis[index]!, basis[index + 1]!, cosine, sine)
      }
      if (index >= low) continue
      diagonal[low] = diagonal[low]! - shift
      off[low] = bulge
      off[split] = 0
    }
  }
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!
    const y = b[i]!
    b[i] = sine * x + cosine * y
    a[i] = cosine * x - sine * y
  }
}

function addScaled(target: Float64Array, a: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + factor * a[i]!
}
