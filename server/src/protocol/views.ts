import type { Key, Result } from './results.ts'

/**
 * A view is everything that a panel or a report draws of one result, as plain data: nothing is computed from it but layout.
 */
export interface View {
  readonly schema: 'assay-view/1'
  readonly result: Result
  /** The declaration as written, and its doc comment. */
  readonly text: string
  readonly doc?: string
  /** Pictures of rows shown in the result, by `JSON.stringify(key)`; those of an `InferenceRow` by `JSON.stringify([source, key])`. */
  readonly pictures: Readonly<Record<string, Picture>>
}
/** Grey levels, row-major, base64. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly pixels: string
  readonly key: Key
}
