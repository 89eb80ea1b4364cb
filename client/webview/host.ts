import type { FromPanel } from '../../server/src/protocol/panels.ts'
import type { Kept } from './state.ts'

interface EditorApi {
  postMessage(message: FromPanel): void
  getState(): unknown
  setState(state: Kept): void
}
declare function acquireVsCodeApi(): EditorApi

/** The extension that hosts this page. The editor gives it out once. */
export const host: EditorApi = acquireVsCodeApi()
