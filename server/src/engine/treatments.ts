import type { InputChange } from './changed-rows.ts'

/**
 * What may be done to a training row, as the difference of loss gradients that a treatment makes (METHODS §4; R++ §5.3 with the sign mended):
 * replacing z by z′ changes q by ∇qᵀH⁻¹(∇ℓ(z) − ∇ℓ(z′)), removing it by ∇qᵀH⁻¹∇ℓ(z). With ż_c = ⟨v, ∇z_c⟩, the tangents of a row's logits, and
 * p its probabilities, ⟨v, ∇ℓ⟩ = Σ_c p_c·ż_c − ż_y; so removing is Σ p·ż − ż_y, relabelling to c is ż_c − ż_y: all from the same tangents.
 */
export type LabelTreatment = 'remove' | 'relabel' | 'auto' | { readonly to: number }
/** With other inputs the tangents are others too: see `change-block.ts`. */
export type Treatment = LabelTreatment | InputChange
export const STORED: readonly LabelTreatment[] = ['remove', 'relabel', 'auto']

export const treatmentName = (t: LabelTreatment): string => (typeof t === 'string' ? t : `to-${t.to}`)
export const changesInputs = (t: Treatment): t is InputChange => typeof t === 'object' && 'kind' in t

/** The class, other than the given one, that the model finds most probable. */
export function alternative(p: Float32Array, at: number, classes: number, given: number): number {
  let best = given === 0 ? 1 : 0
  for (let c = best + 1; c < classes; c++) if (c !== given && p[at + c]! > p[at + best]!) best = c
  return Math.min(best, classes - 1)
}

/** For every row ⟨v, ∇ℓ(z) − ∇ℓ(z′)⟩, written to `out`; `auto` is relabelling to the alternative, weighed by `odds`. `tangents` and `p` are rows × classes, `y` the given classes. O(n·C). */
export function differences(
  treatment: LabelTreatment,
  { p, y, classes, confusions }: LabelledRows,
  tangents: Float32Array,
  out: Float32Array,
): void {
  for (let i = 0, at = 0; i < y.length; i++, at += classes) {
    const own = tangents[at + y[i]!]!
    if (treatment === 'remove') {
      let mean = 0
      for (let c = 0; c < classes; c++) mean += p[at + c]! * tangents[at + c]!
      out[i] = mean - own
    } else if (typeof treatment === 'object') {
      out[i] = tangents[at + treatment.to]! - own
    } else {
      const weight = treatment === 'auto' ? confusions.odds[i]! : 1
      out[i] = weight * (tangents[at + (confusions.pairs[i]! % classes)]! - own)
    }
  }
}

export interface LabelledRows {
  /** Probabilities, rows × classes. */
  readonly p: Float32Array
  readonly y: Int32Array
  readonly classes: number
  readonly confusions: Confusions
}

/** What the model takes each row for, beside its label. */
export interface Confusions {
  /** given·classes + alternative. */
  readonly pairs: Int32Array
  /**
   * p_a / t_a, an estimate of how likely the alternative a is the true label: p is fitted to labels some of which are wrong, so even rows of class a get
   * only t_a on average, the mean of p_a over rows labelled a (confident learning's self-confidence, Northcutt et al. 2021, §3.1).
   */
  readonly odds: Float32Array
  /** 1 where the odds reach 1. */
  readonly confident: Uint8Array
}

export function confusionsOf(p: Float32Array, y: Int32Array, classes: number): Confusions {
  const sums = new Float64Array(classes)
  const counts = new Float64Array(classes)
  for (let i = 0; i < y.length; i++) {
    sums[y[i]!]! += p[i * classes + y[i]!]!
    counts[y[i]!]!++
  }
  const typical = sums.map((sum, c) => (counts[c]! > 0 && sum > 0 ? sum / counts[c]! : 1))
  const pairs = new Int32Array(y.length)
  const odds = new Float32Array(y.length)
  const confident = new Uint8Array(y.length)
  for (let i = 0; i < y.length; i++) {
    const given = y[i]!
    const other = classes > 1 ? alternative(p, i * classes, classes, given) : given
    pairs[i] = given * classes + other
    odds[i] = p[i * classes + other]! / typical[other]!
    confident[i] = odds[i]! >= 1 ? 1 : 0
  }
  return { pairs, odds, confident }
}

/** Regression: ∇ℓ(z) = (ŷ − y)·∇ŷ. There is no alternative label: every treatment is removal. */
export function valueDifferences(predicted: Float32Array, tangents: Float32Array, y: Float32Array, out: Float32Array): void {
  for (let i = 0; i < y.length; i++) out[i] = (predicted[i]! - y[i]!) * tangents[i]!
}
