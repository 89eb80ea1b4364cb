import type { Architecture } from './session.ts'

/** Labels as the passes want them: one-hot rows for classes, the values themselves for regression. */
export function targetsOf(architecture: Architecture, y: Int32Array | Float32Array, rows: number): Float32Array {
  const { task, outputs } = architecture
  if (y.length !== rows) throw new RangeError(`${rows} rows need as many labels, not ${y.length}.`)
  if (task === 'regression') {
    if (outputs !== 1) throw new RangeError('A regression has one output.')
    return y instanceof Float32Array ? y : Float32Array.from(y)
  }
  const targets = new Float32Array(rows * outputs)
  for (let row = 0; row < rows; row++) {
    const label = y[row]!
    if (!Number.isInteger(label) || label < 0 || label >= outputs) {
      throw new RangeError(`The label of row ${row} is ${label}; classes are numbered from 0 to ${outputs - 1}.`)
    }
    targets[row * outputs + label] = 1
  }
  return targets
}
