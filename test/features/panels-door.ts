import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect } from 'vitest'
import { openEngine } from '../../server/src/engine/engine.ts'
import type { ActAnswer } from '../../server/src/protocol/messages.ts'
import type { ActionId, Page, PageAddress, TableSection } from '../../server/src/protocol/pages.ts'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { runDeclarations } from '../../server/src/server/commands.ts'
import { openPages } from '../../server/src/server/pages.ts'
import { openWorkspace, type Workspace } from '../../server/src/server/workspace.ts'
import { problemsOf, type Snapshot } from '../../server/src/workspace/snapshot.ts'
import { toyFolder } from '../support/run-toy.ts'

/** The door to what panels ask of the server: a session over files in a folder, on the reference engine in this process. */
export interface Panels {
  readonly workspace: Workspace
  readonly uri: string
  readonly folder: string
  run(...names: string[]): Promise<ResultFile>
  page(name: string, more?: Partial<PageAddress>): Promise<Page | null>
  /** Does something with rows of a section of the page that was last asked for. */
  act(
    page: Page,
    action: ActionId,
    rows?: readonly number[],
    section?: string,
    more?: { readonly column?: number; readonly input?: string },
  ): Promise<ActAnswer>
  /** The spec with what an answer inserts, which must make sense; it becomes the file's text. */
  insert(answer: ActAnswer): Snapshot
  change(text: string): void
}

export function openPanels(files: Readonly<Record<string, string | Uint8Array>>, spec: string): Panels {
  const folder = toyFolder({ ...files, 'package.json': '{}', 'test.assay': spec })
  const path = join(folder, 'test.assay')
  const uri = pathToFileURL(path).href
  const workspace = openWorkspace({ env: {}, startEngine: (options) => openEngine({ ...options, engine: 'reference', threads: 1 }) })
  afterAll(async () => {
    await workspace.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let version = 1
  workspace.files.open({ uri, text: spec, version } as never)
  const change = (text: string) => {
    workspace.files.close(uri)
    workspace.files.open({ uri, text, version: ++version } as never)
    writeFileSync(path, text)
    workspace.touch()
  }
  const pages = openPages(workspace)
  return {
    workspace,
    uri,
    folder,
    change,
    run: (...names) => runDeclarations(workspace, { uri, names }, { handle: () => {}, onCancel: () => {} }),
    page: (name, more) => pages.page({ uri, name, what: 'result', ...more }, () => {}),
    act: (page, action, rows = [], section, more) => pages.act({ address: page.address, action, section, rows, ...more }),
    insert(answer) {
      expect(answer.say).toBeUndefined()
      const { line, character = 0, text } = answer.insert!
      const lines = workspace.snapshot(path)!.text.split('\n')
      const before = lines.slice(0, line).join('\n') + (line > 0 && line < lines.length ? '\n' : '')
      const rest = lines.slice(line).join('\n')
      change(before + rest.slice(0, character) + text + rest.slice(character))
      const snapshot = workspace.snapshot(path)!
      expect(problemsOf(snapshot)).toEqual([])
      return snapshot
    },
  }
}

export function tableOf(page: Page | null, id: string): TableSection {
  const found = page?.sections.find((one) => one.type === 'table' && one.id === id)
  if (found?.type !== 'table') throw new Error(`no table ${id} in ${page?.sections.map((one) => one.id).join(', ')}`)
  return found
}
