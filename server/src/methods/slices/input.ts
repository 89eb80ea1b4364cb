interface CheckedOptions {
  readonly top: number
  readonly alpha: number
  readonly support: number
  readonly depth: number
}

/** Throws a RangeError whose message is a sentence for the user: what, where, remedy. */
export function checkOptions({ top, alpha, support, depth }: CheckedOptions): void {
  if (!(Number.isInteger(top) && top >= 1)) throw new RangeError(`top is ${top}; ask for a whole number of slices, at least 1`)
  if (!(alpha > 0 && alpha <= 1)) throw new RangeError(`alpha is ${alpha}; it weighs error against size and must be above 0 and at most 1`)
  if (!(support >= 1)) throw new RangeError(`support is ${support}; it counts rows and must be at least 1`)
  if (!(Number.isInteger(depth) && depth >= 1))
    throw new RangeError(`depth is ${depth}; it counts predicates and must be a whole number, at least 1`)
}

export function checkErrors(codes: readonly Int32Array[], errors: Float64Array): void {
  if (errors.length === 0) throw new RangeError('There are no rows to search for slices; give at least one row and its error')
  if (codes.length === 0) throw new RangeError('There are no columns to slice by; name at least one')
  checkCodes(codes, errors.length)
  let largest = 0
  let bad = 0
  for (; bad < errors.length && errors[bad]! >= 0 && errors[bad]! < Infinity; bad++) largest = Math.max(largest, errors[bad]!)
  if (bad < errors.length) {
    throw new RangeError(
      `The error of row ${bad} is ${errors[bad]}; errors must be finite and not negative (take abs() or a square, or leave the row out)`,
    )
  }
  if (!(largest * errors.length < 2 ** 1018)) {
    throw new RangeError('The errors are so large that sums of them overflow; divide them by a constant, which changes no score')
  }
}

export function checkCodes(codes: readonly Int32Array[], nRows: number): void {
  for (const [column, values] of codes.entries()) {
    if (values.length !== nRows) throw new RangeError(`Column ${column} has ${values.length} codes for ${nRows} rows; give one code a row`)
    let bad = 0
    while (bad < nRows && values[bad]! >= 0) bad++
    if (bad < nRows)
      throw new RangeError(`Column ${column} has code ${values[bad]} in row ${bad}; codes are 1, 2, …, and 0 where the value is missing`)
  }
}
