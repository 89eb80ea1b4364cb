import type { ResultFile } from '../protocol/results.ts'
import { inertJson } from './inert.ts'

/** `assay-result/1` as text, harmless on a terminal; numbers that JSON cannot hold are null. */
export function jsonReport(file: ResultFile): string {
  return `${inertJson(JSON.stringify(file, undefined, 2))}\n`
}
