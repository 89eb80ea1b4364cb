import { readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Change, changed, type Document } from '../workspace/documents.ts'
import { type SpecFile, specFile } from '../workspace/snapshot.ts'

/**
 * The files of a session: those open in the editor as they are there, all others as they are on disk, parsed once for each state. Below
 * `server/` stands what lasts longer than a request: files, schemas, results, runs; the protocol itself is `server.ts`'s alone.
 */
export interface SpecFiles {
  open(document: Omit<Document, 'path'>): string
  change(uri: string, changes: readonly Change[], version: number): string | undefined
  close(uri: string): string | undefined
  /** Parsed; undefined where there is no such text file. */
  file(path: string): SpecFile | undefined
  version(path: string): number | undefined
  /** As the editor spells it, where it has the file open. */
  uri(path: string): string
  readonly opened: readonly string[]
  /** Specs below folders, those open among them; folders of tools are not entered. */
  below(folders: readonly string[]): Promise<readonly string[]>
}

const largestBytes = 8 * 2 ** 20
const mostFiles = 2000
const skipped = new Set(['node_modules', '.git', '.assay', 'dist', '.venv', '__pycache__'])

export function specFiles(): SpecFiles {
  const documents = new Map<string, { readonly document: Document; parsed?: SpecFile }>()
  const disk = new Map<string, { readonly stamp: string; readonly parsed: SpecFile }>()

  const onDisk = (path: string): SpecFile | undefined => {
    try {
      const stats = statSync(path)
      if (!stats.isFile() || stats.size > largestBytes) return undefined
      const stamp = `${stats.size} ${stats.mtimeMs}`
      const known = disk.get(path)
      if (known?.stamp === stamp) return known.parsed
      const parsed = specFile(path, new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path)))
      disk.set(path, { stamp, parsed })
      return parsed
    } catch {
      disk.delete(path)
      return undefined
    }
  }

  return {
    open(document) {
      const path = pathOf(document.uri)
      documents.set(path, { document: { ...document, path } })
      return path
    },
    change(uri, changes, version) {
      const path = pathOf(uri)
      const known = documents.get(path)
      if (known === undefined) return undefined
      documents.set(path, { document: changed(known.document, changes, version) })
      return path
    },
    close(uri) {
      const path = pathOf(uri)
      return documents.delete(path) ? path : undefined
    },
    file(path) {
      const open = documents.get(path)
      if (open === undefined) return onDisk(path)
      open.parsed ??= specFile(path, open.document.text)
      return open.parsed
    },
    version: (path) => documents.get(path)?.document.version,
    uri: (path) => documents.get(path)?.document.uri ?? uriOf(path),
    get opened() {
      return [...documents.keys()]
    },
    async below(folders) {
      const found = new Set(documents.keys())
      const queue = [...folders]
      for (let folder = queue.shift(); folder !== undefined && found.size < mostFiles; folder = queue.shift()) {
        const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
        for (const entry of entries) {
          if (entry.isDirectory() && !skipped.has(entry.name)) queue.push(join(folder, entry.name))
          if (entry.isFile() && entry.name.endsWith('.assay')) found.add(join(folder, entry.name))
        }
      }
      return [...found]
    },
  }
}

/** A document that is no file yet stands in the working folder. */
export function pathOf(uri: string): string {
  if (uri.startsWith('file:')) return fileURLToPath(uri)
  return join(process.cwd(), `${uri.replace(/^[a-z][a-z0-9+.-]*:/i, '').replace(/[^\w.-]+/g, '_') || 'untitled'}.assay`)
}

function uriOf(path: string): string {
  return isAbsolute(path) ? pathToFileURL(path).href : path
}
