import { isAbsolute } from 'node:path'
import {
  type CancellationToken,
  type Disposable,
  LanguageModelTextPart,
  LanguageModelToolResult,
  lm,
  MarkdownString,
  Uri,
  workspace,
} from 'vscode'
import { commands } from '../../server/src/protocol/messages.ts'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { markdownCell } from './inert-text.ts'
import type { Runner } from './runner.ts'
import type { Server } from './server.ts'
import { checkAnswer, resultAnswer } from './tool-answers.ts'

interface Input {
  readonly file?: unknown
  readonly names?: unknown
  readonly name?: unknown
}

/** A chat assistant may check a spec, run it after a question to the user, and read results. Nothing where the host has no such tools. */
export function languageModelTools(server: Server, runner: Runner): Disposable[] {
  // Older hosts and forks of the editor lack it.
  if (typeof (lm as Partial<typeof lm> | undefined)?.registerTool !== 'function') return []
  const answer = (text: string) => new LanguageModelToolResult([new LanguageModelTextPart(text)])
  const tool = (name: string, work: (input: Input, uri: string, token: CancellationToken) => Promise<string>) => ({
    name,
    invoke: async ({ input }: { readonly input: Input }, token: CancellationToken) => {
      try {
        return answer(await work(input, await specAt(input.file), token))
      } catch (reason) {
        return answer(JSON.stringify({ error: reason instanceof Error ? reason.message : String(reason) }))
      }
    },
  })
  const check = tool('assay_check', async (_input, uri) => {
    const command = workspace.isTrusted ? commands.plan : commands.result
    return checkAnswer(await server.command<ResultFile>(command, { uri }), await server.declared(uri))
  })
  const run = tool('assay_run', async (input, uri, token) => {
    const names = namesIn(input)
    const file = await runner.run({ uri, names, confirm: false }, { telling: 'quiet', token })
    return file ? resultAnswer(file) : JSON.stringify({ error: 'The user did not want it.' })
  })
  const result = tool('assay_result', async ({ name }, uri) => {
    const about = typeof name === 'string' && name !== '' ? { uri, name } : { uri }
    return resultAnswer(await server.command<ResultFile>(commands.result, about))
  })
  return [
    lm.registerTool(check.name, { invoke: check.invoke, prepareInvocation: () => ({ invocationMessage: 'Checking the spec' }) }),
    lm.registerTool(result.name, { invoke: result.invoke, prepareInvocation: () => ({ invocationMessage: 'Reading results' }) }),
    lm.registerTool<Input>(run.name, {
      invoke: run.invoke,
      prepareInvocation: ({ input }) => {
        const names = namesIn(input)
        const what = names ? names.map((name) => markdownCell(name)).join(', ') : 'all declarations'
        const message = `Run ${what} of ${markdownCell(String(input.file), 200)} on this machine? Models may be trained; nothing is spent and no data is changed.`
        return {
          invocationMessage: 'Running declarations',
          confirmationMessages: { title: 'Run with Assay', message: new MarkdownString(message) },
        }
      },
    }),
  ]
}

function namesIn({ names }: Input): readonly string[] | undefined {
  const given = Array.isArray(names) ? names.filter((one): one is string => typeof one === 'string') : []
  return given.length > 0 ? given : undefined
}

/** A spec by an absolute path, or by one below a folder of the workspace. */
async function specAt(file: unknown): Promise<string> {
  if (typeof file !== 'string' || !/\.assay$/i.test(file)) throw new Error('`file` is the path of an .assay file.')
  const folders = workspace.workspaceFolders ?? []
  const candidates = isAbsolute(file) ? [Uri.file(file)] : folders.map((folder) => Uri.joinPath(folder.uri, file))
  for (const uri of candidates) {
    const there = await workspace.fs.stat(uri).then(
      () => true,
      () => false,
    )
    if (there) return uri.toString()
  }
  throw new Error(`There is no file ${file}${isAbsolute(file) ? '' : ' below the workspace’s folders'}.`)
}
