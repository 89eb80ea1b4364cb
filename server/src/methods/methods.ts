/**
 * `assay/methods`: the algorithms as pure functions over typed arrays, for use without the editor. This file only names what is public;
 * each function is documented where it stands. Long ones return promises and take a cancellation token; all are deterministic given `rng`.
 */
export { Cancelled, type CancelToken } from './cancel.ts'
export { conjugateGradient } from './influence/conjugate-gradient.ts'
export { lanczos } from './influence/lanczos.ts'
export { type ImageShape, medianFilter } from './influence/median-filter.ts'
export { rankBySpectrum } from './influence/rank-by-spectrum.ts'
export { residentIndex } from './influence/spectral-kernel.ts'
export { describeRows } from './slices/describe-rows.ts'
export { discoverSlices } from './slices/discover-slices.ts'
export { entropyTree } from './slices/entropy-tree.ts'
export { findSlices } from './slices/find-slices.ts'
