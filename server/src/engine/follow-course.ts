import { findFiles } from '../data/files.ts'
import { hasLines } from '../data/later-lines.ts'
import type { FileReading } from '../data/reading.ts'
import { needsKey } from '../data/splits.ts'
import type { ComplaintTask, Plan, SourcePlan } from '../plan/plan.ts'
import type { Reading } from '../sql/tree.ts'
import type { FollowRequest } from './events.ts'

export interface Course {
  /** The source that reads the files which grow, and what makes the query's table of it. */
  readonly root?: SourcePlan & { readonly reading: FileReading }
  readonly chain?: readonly SourcePlan[]
  readonly why?: string
}

export const everyChange = (why: string) => `Every change is evaluated as a whole: ${why}.`

/** Whether rows that come can be added by themselves, as far as the plan tells; else why not. */
export function courseOf(plan: Plan, { rowwise }: FollowRequest): Course {
  const task = plan.task as ComplaintTask
  const no = (why: string): Course => ({ why: everyChange(why) })
  if (task.method.kind === 'cg')
    return no('`method cg` solves anew for every answer. `method spectral(k: 30)` and `auto` follow batch by batch')
  if (task.method.kind === 'spectral' && task.method.k === undefined)
    return no('`method spectral` without `k` chooses it by all rows. `method spectral(k: 30)` and `auto` follow batch by batch')
  if (task.suspects.by !== 'influence') return no(`rows are blamed by ${task.suspects.by.replace('_', ' ')}, not by influence`)
  if (task.sources.length > 1) return no('the query reads several tables')
  const sourceOf = (name: string) => plan.sources.find((s) => s.name.toLowerCase() === name.toLowerCase())!
  const chain: SourcePlan[] = [sourceOf(task.sources[0]!)]
  while (!chain[0]!.reading) {
    const view = chain[0]!
    if (!rowwise.some((name) => name.toLowerCase() === view.name.toLowerCase()))
      return no(`\`${view.name}\` is a view that may make something else of old rows when new ones come`)
    chain.unshift(sourceOf(view.over[0]!))
  }
  const root = chain[0]!
  const reading = root.reading!
  if (reading.kind !== 'file' || reading.format === 'json') return no(`the files of \`${root.name}\` do not grow line by line`)
  const lists = /[*?[]/.test(reading.path)
  if (!hasLines(reading) && !lists) return no(`a file in ${reading.format} does not grow line by line`)
  for (const source of chain) {
    const isByContent = source.key.length === 0 && source.split !== undefined && needsKey(source.split)
    if (isByContent) return no(`the splits of \`${source.name}\` go by the content of all of its rows. Declare its \`key\``)
  }
  if (plan.partitions.some((p) => chain.some((s) => s.name === p.source))) return no('a partition of its table depends on all rows')
  const { treatment } = task.suspects
  const learned = new Set([...plan.models.map((m) => m.source), ...(treatment.kind === 'replace' ? [treatment.source] : [])])
  for (let size = 0; size < learned.size; ) {
    size = learned.size
    for (const name of learned) for (const over of sourceOf(name).over) learned.add(over)
  }
  const mine = pathsOf(reading)
  for (const name of learned)
    if (pathsOf(sourceOf(name).reading).some((path) => mine.includes(path))) return no('the model learns from the same files')
  return { root: root as Course['root'], chain }
}

function pathsOf(reading: Reading | undefined): readonly string[] {
  if (reading?.kind !== 'file') return []
  try {
    return findFiles(reading.path).map((file) => file.path)
  } catch {
    return [reading.path]
  }
}
