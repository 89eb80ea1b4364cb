import { type Command, InvalidArgumentError, Option } from 'commander'

/** What the options that all commands share come to. */
export interface Settings {
  readonly format: Format
  readonly out?: string
  /** An html report beside the results that are printed. */
  readonly report?: string
  readonly engine: string
  readonly seed?: number
  readonly threads?: number
  readonly confirm?: boolean
  readonly check?: boolean
  readonly export?: string
  readonly import?: string
  /** What an export tells of the training rows. */
  readonly rows?: 'keys' | 'numbers' | 'none'
  /** Results whose complaints are ranked. */
  readonly rank?: string
}
export type Format = 'text' | 'json' | 'html' | 'sarif'

const engines = ['auto', 'gpu', 'onnx-cuda', 'webgpu', 'onnx-webgpu', 'onnx', 'native', 'wasm', 'reference']

export function withOutput(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'how results are written').choices(['text', 'json', 'sarif', 'html']).default('text'))
    .option('--out <file>', 'write results there instead of to the terminal')
}

export function withEngine(command: Command): Command {
  return withComputing(withOutput(command))
}

export function withWatch(command: Command): Command {
  return withComputing(command)
    .addOption(new Option('--format <format>', 'how updates are written').choices(['text', 'json']).default('text'))
    .option('--top <n>', 'training rows to tell in each update, in place of the first ten of those that are blamed', whole(1))
    .option('--every <seconds>', 'how often the files are looked at', seconds(0.01), 1)
    .option('--until-idle <seconds>', 'end when the files have not grown for so long', seconds(0))
}

function withComputing(command: Command): Command {
  return command
    .addOption(new Option('--engine <name>', 'what computes').choices(engines).default('auto'))
    .option('--seed <n>', 'seed of training and of sampling, in place of the ones in the file; splits keep theirs', whole(0))
    .option('--threads <n>', 'threads that may compute at once', whole(1))
}

function seconds(least: number) {
  return (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || value < least)
      throw new InvalidArgumentError(`A number of seconds from ${least} on is needed here.`)
    return value
  }
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`A whole number from ${least} on is needed here.`)
    return value
  }
}
