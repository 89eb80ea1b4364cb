import { existsSync } from 'node:fs'
import { commands, type ExtensionContext, FileType, Uri, ViewColumn, window, workspace } from 'vscode'
import { inertText } from './inert-text.ts'
import type { Runner } from './runner.ts'
import type { Server } from './server.ts'

/**
 * The sample of the walkthrough: copied once into a folder of the extension, where it may be changed, or into one that the user picks. Each step of
 * the walkthrough is a command that opens it and does what the step is about, on the first declaration of that kind.
 */
export interface Sample {
  open(): Promise<Uri>
  copy(): Promise<void>
  attempt(kind: 'assert' | 'complaint' | 'intervene' | 'discover'): Promise<void>
}

export function makeSample(context: ExtensionContext, server: Server, runner: Runner): Sample {
  const made = async (): Promise<Uri> => {
    const folder = Uri.joinPath(context.globalStorageUri, 'sample')
    const existing = await specIn(folder)
    if (existing) return existing
    return copyInto(folder)
  }
  const copyInto = async (folder: Uri): Promise<Uri> => {
    const origin = await originIn(context.extensionUri)
    await workspace.fs.createDirectory(folder)
    for (const [name, type] of await workspace.fs.readDirectory(origin))
      if (type === FileType.File) await workspace.fs.copy(Uri.joinPath(origin, name), Uri.joinPath(folder, name), { overwrite: true })
    // Marks the folder as a project of its own: results are kept beside the sample.
    await workspace.fs.createDirectory(Uri.joinPath(folder, '.assay'))
    const spec = await specIn(folder)
    if (spec === undefined) throw new Error(`There is no spec in ${origin.fsPath}: install this extension again.`)
    return spec
  }
  const open = async () => {
    const spec = await made()
    await window.showTextDocument(spec, { viewColumn: ViewColumn.One, preview: false })
    return spec
  }
  return {
    open,
    copy: async () => {
      const [parent] = (await window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false, openLabel: 'Copy Here' })) ?? []
      if (parent === undefined) return
      const folder = await free(parent, 'assay-sample')
      await window.showTextDocument(await copyInto(folder), { viewColumn: ViewColumn.One, preview: false })
      const chosen = await window.showInformationMessage(`The sample is in ${inertText(folder.fsPath)}.`, 'Open Folder')
      if (chosen) await commands.executeCommand('vscode.openFolder', folder)
    },
    attempt: async (kind) => {
      const uri = (await open()).toString()
      const one = (await server.declared(uri)).find((declared) => declared.kind === kind)
      if (one === undefined) {
        void window.showInformationMessage(
          `This sample declares no \`${kind}\` any more. Undo your edits, or copy a fresh sample to a folder.`,
        )
        return
      }
      await runner.run({ uri, names: [one.name] })
    },
  }
}

/** Inside the package, or in a checkout where the build leaves it. */
async function originIn(extension: Uri): Promise<Uri> {
  for (const parts of [['sample'], ['dist', 'sample']]) {
    const folder = Uri.joinPath(extension, ...parts)
    if (await specIn(folder)) return folder
  }
  throw new Error('The sample is not inside this build of Assay. In a checkout, `npm run package` makes it.')
}

async function specIn(folder: Uri): Promise<Uri | undefined> {
  // The editor logs a failure of its own, with a stack trace, for a folder that is not there.
  if (folder.scheme === 'file' && !existsSync(folder.fsPath)) return undefined
  const entries = await Promise.resolve(workspace.fs.readDirectory(folder)).catch(() => [])
  const name = entries.find(([name, type]) => type === FileType.File && name.endsWith('.assay'))?.[0]
  return name === undefined ? undefined : Uri.joinPath(folder, name)
}

async function free(parent: Uri, name: string): Promise<Uri> {
  const taken = new Set((await workspace.fs.readDirectory(parent)).map(([one]) => one.toLowerCase()))
  let chosen = name
  for (let i = 2; taken.has(chosen); i++) chosen = `${name}-${i}`
  return Uri.joinPath(parent, chosen)
}
