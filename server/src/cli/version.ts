import { readFileSync } from 'node:fs'

/** Of the package. */
export function version(): string {
  // `dist/`, `server/src/` and `server/src/cli/` lie below the package's folder.
  for (const up of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { name?: string; version?: string }
      if (manifest.name === 'assay' && manifest.version) return manifest.version
    } catch {
      // Not there: try the next.
    }
  }
  return 'unknown'
}
