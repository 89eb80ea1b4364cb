/** The command line of the package, with the editor's own Node: what tasks and terminals start. Paths are arguments, never parts of a text. */
export interface CommandLine {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}
export interface Installation {
  /** Of `bin/assay.mjs`. */
  readonly entry: string
  /** The editor's own program, and another Node where the settings name one. */
  readonly own: string
  readonly runtime?: string
}

export function commandLine({ entry, own, runtime }: Installation, args: readonly string[]): CommandLine {
  // Electron runs a script as Node does when it is told so; Node itself does not mind.
  return { program: runtime ?? own, args: [entry, ...args], env: runtime === undefined ? { ELECTRON_RUN_AS_NODE: '1' } : {} }
}

export interface TaskRequest {
  readonly command: 'check' | 'run'
  readonly file: string
  readonly names?: readonly string[]
}

/** A task as it stands in `tasks.json`, if it is one of ours. */
export function taskRequest(definition: Readonly<Record<string, unknown>>): TaskRequest | undefined {
  const { command, file, names } = definition
  if ((command !== 'check' && command !== 'run') || typeof file !== 'string' || file === '') return undefined
  const named = Array.isArray(names) ? names.filter((one): one is string => typeof one === 'string') : undefined
  return { command, file, names: named }
}

/** `engine` and `threads` as in the settings, so that a task computes what the editor computes. */
export function taskArguments(
  { command, file, names }: TaskRequest,
  settings: { readonly engine?: string; readonly threads?: number | null },
): string[] {
  const engine = settings.engine === undefined || settings.engine === 'auto' ? [] : ['--engine', settings.engine]
  const threads = settings.threads ? ['--threads', String(settings.threads)] : []
  return [command, ...engine, ...threads, '--', file, ...(command === 'run' ? (names ?? []) : [])]
}
