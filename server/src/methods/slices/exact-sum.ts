/**
 * Errors split so that sums do not depend on the order of rows, hence neither do ties: error = high + low exactly, where `high` is a
 * multiple of a quantum so coarse that any sum of highs is exact in a double, and the lows together are below the rounding of one.
 */
export interface SplitErrors {
  readonly high: Float64Array
  /** Absent when all are zero, as for counts and 0/1 errors. */
  readonly low: Float64Array | undefined
  readonly errors: Float64Array
  readonly total: number
  readonly maximum: number
  /** The single value of all errors that are not zero, as with 0/1 errors; then sums are counts. */
  readonly constant: number | undefined
}

export function splitErrors(errors: Float64Array): SplitErrors {
  const n = errors.length
  let maximum = 0
  for (let row = 0; row < n; row++) if (errors[row]! > maximum) maximum = errors[row]!
  let others = 0
  let largest = 0
  for (let row = 0; row < n; row++) {
    if (errors[row] === maximum) largest++
    else if (errors[row] !== 0) others++
  }
  if (others === 0) return { high: errors, low: undefined, errors, total: largest * maximum, maximum, constant: maximum }
  return splitGeneral(errors, maximum)
}

function splitGeneral(errors: Float64Array, maximum: number): SplitErrors {
  const n = errors.length
  // Adding and subtracting 1.5·2⁵² quanta rounds to a multiple of the quantum (Dekker 1971), if below 2⁵¹ quanta.
  const shift = 1.5 * 2 ** (Math.ceil(Math.log2(maximum) + Math.log2(n)) + 2)
  const high = new Float64Array(n)
  const low = new Float64Array(n)
  let highs = 0
  let lows = 0
  let exact = true
  for (let row = 0; row < n; row++) {
    const error = errors[row]!
    const rounded = error + shift - shift
    high[row] = rounded
    low[row] = error - rounded
    highs += rounded
    lows += error - rounded
    if (rounded !== error) exact = false
  }
  return { high, low: exact ? undefined : low, errors, total: highs + lows, maximum, constant: undefined }
}
