import { type ExtensionContext, Uri, workspace } from 'vscode'
import type { Installation } from './command-line.ts'

export function installationOf(context: ExtensionContext): Installation {
  const runtime = workspace.getConfiguration('assay').get<string | null>('runtime') || undefined
  return { entry: Uri.joinPath(context.extensionUri, 'bin', 'assay.mjs').fsPath, own: process.execPath, runtime }
}
