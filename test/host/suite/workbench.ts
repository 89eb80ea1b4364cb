import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import * as vscode from 'vscode'

/**
 * The suite's door to the editor it runs in: its API where that says what is to be seen, and the browser below it (`page`) where only the screen does.
 */
export function file(name: string): vscode.Uri {
  return vscode.Uri.file(join(vscode.workspace.workspaceFolders![0]!.uri.fsPath, name))
}

export async function open(name: string, column = vscode.ViewColumn.One): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file(name)), { viewColumn: column, preview: false })
}

/** Changes the text without saving it. */
export async function replace(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const at = editor.document.getText().indexOf(from)
  if (at < 0) throw new Error(`There is no ${JSON.stringify(from)} in ${editor.document.fileName}.`)
  const range = new vscode.Range(editor.document.positionAt(at), editor.document.positionAt(at + from.length))
  if (!(await editor.edit((edit) => edit.replace(range, to)))) throw new Error('The edit was refused.')
}

/** Puts the line of a text where it and the lenses above it are seen. */
export function reveal(editor: vscode.TextEditor, text: string): void {
  const { line } = editor.document.positionAt(editor.document.getText().indexOf(text))
  editor.revealRange(new vscode.Range(Math.max(0, line - 2), 0, line + 20, 0), vscode.TextEditorRevealType.AtTop)
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor').then(undefined, () => undefined)
  for (const tab of vscode.window.tabGroups.all.flatMap((group) => group.tabs)) {
    if (!tab.isDirty) continue
    await vscode.window.tabGroups.close(tab, true).then(undefined, () => undefined)
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors')
}

/** What `look` sees as soon as it sees something; where it never does, the test says what it waited for and what it last saw. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 90_000,
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`)
    await sleep(50)
  }
}

export interface Problem {
  /** `line:character` of its start. */
  readonly at: string
  readonly message: string
  readonly severity: vscode.DiagnosticSeverity
  readonly code: string
}
export function problemsOf(name: string): Problem[] {
  return vscode.languages.getDiagnostics(file(name)).map(({ range, message, severity, code }) => ({
    at: `${range.start.line + 1}:${range.start.character + 1}`,
    message,
    severity,
    code: String(typeof code === 'object' ? code.value : code),
  }))
}

export async function lensesOf(name: string): Promise<vscode.Command[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', file(name), 100)
  return (lenses ?? []).flatMap(({ command }) => (command ? [command] : []))
}

/** Does what a click on the lens of a declaration does. */
export async function press(name: string, declaration: string, title: string): Promise<unknown> {
  const lens = await until(`the lens ${title} of ${declaration}`, async () =>
    (await lensesOf(name)).find((one) => one.title === title && JSON.stringify(one.arguments).includes(`"${declaration}"`)),
  )
  return vscode.commands.executeCommand(lens.command, ...(lens.arguments ?? []))
}

let browser: Browser | undefined

/** The workbench as the screen has it. */
export async function page(): Promise<Page> {
  browser ??= await chromium.connectOverCDP(process.env.ASSAY_HOST_CDP!)
  const pages = browser.contexts().flatMap((context) => context.pages())
  const workbench = pages.find((one) => /payload=|workbench\.html/.test(one.url()))
  if (!workbench) throw new Error(`No page of ${pages.length} is the workbench.`)
  return workbench
}

/** Leaves the browser as it is: it is not ours to close. */
export async function leavePage(): Promise<void> {
  await browser?.close()
  browser = undefined
}
