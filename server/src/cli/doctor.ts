import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { breather } from '../engine/context.ts'
import { type Diagnosis, type DoctorEvent, doctor, type EngineReport } from '../engine/doctor.ts'
import type { Engine } from '../learn/backends/ladder.ts'
import { Cancelled } from '../methods/cancel.ts'
import { gridLines } from '../report/grid.ts'
import { inert } from '../report/inert.ts'
import { assayHome } from '../workspace/folder.ts'
import { EXIT, type Io } from './io.ts'
import { writeText } from './output.ts'
import { interrupted, notBuilt } from './sentences.ts'
import { type Settings, withEngine } from './settings.ts'

/** `assay doctor`: every rung of the ladder examined in turn, in this process; about ten seconds for each that is there. */
export function addDoctorCommand(
  program: Command,
  io: Io,
  finish: (settings: Settings, work: () => Promise<number>) => Promise<void>,
): void {
  withEngine(program.command('doctor').description('engines present, self-test, speed, what to install for more')).action(
    (settings: Settings) => finish(settings, () => doctorCommand(settings, io)),
  )
}

async function doctorCommand(settings: Settings, io: Io): Promise<number> {
  if (settings.format === 'html') {
    io.err.write(`${notBuilt('a report of `assay doctor` as html')} Use --format text or json.\n`)
    return EXIT.failed
  }
  const token = { cancelled: false }
  const stopListening = io.onInterrupt(() => {
    token.cancelled = true
    io.err.write(`\n${interrupted}\n`)
    setTimeout(() => io.exit(EXIT.interrupted), 950).unref()
  })
  const progress = (event: DoctorEvent) => {
    if (event.kind === 'engine') io.err.write(`examining ${event.name}\n`)
  }
  try {
    const diagnosis = await doctor(
      {
        threads: settings.threads ?? availableParallelism(),
        home: assayHome(io.env),
        engines: settings.engine === 'auto' ? undefined : [settings.engine as Engine],
        breathe: breather(token),
      },
      progress,
    )
    const advice = { ...diagnosis.advice, ...dawnAdvice(diagnosis) }
    const text = settings.format === 'json' ? `${JSON.stringify(diagnosis.report, null, 2)}\n` : diagnosisText({ ...diagnosis, advice })
    writeText(text, settings, io)
    return diagnosis.passed ? EXIT.ok : EXIT.failed
  } catch (reason) {
    if (reason instanceof Cancelled) return EXIT.interrupted
    throw reason
  } finally {
    stopListening()
  }
}

/** npm installs Dawn beside everything else; the editor's package leaves it out, for it would be three times the size. */
export function dawnAdvice({ report }: Pick<Diagnosis, 'report'>, home = programFolder()): { readonly webgpu?: string } {
  const rung = report.engines.find((engine) => engine.name === 'webgpu')
  if (rung === undefined || rung.present || !/find \w+ 'webgpu'/.test(rung.reason ?? '')) return {}
  return {
    webgpu: `The package for editors does not bring npm's \`webgpu\` (Dawn, 132 MB): \`npm install --no-save --prefix "${home}" webgpu\` adds it, until the next update. It needs a graphics driver with Vulkan, Metal or Direct3D 12.`,
  }
}

/** Above \`dist/\`, where a bundle of this looks for packages. */
const programFolder = () => fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

const FIGURES = [
  ['logisticHvpMs', 'logistic HVP'],
  ['jvp10Ms', '10 tangents'],
  ['mlpHvpMs', 'MLP HVP'],
  ['mlpEpochMs', 'MLP epoch'],
  ['rankMs', 'ranking'],
] as const

export function diagnosisText({ report, advice, memoryMegabytes }: Diagnosis): string {
  const present = report.engines.filter((engine) => engine.present)
  const absent = report.engines.filter((engine) => !engine.present)
  const columns = [
    { head: 'engine', align: 'left' as const },
    { head: 'self-test', align: 'left' as const },
    ...FIGURES.map(([, head]) => ({ head, align: 'right' as const })),
    { head: 'device', align: 'left' as const },
  ]
  const grid = gridLines(columns, present.map(engineCells))
  const lines = ['Engines that are here (milliseconds; 60 000 × 784 × 10, MLP 784-256-10, ranking 60 000 × 20)', `  ${grid.head}`]
  lines.push(...grid.body.map((line) => `  ${line}`))
  for (const engine of present) if (engine.reason !== undefined) lines.push(`  ${engine.name}: ${inert(engine.reason, 600)}`)
  if (absent.length > 0) lines.push('', 'Engines that are not')
  for (const { name, reason } of absent) lines.push(`  ${name}: ${inert([reason, advice[name]].filter((part) => part).join(' '), 600)}`)
  lines.push(
    '',
    `This machine has ${(memoryMegabytes / 1000).toFixed(1)} GB of memory. \`assay run\` takes the first engine that passes, unless --engine names one.`,
  )
  return `${lines.join('\n')}\n`
}

const engineCells = ({ name, selfTest, benchmark, device }: EngineReport): string[] => [
  name,
  inert(selfTest),
  ...FIGURES.map(([figure]) => (benchmark[figure] === undefined ? '–' : benchmark[figure].toFixed(benchmark[figure] < 10 ? 2 : 0))),
  inert(device),
]
