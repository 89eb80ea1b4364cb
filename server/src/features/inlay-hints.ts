import type { InlayHint } from 'vscode-languageserver'
import { figure, share } from '../report/figures.ts'
import type { Range } from '../workspace/documents.ts'
import { offsetOf, positionAt, type Snapshot } from '../workspace/snapshot.ts'

/** Sizes behind the names of sources and slices, from stored results; others are counted in the background. */
export function inlayHints(snapshot: Snapshot, range: Range): InlayHint[] {
  const from = offsetOf(snapshot, range.start)
  const to = offsetOf(snapshot, range.end)
  return snapshot.ast.declarations.flatMap((decl) => {
    if (!decl.name || decl.name.end < from || decl.name.start > to) return []
    if (decl.kind !== 'slice' && decl.kind !== 'source') return []
    const last = snapshot.last(decl.name.text)
    const result = last?.result
    if (last?.state !== 'current') snapshot.counting(decl.name.text)
    if (result === undefined || (result.kind !== 'slice' && result.kind !== 'source') || result.rows === undefined) return []
    const part = result.kind === 'slice' ? `, ${share(result.share)}` : ''
    const stale = last?.state === 'current' ? '' : '?'
    return [{ position: positionAt(snapshot, decl.name.end), label: `${figure(result.rows)} rows${part}${stale}`, paddingLeft: true }]
  })
}
