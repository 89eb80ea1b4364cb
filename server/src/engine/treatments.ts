/**
 * What may be done to a training row, as the difference of loss gradients that a treatment makes (METHODS §4; R++ §5.3 with the sign mended):
 * replacing z by z′ changes q by ∇qᵀH⁻¹(∇ℓ(z) − ∇ℓ(z′)), removing it by ∇qᵀH⁻¹∇ℓ(z). With ż_c = ⟨v, ∇z_c⟩, the tangents of a row's logits, and
 * p its probabilities, ⟨v, ∇ℓ⟩ = Σ_c p_c·ż_c − ż_y; so removing is Σ p·ż − ż_y, relabelling to c is ż_c − ż_y: all from the same tangents.
 */
export type Treatment = 'remove' | 'relabel' | 'auto' | { readonly to: number }
export const STORED: readonly Treatment[] = ['remove', 'relabel', 'auto']

export const treatmentName = (t: Treatment): string => (typeof t === 'string' ? t : `to-${t.to}`)

/** The class, other than the given one, that the model finds most probable. */
export function alternative(p: Float32Array, at: number, classes: number, given: number): number {
  let best = given === 0 ? 1 : 0
  for (let c = best + 1; c < classes; c++) if (c !== given && p[at + c]! > p[at + best]!) best = c
  return Math.min(best, classes - 1)
}

/** For every row ⟨v, ∇ℓ(z) − ∇ℓ(z′)⟩, written to `out`. `tangents` and `p` are rows × classes, `y` the given classes. O(n·C). */
export function differences(
  treatment: Treatment,
  p: Float32Array,
  tangents: Float32Array,
  y: Int32Array,
  classes: number,
  out: Float32Array,
): void {
  for (let i = 0, at = 0; i < y.length; i++, at += classes) {
    const given = y[i]!
    const own = tangents[at + given]!
    if (treatment === 'remove') {
      let mean = 0
      for (let c = 0; c < classes; c++) mean += p[at + c]! * tangents[at + c]!
      out[i] = mean - own
    } else if (typeof treatment === 'object') {
      out[i] = tangents[at + treatment.to]! - own
    } else {
      const other = classes > 1 ? alternative(p, at, classes, given) : given
      const weight = treatment === 'auto' ? p[at + other]! : 1
      out[i] = weight * (tangents[at + other]! - own)
    }
  }
}

/** Regression: ∇ℓ(z) = (ŷ − y)·∇ŷ. There is no alternative label: every treatment but `to` a value is removal. */
export function valueDifferences(predicted: Float32Array, tangents: Float32Array, y: Float32Array, out: Float32Array): void {
  for (let i = 0; i < y.length; i++) out[i] = (predicted[i]! - y[i]!) * tangents[i]!
}
