import type { ChancePlan, PredictionPlan } from '../plan.ts'

/**
 * What the relaxation draws from: for every row of an inference table, the chances of what a model might say of it. Classes as they are; a predicted
 * number and a probability that are compared with constants, by the intervals between these: the chance of an interval is made by the engine.
 */
export const chanceTable = (name: string) => `assay chances ${name}`
export const choiceTable = (name: string) => `assay choices ${name}`

interface Compared {
  readonly model: string
  readonly source: string
  readonly label?: string | number | boolean
}

/** Gathers, while a query is compiled, the chances that it needs; thresholds of one model's answer about one source are shared. */
export class Chances {
  readonly #read = new Map<string, { readonly model: string; readonly source: string; readonly scores: Set<string | number | boolean> }>()
  readonly #found = new Map<string, Omit<ChancePlan, 'thresholds'> & { readonly thresholds: Set<number> }>()

  classes(model: string, source: string): string {
    const name = `${model} ${source}`
    if (!this.#found.has(name)) this.#found.set(name, { name, model, source, kind: 'class', thresholds: new Set() })
    return name
  }

  compared({ model, source, label }: Compared, thresholds: readonly number[]): string {
    const kind = label === undefined ? 'number' : 'score'
    const name = `${kind} ${model} ${source}${label === undefined ? '' : ` ${label}`}`
    const known = this.#found.get(name) ?? { name, model, source, kind, label, thresholds: new Set() }
    this.#found.set(name, known)
    for (const threshold of thresholds) known.thresholds.add(threshold)
    return name
  }

  /** A prediction, or a probability, that is read as a value. */
  value(read: Compared): void {
    const scores = this.#read.get(`${read.model}\0${read.source}`)?.scores ?? new Set()
    this.#read.set(`${read.model}\0${read.source}`, { model: read.model, source: read.source, scores })
    if (read.label !== undefined) scores.add(read.label)
  }

  /** Models' answers that the query reads, and the classes whose probability it names. */
  predictions(): PredictionPlan[] {
    for (const { model, source, label } of this.#found.values()) this.value({ model, source, label })
    return [...this.#read.values()].map(({ model, source, scores }) => ({ model, source, scores: [...scores] }))
  }

  plans(): ChancePlan[] {
    return [...this.#found.values()].map((c) => ({ ...c, thresholds: [...c.thresholds].sort((a, b) => a - b) }))
  }
}
