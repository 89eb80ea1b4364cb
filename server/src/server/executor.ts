import type { RunEvent } from '../engine/events.ts'
import {
  type CancelArguments,
  commands,
  type RanParams,
  type ResultArguments,
  type RunArguments,
  type StatusParams,
} from '../protocol/messages.ts'
import type { Mood } from '../protocol/pages.ts'
import type { BackendInfo, ResultFile } from '../protocol/results.ts'
import { inert } from '../report/inert.ts'
import { mood, sentences, summary, verdict } from '../report/wording.ts'
import { cancelRuns, lastResults, planDeclarations, previewRows, runDeclarations } from './commands.ts'
import { Unable } from './unable.ts'
import type { Workspace } from './workspace.ts'

/** How a command tells how far it is, and learns that it is no longer wanted. */
export interface CommandProgress {
  begin(title: string): void
  report(percentage: number | undefined, message: string): void
  done(): void
  onCancel(stop: () => void): void
}
export interface Teller {
  status(params: StatusParams): void
  ran(params: RanParams): void
  /** For clients that show no results themselves. */
  say(message: string, mood: Mood): void
  finished(): void
}

const reportEveryMs = 100

/** Carries out `workspace/executeCommand`. Arguments come from outside: what they lack is said in a sentence. */
export function executor(workspace: Workspace, teller: Teller) {
  const running = new Map<object, StatusParams['running'][number]>()
  let backend: BackendInfo | null = null
  const tellStatus = (message?: string) =>
    teller.status({ state: running.size > 0 ? 'running' : message ? 'failed' : 'ready', running: [...running.values()], backend, message })

  const run = async (args: RunArguments, progress: CommandProgress): Promise<ResultFile> => {
    const job = {}
    const title = args.names?.length ? args.names.join(', ') : 'all declarations'
    let reportedMs = 0
    let stage = ''
    running.set(job, { uri: args.uri, name: title })
    tellStatus()
    progress.begin(`Assay: ${inert(title, 80)}`)
    let cancelled = false
    let stop: (() => void) | undefined
    progress.onCancel(() => {
      cancelled = true
      stop?.()
    })
    const onCancel = (how: () => void) => {
      stop = how
      if (cancelled) how()
    }
    const handle = (event: RunEvent) => {
      if (event.kind === 'backend') backend = event.backend
      if (event.kind === 'finished') {
        const { name, kind, status } = event.outcome.result
        teller.ran({ uri: args.uri, name, kind, status })
      }
      if (event.kind !== 'step') return
      const now = performance.now()
      const here = `${event.name}: ${event.stage}`
      if (here === stage && now - reportedMs < reportEveryMs) return
      stage = here
      reportedMs = now
      const known = event.of > 0
      const percentage = known ? Math.min(100, Math.round((100 * event.done) / event.of)) : undefined
      progress.report(percentage, inert(known ? `${here} ${event.done} of ${event.of}` : here, 120))
      running.set(job, { uri: args.uri, name: event.name, stage: event.stage, done: event.done, of: event.of })
      tellStatus()
    }
    try {
      const file = await runDeclarations(workspace, args, { handle, onCancel })
      running.delete(job)
      const failed = file.results.find((one) => one.status === 'failed')
      tellStatus(failed && `${failed.name}: ${sentences(failed)[0] ?? ''}`)
      announce(file, args.names, teller)
      return file
    } catch (reason) {
      running.delete(job)
      // What was refused is answered; only what broke down is a state to be in.
      tellStatus(reason instanceof Unable ? undefined : inert(reason instanceof Error ? reason.message : String(reason), 300))
      throw reason
    } finally {
      progress.done()
      teller.finished()
    }
  }

  return async (command: string, argument: unknown, progress: CommandProgress): Promise<ResultFile | number> => {
    const args = argumentsOf(argument)
    switch (command) {
      case commands.run:
        return run(args, progress)
      case commands.plan: {
        const file = await planDeclarations(workspace, args)
        announce(file, args.names, teller)
        return file
      }
      case commands.cancel:
        return cancelRuns(workspace, args)
      case commands.result:
        return lastResults(workspace, args)
      case commands.preview: {
        if (args.name === undefined)
          throw new Unable('A preview is of one source, split, slice, complaint or model: its `name` is missing.')
        const file = await previewRows(workspace, { ...args, name: args.name }, { handle: () => {}, onCancel: progress.onCancel })
        announce(file, undefined, teller)
        return file
      }
      default:
        throw new Unable(
          `There is no command \`${inert(command)}\`. There are ${Object.values(commands)
            .map((one) => `\`${one}\``)
            .join(', ')}.`,
        )
    }
  }
}

/** One sentence about what was asked for; in an editor that shows nothing else it must say the most. */
function announce(file: ResultFile, names: readonly string[] | undefined, teller: Teller): unknown {
  const wanted = names?.map((name) => name.toLowerCase())
  const asked = wanted ? file.results.filter((one) => wanted.includes(one.name.toLowerCase())) : file.results
  const [only] = asked
  if (only === undefined) {
    const error = file.problems.find((one) => one.severity === 'error')
    return teller.say(error ? `Nothing was computed: ${inert(error.message, 300)}` : 'Nothing is declared here that could be run.', 'bad')
  }
  if (asked.length > 1) return teller.say(summary(asked), asked.some((one) => mood(one) === 'bad') ? 'bad' : 'good')
  return teller.say(`${inert(only.name)} · ${verdict(only)}: ${sentences(only)[0] ?? ''}`, mood(only))
}

function argumentsOf(argument: unknown): RunArguments & CancelArguments & ResultArguments {
  const given = (argument ?? {}) as Partial<RunArguments & CancelArguments>
  const wrong = (what: string) =>
    new Unable(`This command takes one object, as { "uri": "file:///…/spec.assay", "names": ["…"] }: ${what}.`)
  if (typeof argument !== 'object' || typeof given.uri !== 'string') throw wrong('its `uri` is missing')
  if (given.names !== undefined && !(Array.isArray(given.names) && given.names.every((one) => typeof one === 'string')))
    throw wrong('`names` is a list of texts')
  if (given.name !== undefined && typeof given.name !== 'string') throw wrong('`name` is a text')
  if (given.seed !== undefined && !Number.isSafeInteger(given.seed)) throw wrong('`seed` is a whole number')
  return given as RunArguments & CancelArguments
}
