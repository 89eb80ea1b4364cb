import { env, Position, Range, Selection, TextEditorRevealType, Uri, WorkspaceEdit, window, workspace } from 'vscode'
import { type ActAnswer, requests } from '../../server/src/protocol/messages.ts'
import type { Page, PageAddress } from '../../server/src/protocol/pages.ts'
import type { FromPanel } from '../../server/src/protocol/panels.ts'
import { tellFailure } from './failures.ts'
import { fileNameFor } from './file-names.ts'
import { inertText } from './inert-text.ts'
import { asked, reasonOf } from './outcomes.ts'
import { columnFor } from './panels.ts'
import type { Runner } from './runner.ts'
import type { Server } from './server.ts'

/** What a panel may ask for, carried out: by undoable edits of specs, never of data; by a jump, a run, a file that the user names. */
export function panelActs(server: Server, runner: Runner, open: (address: PageAddress) => Promise<void>) {
  const act = async (address: PageAddress, message: Extract<FromPanel, { type: 'act' }>): Promise<void> => {
    const { action, section, rows, column } = message
    if (action === 'run') return void (await runner.run({ uri: address.uri, names: [address.name] }))
    const question = { address, action, section, rows, column }
    let answer = await server.request<ActAnswer>(requests.act, question)
    while (answer.ask) {
      const input = await typed(answer.ask)
      if (input === undefined) return
      answer = await server.request<ActAnswer>(requests.act, { ...question, input })
    }
    if (answer.insert) await insert(answer.insert)
    if (answer.show) await show(answer.show)
    if (answer.say) void window.showInformationMessage(inertText(answer.say))
    if (answer.open) await open(answer.open)
    if (answer.run) await run(answer.run)
  }
  const run = async ({ uri, names, then }: NonNullable<ActAnswer['run']>): Promise<void> => {
    const file = await runner.run({ uri, names }, then ? { telling: 'quiet' } : {})
    if (then === undefined || file === undefined) return
    const failed = asked(file, names).find((one) => one.status === 'failed')
    if (failed === undefined) return open(then)
    throw new Error(`${inertText(failed.name, 80)} could not be computed. ${reasonOf(failed)}`)
  }
  return (address: PageAddress, page: Page | undefined, message: FromPanel): void => {
    const done = (work: PromiseLike<unknown>) => void Promise.resolve(work).catch(tellFailure)
    switch (message.type) {
      case 'ready':
        break
      case 'act':
        done(act(address, message))
        break
      case 'cancel':
        done(runner.cancel({ uri: address.uri }))
        break
      case 'copy':
        done(env.clipboard.writeText(message.text).then(() => window.setStatusBarMessage('Copied.', 3000)))
        break
      case 'save':
        done(save(address, page, message))
        break
    }
  }
}

/** What was typed before stays to be mended, below it what is wrong with it. */
function typed({ title, prompt, value, problem }: NonNullable<ActAnswer['ask']>): Thenable<string | undefined> {
  const wrong = problem === undefined ? undefined : inertText(problem)
  return window.showInputBox({
    title: inertText(title, 200),
    prompt: inertText(prompt),
    value,
    ignoreFocusOut: true,
    validateInput: (input) => (wrong !== undefined && input === value ? wrong : undefined),
  })
}

async function insert({ uri, line, character = 0, text }: NonNullable<ActAnswer['insert']>): Promise<void> {
  const target = Uri.parse(uri)
  const document = await workspace.openTextDocument(target)
  const at = new Position(Math.min(line, document.lineCount), character)
  const edit = new WorkspaceEdit()
  // Beyond the last line there is no line to stand on.
  const lead = at.line >= document.lineCount && document.lineAt(document.lineCount - 1).text !== '' ? '\n' : ''
  edit.insert(target, at, lead + text)
  if (!(await workspace.applyEdit(edit))) throw new Error('The editor did not take the edit: the spec may be read-only.')
  const first = at.line + leadingLines(lead + text)
  const editor = await window.showTextDocument(document, { viewColumn: columnFor(target) })
  const start = new Position(Math.min(first, document.lineCount - 1), 0)
  editor.selection = new Selection(start, start)
  editor.revealRange(new Range(start, start), TextEditorRevealType.InCenterIfOutsideViewport)
}

const leadingLines = (text: string) => /^\s*/.exec(text)![0].split('\n').length - 1

async function show({ uri, line, character, endLine, endCharacter }: NonNullable<ActAnswer['show']>): Promise<void> {
  const target = Uri.parse(uri)
  await window.showTextDocument(target, { viewColumn: columnFor(target), selection: new Range(line, character, endLine, endCharacter) })
}

async function save(address: PageAddress, page: Page | undefined, message: Extract<FromPanel, { type: 'save' }>): Promise<void> {
  const { format, name, text } = message
  const folder = Uri.joinPath(Uri.parse(address.uri), '..')
  const file = fileNameFor(name || page?.title || address.name, format)
  const target = await window.showSaveDialog({ defaultUri: Uri.joinPath(folder, file), filters: { [format.toUpperCase()]: [format] } })
  if (target === undefined) return
  await workspace.fs.writeFile(target, new TextEncoder().encode(text))
  window.setStatusBarMessage(`Saved ${workspace.asRelativePath(target)}.`, 5000)
}
