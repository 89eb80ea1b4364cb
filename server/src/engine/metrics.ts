/**
 * Metrics of a model's answers over rows with a known target. A row whose target (class −1, value NaN) or answer is missing is left out. One pass,
 * O(n·C); AUC sorts, O(n log n).
 */
export interface Measured {
  readonly rows: number
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

const FLOOR = 1e-12

/** Class of the largest probability; the first of equals. */
export function argmax(values: Float32Array, row: number, width: number): number {
  let best = 0
  for (let c = 1; c < width; c++) if (values[row * width + c]! > values[row * width + best]!) best = c
  return best
}

/** −log of the probability given to each row's label; NaN where there is no label. */
export function crossEntropies(probabilities: Float32Array, width: number, labels: Int32Array): Float64Array {
  return Float64Array.from(labels, (y, i) => (y < 0 ? Number.NaN : -Math.log(Math.max(probabilities[i * width + y]!, FLOOR))))
}

/** Whether there is an answer for the row: a class with a positive probability, or a number. */
export function isAnswered(values: Float32Array, row: number, width: number): boolean {
  if (width === 1) return !Number.isNaN(values[row]!)
  for (let c = 0; c < width; c++) if (values[row * width + c]! > 0) return true
  return false
}

export function classification(probabilities: Float32Array, width: number, labels: Int32Array): Measured {
  let rows = 0
  let right = 0
  let loss = 0
  for (let i = 0; i < labels.length; i++) {
    const y = labels[i]!
    if (y < 0 || !isAnswered(probabilities, i, width)) continue
    rows++
    if (argmax(probabilities, i, width) === y) right++
    loss -= Math.log(Math.max(probabilities[i * width + y]!, FLOOR))
  }
  const metrics: Record<string, number> = { accuracy: rows ? right / rows : Number.NaN }
  if (width === 2) metrics.auc = areaUnderCurve(probabilities, labels)
  return { rows, loss: rows ? loss / rows : Number.NaN, metrics: finiteOnly(metrics) }
}

export function regression(predictions: Float32Array, values: Float64Array | Float32Array): Measured {
  let rows = 0
  let squares = 0
  for (let i = 0; i < values.length; i++) {
    const error = predictions[i]! - values[i]!
    if (!Number.isFinite(error)) continue
    rows++
    squares += error * error
  }
  const mean = rows ? squares / rows : Number.NaN
  return { rows, loss: mean / 2, metrics: finiteOnly({ rmse: Math.sqrt(mean) }) }
}

/** Probability that a row of class 1 is ranked above one of class 0 (Mann–Whitney, ties count half). NaN with one class only. */
export function areaUnderCurve(probabilities: Float32Array, labels: Int32Array): number {
  const rows = [...labels.keys()].filter((i) => labels[i]! >= 0 && isAnswered(probabilities, i, 2))
  rows.sort((a, b) => probabilities[a * 2 + 1]! - probabilities[b * 2 + 1]!)
  let positives = 0
  let rankSum = 0
  for (let start = 0; start < rows.length; ) {
    let end = start
    while (end < rows.length && probabilities[rows[end]! * 2 + 1] === probabilities[rows[start]! * 2 + 1]) end++
    const rank = (start + 1 + end) / 2
    for (let i = start; i < end; i++) {
      if (labels[rows[i]!] !== 1) continue
      positives++
      rankSum += rank
    }
    start = end
  }
  const negatives = rows.length - positives
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}

function finiteOnly(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)))
}
