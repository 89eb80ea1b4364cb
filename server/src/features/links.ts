import type { DocumentLink } from 'vscode-languageserver'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'

/** Paths in a spec, as links to the files that they name. Patterns for many files lead nowhere in particular. */
export function documentLinks(snapshot: Snapshot): DocumentLink[] {
  return snapshot.occurrences.flatMap((one) => {
    if (one.target.kind !== 'file' || /[*?]/.test(one.target.path) || one.end - one.start < 3) return []
    const remote = /^[a-z][a-z0-9+.-]+:\/\//i.test(one.target.path)
    if (remote) return []
    return [{ range: rangeOf(snapshot, { start: one.start + 1, end: one.end - 1 }), target: snapshot.uri(one.target.path) }]
  })
}
