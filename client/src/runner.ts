import { type CancellationToken, commands as editor, Position, Range, Uri, window, workspace } from 'vscode'
import {
  type CancelArguments,
  type CommandName,
  commands,
  type PreviewArguments,
  type RunArguments,
} from '../../server/src/protocol/messages.ts'
import type { PageAddress } from '../../server/src/protocol/pages.ts'
import type { Result, ResultFile } from '../../server/src/protocol/results.ts'
import { sameUri } from './addresses.ts'
import { declarationAtCursor } from './cursor.ts'
import { spends } from './declarations.ts'
import { inertText } from './inert-text.ts'
import { asked, firstError, isUnmet, reasonOf, summaryOf } from './outcomes.ts'
import { withRunProgress } from './progress.ts'
import type { Server } from './server.ts'
import { confirmedSpending } from './spending.ts'

/** Runs what is declared, whoever asks: a lens, a key, a panel, a test, a chat. Each ends in a panel, a sentence, or both. */
export interface Runner {
  run(args: RunArguments, how?: Manner): Promise<ResultFile | undefined>
  cancel(args?: Partial<CancelArguments>): Promise<number>
  /** Whether a run that was begun here is to give a result of that name. */
  isRunning(uri: string, name: string): boolean
}
export interface Manner {
  /** `quiet`: whoever asked shows the result. */
  readonly telling?: 'quiet'
  readonly token?: CancellationToken
}

interface Job {
  readonly uri: string
  readonly names?: readonly string[]
}

export function makeRunner(server: Server, open: (address: PageAddress) => Promise<void>): Runner {
  const jobs = new Set<Job>()

  const run = async (args: RunArguments, how: Manner = {}): Promise<ResultFile | undefined> => {
    if (!workspace.isTrusted) throw new Error('This workspace is not trusted: nothing is run and no data is read until it is.')
    const confirm = args.confirm ?? (await permission(args))
    if (confirm === undefined) return undefined
    const job = { uri: sameUri(args.uri), names: args.names?.map((name) => name.toLowerCase()) }
    const title = `Assay: ${args.names?.length ? inertText(args.names.join(', '), 80) : 'all declarations'}`
    jobs.add(job)
    try {
      const sent = confirm ? { ...args, confirm } : args
      const wait = { uri: args.uri, title, token: how.token }
      const file = await withRunProgress(server, wait, (token) => server.command<ResultFile>(commands.run, sent, token))
      if (how.telling !== 'quiet') void tell(args, file)
      return file
    } finally {
      jobs.delete(job)
    }
  }

  /** `undefined`: the user would rather not. Only declarations that are named spend anything. */
  const permission = async (args: RunArguments): Promise<boolean | undefined> => {
    const [name] = args.names ?? []
    if (name === undefined) return false
    const declared = await server.declared(args.uri)
    const spending = declared.filter((one) => spends(one.kind) && args.names!.some((name) => name.toLowerCase() === one.name.toLowerCase()))
    for (const { name } of spending) {
      const planned = await server.command<ResultFile>(commands.plan, { uri: args.uri, names: [name] })
      const [plan] = asked(planned, [name])
      // What this version cannot run says so when it is run.
      if (plan?.status !== 'planned') continue
      await open({ uri: args.uri, name, what: 'plan' })
      if (!(await confirmedSpending(plan))) return undefined
    }
    return spending.length > 0
  }

  const tell = async (args: RunArguments, file: ResultFile): Promise<void> => {
    const results = asked(file, args.names)
    const [only] = results
    if (only === undefined) return tellProblem(file)
    if (results.length > 1) return tellMany(args.uri, results)
    return tellOne(args.uri, only)
  }

  const tellOne = async (uri: string, result: Result): Promise<void> => {
    const name = inertText(result.name, 80)
    const address = { uri, name: result.name, what: 'result' } as const
    if (result.status === 'cancelled') return void window.setStatusBarMessage(`${name} was cancelled.`, 5000)
    if (result.status === 'skipped') return void window.showInformationMessage(`${name}: ${reasonOf(result) || 'it was skipped.'}`)
    if (result.status === 'failed') {
      const actions = result.fault === 'data' ? (['Show Result'] as const) : (['Show Result', 'Show Log'] as const)
      const chosen = await window.showErrorMessage(`${name} could not be computed. ${reasonOf(result)}`, ...actions)
      if (chosen === 'Show Result') return open(address)
      if (chosen === 'Show Log') await editor.executeCommand('assay.showLog')
      return
    }
    if (opensPanel(result)) return open(address)
    window.setStatusBarMessage(`Assay: ${name} is done; the lens above it has the verdict.`, 5000)
  }

  const tellMany = async (uri: string, results: readonly Result[]): Promise<void> => {
    const unmet = results.filter(isUnmet)
    const show = unmet.length > 0 ? window.showWarningMessage : window.showInformationMessage
    const chosen = await show(summaryOf(results), unmet.length > 0 ? 'Show…' : 'Show Results…')
    if (chosen === undefined) return
    const items = (unmet.length > 0 ? unmet : results).map((one) => ({
      label: one.name,
      description: `${one.kind} · ${one.status}`,
      detail: reasonOf(one),
    }))
    const picked = await window.showQuickPick(items, { title: 'Assay: results', matchOnDescription: true })
    if (picked) await open({ uri, name: picked.label, what: 'result' })
  }

  return {
    run,
    cancel: async (args = {}) => {
      const uris = args.uri === undefined ? [...new Set([...jobs].map((job) => job.uri))] : [args.uri]
      const stopped = await Promise.all(uris.map((uri) => server.command<number>(commands.cancel, { ...args, uri })))
      return stopped.reduce((sum, n) => sum + n, 0)
    },
    isRunning: (uri, name) =>
      [...jobs].some((job) => job.uri === sameUri(uri) && (job.names === undefined || job.names.includes(name.toLowerCase()))),
  }
}

function opensPanel(result: Result): boolean {
  const when = workspace.getConfiguration('assay').get<string>('run.openPanel', 'always')
  if (when === 'never') return false
  if (when === 'unmet') return isUnmet(result)
  // A count is in the lens.
  return result.kind !== 'source' && result.kind !== 'slice'
}

export async function tellProblem(file: ResultFile): Promise<void> {
  const error = firstError(file.problems)
  if (error === undefined) return void window.showInformationMessage('Nothing is declared here that could be run.')
  const chosen = await window.showErrorMessage(`Nothing was computed: ${reasonOf(error)}`, 'Show Problem')
  if (chosen === undefined) return
  const at = new Position(Math.max(0, error.line - 1), Math.max(0, error.column - 1))
  await window.showTextDocument(Uri.file(error.file), { selection: new Range(at, at) })
}

/** What a command of the server does in this editor: arguments as in the protocol, or none for what the cursor is in. */
export function commandOf(
  server: Server,
  runner: Runner,
  open: (address: PageAddress) => Promise<void>,
): (command: CommandName, argument: unknown) => Promise<unknown> {
  const target = async (argument: unknown): Promise<Partial<RunArguments & CancelArguments & PreviewArguments>> => {
    if (typeof argument === 'object' && argument !== null) return argument
    const here = await declarationAtCursor(server)
    return here ? { ...here, names: [here.name] } : {}
  }
  return async (command, argument) => {
    if (command === commands.cancel) return runner.cancel((argument ?? {}) as Partial<CancelArguments>)
    const args = await target(argument)
    const { uri } = args
    if (uri === undefined) return undefined
    if (command === commands.run) return runner.run({ ...args, uri })
    // Without a name it is the protocol's own command.
    const name = args.name ?? args.names?.[0]
    if (name === undefined) return server.command(command, args)
    const { where, limit, query } = args
    const what = command === commands.plan ? 'plan' : command === commands.preview ? 'preview' : 'result'
    return open({ uri, name, what, where, limit, query })
  }
}
