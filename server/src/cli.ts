import { Command, CommanderError, Option } from 'commander'
import { checkCommand, problemFile } from './cli/check.ts'
import { addDoctorCommand } from './cli/doctor.ts'
import { addEngineCommands } from './cli/engine.ts'
import { formatCommand } from './cli/format.ts'
import { indexCommand } from './cli/index-model.ts'
import { Unreadable, wholeFile } from './cli/inputs.ts'
import { EXIT, type Io } from './cli/io.ts'
import { lspCommand } from './cli/lsp.ts'
import { ensureWritable, Unwritable, writeProblems } from './cli/output.ts'
import { planCommand } from './cli/plan.ts'
import { runCommand } from './cli/run.ts'
import { notBuilt } from './cli/sentences.ts'
import { type Settings, withEngine, withOutput, withWatch } from './cli/settings.ts'
import { version } from './cli/version.ts'
import { type WatchSettings, watchCommand } from './cli/watch.ts'

/**
 * The command line: one file for each command under `cli/`, over the same workspace and engine as the editor. Here: what the arguments are,
 * and that every way to fail ends in a sentence and an exit code.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok
  const finish = async (settings: Settings, file: string, work: () => Promise<number>, command?: 'with findings') => {
    const has = settings.format !== 'sarif' || command === 'with findings'
    code = has ? await guarded(settings, file, io, work) : refuse('SARIF of a command other than `check` and `run`', io)
  }
  const program = describeProgram(io)

  withEngine(program.command('check <file...>').description('syntax, names, types, schemas')).action(
    (files: string[], settings: Settings) => finish(settings, files[0]!, () => checkCommand(files, settings, io), 'with findings'),
  )
  withEngine(program.command('run <file> [name...]').description('run declarations: those named, or all that can be run'))
    .option('--confirm', 'carry out what spends budget; without it, it is only planned')
    .option('--report <file>', 'also write an html report there')
    .action((file: string, names: string[], settings: Settings) =>
      finish(settings, file, () => runCommand(file, names, settings, io), 'with findings'),
    )
  withWatch(
    program.command('watch <file> [complaint]').description('evaluate a complaint and follow its files: an update whenever rows come'),
  ).action((file: string, name: string | undefined, settings: WatchSettings) =>
    finish(settings, file, () => watchCommand(file, name, settings, io)),
  )
  withEngine(program.command('plan <file> <name>').description('what a run would do and cost, without doing it')).action(
    (file: string, name: string, settings: Settings) => finish(settings, file, () => planCommand(file, name, settings, io)),
  )
  withOutput(program.command('format <file...>').description('write files in the canonical form'))
    .option('--check', 'change nothing; exit 1 if a file would change')
    .action((files: string[], settings: Settings) => finish(settings, files[0]!, () => formatCommand(files, settings, io)))
  withEngine(program.command('index <file> <model>').description('precompute the debugging index of a model; hand it over'))
    .option('--export <file>', 'also write the index there')
    .addOption(
      new Option(
        '--rows <what>',
        'what the export tells of the training rows: their keys; numbers in their stead; nothing, not even influences',
      )
        .choices(['keys', 'numbers', 'none'])
        .default('keys'),
    )
    .option('--import <file>', 'take the index from there; where the training data is not, it stands for it')
    .option('--rank <result>', 'rank the training rows for the complaints of a result in JSON that was made elsewhere with this index')
    .action((file: string, model: string, settings: Settings) => finish(settings, file, () => indexCommand(file, model, settings, io)))

  const later = (name: string, description: string, act: () => number, options: { hidden: boolean } = { hidden: false }) =>
    program
      .command(`${name} [args...]`, options)
      .description(description)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        code = act()
      })
  addDoctorCommand(program, io, (settings, work) => finish(settings, '', work))
  addEngineCommands(program, io, (work) => finish({ format: 'text', engine: 'auto' }, '', work))
  program
    .command('lsp')
    .description('the language server, for any editor; ends when its input ends')
    .option('--stdio', 'speak over standard input and output')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (settings: { readonly stdio?: true }) => {
      code = await lspCommand(settings, io)
    })
  for (const name of ['init', 'suggest', 'convert', 'ledger'])
    later(name, 'of a later version', () => refuse(`\`assay ${name}\``, io), { hidden: true })

  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (reason) {
    if (reason instanceof CommanderError) return reason.exitCode === 0 ? EXIT.ok : EXIT.wrong
    throw reason
  }
  return code
}

function describeProgram(io: Io): Command {
  const program = new Command('assay')
  program
    .description('Debug machine-learning models through their data.')
    .version(version(), '-v, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      getOutHelpWidth: () => io.out.columns ?? 100,
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit codes: 0 everything holds, 1 an assertion fails or a complaint stands, 2 the spec or its data is wrong,\n3 a run failed or what this version cannot do was asked for.',
    )
  return program
}

function refuse(what: string, io: Io): number {
  io.err.write(`${notBuilt(what)}\n`)
  return EXIT.failed
}

async function guarded(settings: Settings, file: string, io: Io, work: () => Promise<number>): Promise<number> {
  try {
    ensureWritable(settings, io)
    return await work()
  } catch (reason) {
    if (reason instanceof Unreadable) {
      await writeProblems(problemFile([file], [wholeFile(file, reason.code, reason.message)]), settings, io)
      return EXIT.wrong
    }
    if (reason instanceof Unwritable) {
      io.err.write(`${reason.message}\n`)
      return EXIT.wrong
    }
    const stack = reason instanceof Error ? reason.stack : String(reason)
    io.err.write(
      `Assay itself failed; this is a mistake in it, not in your files. ${io.env.ASSAY_DEBUG ? stack : `(${reason instanceof Error ? reason.message : reason}; ASSAY_DEBUG=1 shows where.)`}\n`,
    )
    return EXIT.failed
  }
}
