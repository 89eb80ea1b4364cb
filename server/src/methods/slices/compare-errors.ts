/**
 * The errors of a comparison: by how much each row became worse, new minus old, 0 where it became better or stayed. The slices of these
 * are where a new model hurts, even if it is better overall; gains elsewhere in a slice are not set against its losses. O(n).
 */
export function worsening(before: Float64Array, after: Float64Array): Float64Array {
  if (before.length !== after.length) {
    throw new RangeError(`${before.length} errors before and ${after.length} after; both models must be measured on the same rows`)
  }
  return after.map((error, row) => Math.max(0, error - before[row]!))
}
