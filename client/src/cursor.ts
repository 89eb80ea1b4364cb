import { type TextEditor, window } from 'vscode'
import { type Declared, declaredAt } from './declarations.ts'
import type { Server } from './server.ts'

export interface Target {
  readonly uri: string
  readonly name: string
}

/** The spec that is being looked at. */
export function specEditor(): TextEditor | undefined {
  const editor = window.activeTextEditor
  if (editor?.document.languageId === 'assay') return editor
  void window.showInformationMessage('Open a spec (a file that ends in .assay) first.')
  return undefined
}

/** The declaration at the cursor; where there is none, one that the user picks. */
export async function declarationAtCursor(server: Server): Promise<Target | undefined> {
  const editor = specEditor()
  if (editor === undefined) return undefined
  const { document, selection } = editor
  const uri = document.uri.toString()
  const declared = await server.declared(uri)
  const lineText = (line: number) => (line < document.lineCount ? document.lineAt(line).text : '')
  const found = declaredAt(declared, selection.active.line, lineText) ?? (await picked(declared))
  return found && { uri, name: found.name }
}

async function picked(declared: readonly Declared[]): Promise<Declared | undefined> {
  if (declared.length === 0) {
    void window.showInformationMessage('Nothing is declared in this file yet.')
    return undefined
  }
  const items = declared.map((one) => ({ label: one.name, description: one.kind, one }))
  return (await window.showQuickPick(items, { title: 'Which declaration?', matchOnDescription: true }))?.one
}
