/** Tail probabilities and quantiles that the tests need, each to about 1e-12 relative where it is not negligible. */

/** P(Z ≥ z) for a standard normal, accurate far into the tail. */
export function normalUpper(z: number): number {
  if (z < 0) return 1 - normalUpper(-z)
  return 0.5 * gammaUpper(0.5, (z * z) / 2)
}

/** P(T ≥ t), Student's t (DLMF 8.17.4 with the incomplete beta function). */
export function studentUpper(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return t > 0 ? 0 : 1
  const tail = 0.5 * betaRegularized(freedom / (freedom + t * t), freedom / 2, 0.5)
  return t >= 0 ? tail : 1 - tail
}

/** The t with P(T ≥ t) = tail, for tail in (0, 0.5]. */
export function studentQuantile(tail: number, freedom: number): number {
  let high = 1
  while (studentUpper(high, freedom) > tail && high < 1e15) high *= 2
  return bisect((t) => studentUpper(t, freedom) > tail, 0, high)
}

/** The x with I_x(a, b) = share. */
export function betaQuantile(share: number, a: number, b: number): number {
  return bisect((x) => betaRegularized(x, a, b) < share, 0, 1)
}

/** P(X ≥ drawn) of marked rows among `size` drawn without replacement from `nRows`, of which `marked` are marked. O(size). */
export function hypergeometricUpper(drawn: number, nRows: number, marked: number, size: number): number {
  const least = Math.max(0, size + marked - nRows)
  const most = Math.min(size, marked)
  if (drawn <= least) return 1
  if (drawn > most) return 0
  let term = Math.exp(logChoose(marked, drawn) + logChoose(nRows - marked, size - drawn) - logChoose(nRows, size))
  let sum = term
  for (let k = drawn; k < most && term > sum * 1e-17; k++) {
    term *= ((marked - k) / (k + 1)) * ((size - k) / (nRows - marked - size + k + 1))
    sum += term
  }
  return Math.min(1, sum)
}

export function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}

/** ln Γ(x), x > 0: Stirling's series (DLMF 5.11.1) after shifting x above 12. */
export function logGamma(x: number): number {
  let shift = 1
  let y = x
  while (y < 12) shift *= y++
  const inverse = 1 / (y * y)
  const series =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188 - (inverse * 691) / 360360))))) / y
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - Math.log(shift)
}

/** I_x(a, b) by the continued fraction DLMF 8.17.22, on the side where it converges fast. */
export function betaRegularized(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a
  return 1 - (front * betaFraction(1 - x, b, a)) / b
}

/** Modified Lentz evaluation (Thompson & Barnett 1986). */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny)
  let fraction = d
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d, tiny)
    c = nonZero(1 + even / c, tiny)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d, tiny)
    c = nonZero(1 + odd / c, tiny)
    const factor = d * c
    fraction *= factor
    if (Math.abs(factor - 1) < 1e-15) break
  }
  return fraction
}

/** Q(a, x), the upper regularised gamma function: series below (DLMF 8.11.4), continued fraction above (DLMF 8.9.2). */
function gammaUpper(a: number, x: number): number {
  if (x === 0) return 1
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= x / (a + n)
      sum += term
    }
    return 1 - front * sum
  }
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let n = 1; n <= 10_000; n++) {
    const step = -n * (n - a)
    b += 2
    d = 1 / nonZero(step * d + b, tiny)
    c = nonZero(b + step / c, tiny)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return front * fraction
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

/** The point where `isBelow` turns false, to the last bit that halving reaches. */
function bisect(isBelow: (x: number) => boolean, low: number, high: number): number {
  let from = low
  let to = high
  for (let i = 0; i < 200 && from < to; i++) {
    const middle = (from + to) / 2
    if (middle === from || middle === to) break
    if (isBelow(middle)) from = middle
    else to = middle
  }
  return (from + to) / 2
}
