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
    const first = await server.request<ActAnswer>(requests.act, question)
    const withInput = (input: string) => server.request<ActAnswer>(requests.act, { ...question, input })
    const answer = first.ask ? await typed(first.ask, withInput) : first
    if (answer === undefined) return
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

/** A box that stays open until what was typed will do; `undefined` where the user would rather not. */
function typed(
  { title, prompt, value }: NonNullable<ActAnswer['ask']>,
  answerTo: (input: string) => Promise<ActAnswer>,
): Promise<ActAnswer | undefined> {
  const box = window.createInputBox()
  box.title = inertText(title, 200)
  box.prompt = inertText(prompt)
  box.value = value
  box.ignoreFocusOut = true
  return new Promise<ActAnswer | undefined>((done, fail) => {
    box.onDidChangeValue(() => {
      box.validationMessage = undefined
    })
    box.onDidAccept(async () => {
      if (box.busy) return
      box.busy = true
      try {
        const answer = await answerTo(box.value)
        if (answer.ask === undefined) return done(answer)
        box.validationMessage = inertText(answer.ask.problem ?? answer.ask.prompt)
      } catch (reason) {
        fail(reason)
      } finally {
        box.busy = false
      }
    })
    box.onDidHide(() => done(undefined))
    box.show()
  }).finally(() => box.dispose())
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
